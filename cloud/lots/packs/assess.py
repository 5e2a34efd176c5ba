"""Puts the rules of a food plan to a lot's stays, core temperatures and deadlines."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import BindParameter, Connection, bindparam

from cloud.lots.events import LotEvent
from cloud.lots.family import Family
from cloud.lots.packs.finding import Core, Finding, Subject, judge_band, judge_cores, judge_deadline
from cloud.lots.packs.pack_file import FoodPlan, Pack, Rule
from cloud.lots.repository import Lot
from cloud.lots.residence import Stay
from cloud.lots.stops import Minute, end_of, read_minutes
from cloud.site.repository import Zone, points_of_zone
from cloud.store import load_queries
from rules import Observation, Segment, segments

FAR = 1 << 62
_MINUTE_MS = 60_000
_queries = load_queries("cloud.lots", "ledger.sql")
_LOTS: BindParameter[int] = bindparam("lots", expanding=True)
_CORES = _queries.cores_of.bindparams(_LOTS)


class StayOf(NamedTuple):
    """A stay of the lot or of an ancestor, before it became part of the lot."""

    lot: Lot
    zone: Zone
    stay: Stay


class Asked(NamedTuple):
    """By which plan, until when, and with the knowledge of which time (None: of now)."""

    plan: FoodPlan
    now_ms: int
    known_at: int | None = None


def assess(connection: Connection, stays: Sequence[StayOf], family: Family, asked: Asked) -> list[Finding]:
    """In the order of the stays; deadlines last."""
    cores = _cores(connection, [lot.id for lot in family.lots.values()], asked.known_at)
    found = [finding for each in stays for finding in _of_stay(connection, each, cores, asked)]
    return found + [finding for pack in asked.plan.packs for finding in _of_deadlines(pack, family, cores, asked)]


def _of_stay(connection: Connection, each: StayOf, cores: dict[str, list[Core]], asked: Asked) -> Iterable[Finding]:
    stage = asked.plan.stages.get(each.zone.key)
    product = asked.plan.products.get(each.lot.gtin)
    end = end_of(each.stay, asked.now_ms)
    for pack in asked.plan.packs:
        for rule in pack.rules:
            if rule.band is None or stage not in rule.stages or (rule.products and product not in rule.products):
                continue
            subject = Subject(pack.pack, each.lot.key, each.zone.key)
            if rule.measured_by == "hand":
                mine = [core for core in cores.get(each.lot.key, []) if each.stay.from_at <= core.at <= end]
                yield judge_cores(subject, rule, rule.band, mine)
                continue
            minutes = _minutes(connection, each, rule, asked)
            high, low = (_segments(minutes, rule, each.stay.from_at, end, sign) for sign in (1, -1))
            yield judge_band(subject, rule, rule.band, high, low)


def _minutes(connection: Connection, each: StayOf, rule: Rule, asked: Asked) -> list[Minute]:
    points = points_of_zone(connection, each.zone.id, rule.quantity)
    begin = each.stay.from_at - _gap_ms(rule)
    return read_minutes(connection, points, begin, end_of(each.stay, asked.now_ms), asked.known_at)


def _segments(minutes: Iterable[Minute], rule: Rule, from_at: int, until_at: int, sign: int) -> list[Segment]:
    entries = [Observation(minute.at, minute.series_id, minute.high if sign > 0 else minute.low) for minute in minutes]
    return list(segments(entries, sign=sign, max_gap_ms=_gap_ms(rule), from_at=from_at, until_at=until_at))


def _gap_ms(rule: Rule) -> int:
    return round(rule.max_gap_min * _MINUTE_MS)


def _of_deadlines(pack: Pack, family: Family, cores: dict[str, list[Core]], asked: Asked) -> Iterable[Finding]:
    for rule in pack.rules:
        if rule.deadline is None:
            continue
        for made in family.transformations:
            if made.kind.value != rule.deadline.after:
                continue
            for key in made.outputs:
                if key in family.lots:
                    taken = [core for lot in _line_of(key, family) for core in cores.get(lot, [])]
                    subject = Subject(pack.pack, key)
                    yield judge_deadline(subject, rule, made.at, made.piece_kg, taken, asked.now_ms)


def _line_of(key: str, family: Family) -> set[str]:
    """The lot, and what was made of it on the way to the one that is judged."""
    line = {key}
    for edge in sorted(family.edges, key=lambda edge: edge.at):
        if edge.parent in line:
            line.add(edge.child)
    return line


def _cores(connection: Connection, lot_ids: Sequence[int], known_at: int | None) -> dict[str, list[Core]]:
    found: dict[str, list[Core]] = {}
    for row in connection.execute(_CORES, {"lots": lot_ids, "known_at": FAR if known_at is None else known_at}):
        event = msgspec.json.decode(row.body, type=LotEvent)
        if event.core_celsius is not None:
            found.setdefault(row.lot, []).append(Core(row.at, float(event.core_celsius)))
    return found
