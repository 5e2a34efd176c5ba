"""When a verdict is final, and what late data does to it.

A lot that has left all zones is final when every gateway that measures those zones has delivered everything up to the
lot's last moment there, and a grace. From then on its verdict stands in the books in versions: late data that says
something else makes a new one, and holds the lot if it became worse.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import BindParameter, Connection, bindparam

from cloud.lots.binding import stays_of
from cloud.lots.events import EventKind, Item, LotEvent
from cloud.lots.family import ancestors, descendants
from cloud.lots.genealogy import used_until
from cloud.lots.repository import Lot, lot_by_id, residences_of_lot
from cloud.lots.residence import Stay
from cloud.lots.stops import Stop
from cloud.lots.story import LotStory, lot_story
from cloud.lots.verdict import Outcome
from cloud.store import load_queries

FAR = 1 << 62
GRACE_MS = 10 * 60_000  # a value counts on for as long as a limit's max gap; ten minutes cover the usual ones
_AT_ONCE = 5  # stories told in one transaction; other writers wait meanwhile
_COARSE = 10  # buckets; the digest does not look at them
_queries = load_queries("cloud.lots", "ledger.sql")
_LOTS: BindParameter[int] = bindparam("lots", expanding=True)
_WITH_VERDICT = _queries.lots_with_verdict.bindparams(_LOTS)


@dataclass(frozen=True, slots=True)
class FinalVerdict:
    version: int
    outcome: Outcome
    reason: str
    digest: str
    computed_at: int


def note_late(connection: Connection) -> None:
    """Call it before the dirty zones are thought over: what is final and was there is looked at again."""
    connection.execute(_queries.mark_late_lots, {"grace": GRACE_MS})


def finish(connection: Connection, lot_ids: Iterable[int], now_ms: int) -> tuple[list[int], list[LotEvent]]:
    """Final verdicts of those that are ready. Gives those that still wait, and the holds that changes ask for."""
    waiting: list[int] = []
    holds: list[LotEvent] = []
    left = _AT_ONCE
    for lot_id in _with_final_descendants(connection, lot_ids):
        stays = stays_of(residences_of_lot(connection, lot_id))
        if not stays or any(stay.until_at is None for stay in stays):
            continue  # it comes back when its way changes
        if left and is_ready(connection, lot_id, stays):
            left -= 1
            holds += _state(connection, lot_by_id(connection, lot_id), now_ms)
        else:
            waiting.append(lot_id)
    return waiting, holds


def is_ready(connection: Connection, lot_id: int, stays: Sequence[Stay]) -> bool:
    """Every gateway of every zone, its ancestors' too, is past the lot's last moment there."""
    if not all(_is_delivered(connection, stay) for stay in stays):
        return False
    family = ancestors(connection, [lot_id])
    used = used_until(lot_by_id(connection, lot_id).key, family.edges)
    return all(
        _is_delivered(connection, stay._replace(until_at=min(until, stay.until_at or FAR)))
        for key, until in used.items()
        for stay in stays_of(residences_of_lot(connection, family.lots[key].id))
        if stay.from_at < until
    )


def _is_delivered(connection: Connection, stay: Stay) -> bool:
    until = FAR if stay.until_at is None else stay.until_at
    gateways = {"zone_id": stay.zone_id, "from_at": stay.from_at, "until_at": until}
    return all(
        not row.waiting and row.through_at is not None and row.through_at >= until + GRACE_MS
        for row in connection.execute(_queries.watermarks_of_zone, gateways)
    )


def verdicts_of(connection: Connection, lot_id: int, known_at: int = FAR) -> list[FinalVerdict]:
    """Oldest first; none while it is provisional."""
    rows = connection.execute(_queries.verdicts_of, {"lot_id": lot_id, "known_at": known_at})
    return [FinalVerdict(row.version, Outcome(row.outcome), row.reason, row.digest, row.computed_at) for row in rows]


def digest_of(story: LotStory) -> str:
    """Equal for equal exposures and verdicts, whatever the order of arrival."""
    parts = [(part.lot.key, part.share, part.until_at, _facts(part.stops)) for part in story.inherited]
    said = (_facts(story.stops), parts, story.findings, story.verdict)
    return hashlib.sha256(msgspec.json.encode(said, order="deterministic")).hexdigest()


def _facts(stops: Sequence[Stop]) -> list[tuple[object, ...]]:
    return [
        (
            stop.zone,
            stop.from_at,
            stop.until_at,
            stop.minimum,
            stop.maximum,
            round(stop.minutes_above, 6),
            round(stop.minutes_below, 6),
            round(stop.unknown_minutes, 6),
            [(breach.limit, breach.onset_at, breach.ended_at) for breach in stop.breaches],
        )
        for stop in stops
    ]


def _with_final_descendants(connection: Connection, lot_ids: Iterable[int]) -> list[int]:
    """What was made of a lot tells its story, too."""
    begun = sorted(set(lot_ids))
    if not begun:
        return []
    family = [lot.id for lot in descendants(connection, begun).lots.values()]
    final = connection.execute(_WITH_VERDICT, {"lots": family}).scalars()
    return sorted({*begun, *final})


def _state(connection: Connection, lot: Lot, now_ms: int) -> list[LotEvent]:
    """Writes a version down if it says something new."""
    story = lot_story(connection, lot.key, now_ms, buckets=_COARSE)
    before = verdicts_of(connection, lot.id)
    fingerprint = digest_of(story)
    if before and before[-1].digest == fingerprint:
        return []
    connection.execute(_queries.retire_verdict, {"lot_id": lot.id})
    connection.execute(
        _queries.insert_verdict,
        {
            "lot_id": lot.id,
            "version": len(before) + 1,
            "outcome": story.verdict.outcome.value,
            "reason": story.verdict.reason.value,
            "digest": fingerprint,
            "body": msgspec.json.encode(story.verdict).decode(),
            "computed_at": now_ms,
        },
    )
    if before and _is_worse(before[-1].outcome, story.verdict.outcome):
        return [_hold(lot, before[-1].outcome, story.verdict.outcome, now_ms)]
    return []


def _hold(lot: Lot, before: Outcome, after: Outcome, now_ms: int) -> LotEvent:
    return LotEvent(
        kind=EventKind.HOLD,
        at=now_ms,
        by="coldlink",
        subjects=(Item(lot=lot.key),),
        reason=f"late data changed its final verdict from {before} to {after}",
    )


def _is_worse(before: Outcome, after: Outcome) -> bool:
    order = (Outcome.PASS, Outcome.WARN, Outcome.INSUFFICIENT_DATA, Outcome.FAIL)
    return order.index(after) > order.index(before)
