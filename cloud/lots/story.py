"""What a lot went through: its own stops, those of what it was made of, and what that means so far."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from sqlalchemy import Connection

from cloud.lots.binding import stays_of
from cloud.lots.family import Family, ancestors
from cloud.lots.genealogy import shares_of_ancestors, used_until
from cloud.lots.packs import Finding, plan_at
from cloud.lots.packs.assess import Asked, StayOf, assess
from cloud.lots.recompute import understood
from cloud.lots.repository import Lot, lot_by_key, residences_of_lot
from cloud.lots.residence import Stay
from cloud.lots.stops import MINUTE_MS, Stop, View, end_of, tell_stop
from cloud.lots.verdict import Conditions, Verdict, judge, with_findings
from cloud.site.repository import Zone, zones

FAR = 1 << 62


@dataclass(frozen=True, slots=True)
class Inherited:
    """What an ancestor went through before it became part of the lot."""

    lot: Lot
    share: Decimal | None  # of the ancestor in the lot; None: in there, nobody weighed how much
    until_at: int  # when the last of it went in
    stops: Sequence[Stop]


@dataclass(frozen=True, slots=True)
class LotStory:
    """`bucket_ms` is the same for all stops, so that they share one time axis; `from_at` is the oldest ancestor's."""

    lot: Lot
    now: int
    from_at: int
    until_at: int
    bucket_ms: int
    inherited: Sequence[Inherited]
    stops: Sequence[Stop]
    findings: Sequence[Finding]  # of the packs of the food plan, if there is one
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class _Chapter:
    lot: Lot
    share: Decimal | None
    until_at: int | None  # None: the lot itself
    stays: Sequence[Stay]


def lot_story(
    connection: Connection, key: str, now_ms: int, *, buckets: int = 720, known_at: int | None = None
) -> LotStory:
    """Raises UnknownLotError. What is measured after `now_ms` is not looked at; `known_at`: as known then."""
    lot = lot_by_key(connection, key)
    family = ancestors(connection, [lot.id], FAR if known_at is None else known_at)
    chapters = [*_inherited(connection, lot, family, now_ms, known_at), _own(connection, lot, now_ms, known_at)]
    stays = [stay for chapter in chapters for stay in chapter.stays]
    from_at = min((stay.from_at for stay in stays), default=lot.created_at)
    until_at = max((end_of(stay, now_ms) for stay in stays), default=now_ms)
    view = View(now_ms, _bucket_ms(until_at - from_at, buckets), known_at)
    known_zones = {zone.id: zone for zone in zones(connection)}
    told = [(chapter, _tell(connection, chapter, known_zones, view)) for chapter in chapters]
    inherited = [
        Inherited(chapter.lot, chapter.share, chapter.until_at, [stop for stop, _ in parts])
        for chapter, parts in told
        if chapter.until_at is not None
    ]
    findings = _findings(connection, chapters, known_zones, family, view)
    verdict = with_findings(judge([conditions for _, parts in reversed(told) for _, conditions in parts]), findings)
    own = [stop for stop, _ in told[-1][1]]
    return LotStory(lot, now_ms, from_at, until_at, view.bucket_ms, inherited, own, findings, verdict)


def _findings(
    connection: Connection, chapters: Sequence[_Chapter], known_zones: dict[int, Zone], family: Family, view: View
) -> list[Finding]:
    plan = plan_at(connection, chapters[-1].lot.created_at, view.known_at)
    if plan is None:
        return []
    stays = [StayOf(chapter.lot, known_zones[stay.zone_id], stay) for chapter in chapters for stay in chapter.stays]
    return assess(connection, stays, family, Asked(plan, view.now_ms, view.known_at))


def _own(connection: Connection, lot: Lot, now_ms: int, known_at: int | None) -> _Chapter:
    return _Chapter(lot, Decimal(1), None, _stays(connection, lot.id, now_ms, known_at))


def _inherited(connection: Connection, lot: Lot, family: Family, now_ms: int, known_at: int | None) -> list[_Chapter]:
    """Oldest first."""
    shares = shares_of_ancestors(lot.key, family.edges)
    chapters = []
    for key, until_at in used_until(lot.key, family.edges).items():
        parent = family.lots[key]
        stays = _stays(connection, parent.id, min(until_at, now_ms), known_at)
        chapters.append(_Chapter(parent, shares[key], until_at, [_until(stay, until_at) for stay in stays]))
    return sorted(chapters, key=lambda chapter: (chapter.until_at or 0, chapter.lot.key))


def _stays(connection: Connection, lot_id: int, before: int, known_at: int | None) -> list[Stay]:
    found = residences_of_lot(connection, lot_id) if known_at is None else understood(connection, lot_id, known_at)
    return [stay for stay in stays_of(found) if stay.from_at < before]


def _until(stay: Stay, until_at: int) -> Stay:
    return stay._replace(until_at=until_at if stay.until_at is None else min(stay.until_at, until_at))


def _tell(
    connection: Connection, chapter: _Chapter, known_zones: dict[int, Zone], view: View
) -> list[tuple[Stop, Conditions]]:
    told = [tell_stop(connection, known_zones[stay.zone_id], stay, view) for stay in chapter.stays]
    return [(stop, replace(conditions, lot=chapter.lot.key)) for stop, conditions in told]


def _bucket_ms(span_ms: int, buckets: int) -> int:
    """Whole minutes, so that no minute falls into two buckets."""
    return max(1, -(-span_ms // (buckets * MINUTE_MS))) * MINUTE_MS
