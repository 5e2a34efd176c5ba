"""From boot time to UTC: what is known of the clock of each boot of a gateway, now or later.

anchor of the boot ------------------+
offset in the batch's own header ----+--> TimeBase, or None: it waits
between the neighbours, uncertain ---+
"""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection

from cloud.ingest.book import Anchor, Gateway
from cloud.ingest.bounds import SURE_WITHIN_MS, bounds
from cloud.ingest.rows import TimeBase
from cloud.ingest.work import Work
from cloud.store.queries import load_queries
from wire.batch import Header, open_batch
from wire.body import Body
from wire.entries import ClockAnchor

_queries = load_queries("cloud.ingest")


class Moment(NamedTuple):
    """A time as a gateway tells it."""

    boot: bytes
    at: int


def learn_anchors(work: Work, gateway: Gateway, header: Header, body: Body) -> None:
    """Anchors of this batch; a batch that knows the time is one itself to those of its boot that wait."""
    waiting = work.book.waiting_boots(work.connection)
    anchors = list(body.anchors)
    if header.offset_ms is not None and waiting.get((gateway.id, header.boot)) is False:
        anchors.append(ClockAnchor(None, header.last_at, header.last_at + header.offset_ms, SURE_WITHIN_MS))
    for anchor in anchors:
        _learn(work, gateway.id, anchor.boot or header.boot, Anchor(anchor.at, anchor.utc_ms, anchor.error_ms))


def base_of_batch(work: Work, gateway: Gateway, header: Header) -> TimeBase | None:
    """What the batch says of its own time, unless the gateway has learnt better since."""
    anchor = work.book.best_anchor(work.connection, gateway.id, header.boot)
    own = header.offset_ms
    if own is not None and (anchor is None or not _is_better(anchor, own, header.first_at)):
        return TimeBase(own)
    return None if anchor is None else _base(anchor)


def base_of_boot(work: Work, gateway_id: int, boot: bytes) -> TimeBase | None:
    """For a moment of another boot than the batch's that tells of it."""
    anchor = work.book.best_anchor(work.connection, gateway_id, boot)
    if anchor is not None:
        return _base(anchor)
    offset_ms = work.connection.execute(
        _queries.last_offset_of_boot, {"gateway_id": gateway_id, "boot": boot}
    ).scalar_one_or_none()
    return None if offset_ms is None else TimeBase(offset_ms)


def bound_waiting(work: Work) -> None:
    """Boots that wait and are over, since a later one has its place in time, get the time between their neighbours."""
    waiting = work.book.waiting_boots(work.connection)
    for gateway_id in {gateway_id for gateway_id, _ in work.outcome.placed_boots}:
        unbound = [boot for (owner, boot), is_anchored in waiting.items() if owner == gateway_id and not is_anchored]
        if unbound:
            _bound(work, gateway_id, unbound)


class _Unbound(NamedTuple):
    boot: bytes
    first_id: int
    last_id: int
    duration: int


def _bound(work: Work, gateway_id: int, boots: Iterable[bytes]) -> None:
    unbound = sorted((_measure(work.connection, gateway_id, boot) for boot in boots), key=lambda one: one.first_id)
    while unbound:
        before = _begin_after(work.connection, gateway_id, unbound[0])
        if before is None:
            return
        next_id, began_at = before
        group = [one for one in unbound if one.first_id < next_id]
        after = work.connection.execute(
            _queries.end_before, {"gateway_id": gateway_id, "id": group[0].first_id}
        ).scalar_one_or_none()
        for one, bound in zip(group, bounds([one.duration for one in group], after, began_at), strict=True):
            _learn(work, gateway_id, one.boot, Anchor(0, bound.began_at, bound.error_ms))
            work.outcome.counts["bounded"] += 1
        unbound = unbound[len(group) :]


def _measure(connection: Connection, gateway_id: int, boot: bytes) -> _Unbound:
    found = connection.execute(_queries.extent_of_boot, {"gateway_id": gateway_id, "boot": boot}).one()
    return _Unbound(boot, found.first_id, found.last_id, found.duration)


def _begin_after(connection: Connection, gateway_id: int, boot: _Unbound) -> tuple[int, int] | None:
    """The first later boot that has its place: the id of its first batch, and when its kernel started."""
    wanted = {"gateway_id": gateway_id, "first_id": boot.first_id, "last_id": boot.last_id}
    found = connection.execute(_queries.placed_after, wanted).first()
    if found is None:
        return None
    first_id: int = (
        connection.execute(_queries.extent_of_boot, {"gateway_id": gateway_id, "boot": found.boot}).one().first_id
    )
    return first_id, found.first_at - open_batch(found.payload).header.first_at


def _learn(work: Work, gateway_id: int, boot: bytes, anchor: Anchor) -> None:
    key = {"gateway_id": gateway_id, "boot": boot}
    work.connection.execute(
        _queries.insert_anchor, key | {"at_ms": anchor.at, "utc_ms": anchor.utc_ms, "error_ms": anchor.error_ms}
    )
    work.book.forget_anchor(gateway_id, boot)
    work.outcome.moved_boots[gateway_id, boot] = None
    waiting = work.book.waiting_boots(work.connection)
    if (gateway_id, boot) in waiting:
        waiting[gateway_id, boot] = True
    best = work.book.best_anchor(work.connection, gateway_id, boot)
    assert best is not None, "just written"
    used = work.connection.execute(_queries.offsets_of_boot, key).scalars().all()
    if any(offset_ms != best.offset_ms for offset_ms in used):
        wrong = {"offset_ms": best.offset_ms, "tolerance_ms": SURE_WITHIN_MS}
        if work.connection.execute(_queries.displace_boot, key | wrong).rowcount:
            waiting[gateway_id, boot] = True


def _is_better(anchor: Anchor, own_offset_ms: int, first_at: int) -> bool:
    """Learnt later in the same boot, and it says something else: the clock that the batch knew was wrong."""
    is_news = anchor.at >= first_at and anchor.error_ms <= SURE_WITHIN_MS
    return is_news and abs(anchor.offset_ms - own_offset_ms) > SURE_WITHIN_MS


def _base(anchor: Anchor) -> TimeBase:
    return TimeBase(anchor.offset_ms, anchor.error_ms > SURE_WITHIN_MS)
