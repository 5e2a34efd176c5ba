"""Entries get their place in UTC: at once where the boot's clock is known, else when an anchor comes."""

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Connection

from cloud.ingest import rows
from cloud.ingest.book import Gateway, PointMap
from cloud.ingest.rows import Column, TimeBase
from cloud.ingest.work import Work
from cloud.store.detail import pack_detail
from cloud.store.queries import load_queries
from cloud.store.readings import insert_readings
from wire.batch import Header, open_batch
from wire.body import Body, decode_body
from wire.entries import ClockAnchor, Gap

_queries = load_queries("cloud.ingest")

SURE_WITHIN_MS = 1000
"""An anchor with a larger error gives times that are marked as uncertain."""

RELEASED_AT_ONCE = 200
"""Batches that get their place in one transaction: a week without a clock must not hold up the others."""


class Placed(NamedTuple):
    """A batch with everything that its entries need to become rows."""

    gateway: Gateway
    batch_id: int
    boot: bytes
    points: PointMap
    base: TimeBase
    clock_id: int


def place(work: Work, gateway: Gateway, header: Header, *, batch_id: int, points: PointMap, base: TimeBase) -> Placed:
    clock_id = work.book.clock_id(work.connection, gateway, header.boot, base.offset_ms)
    return Placed(gateway, batch_id, header.boot, points, base, clock_id)


def learn_anchors(work: Work, gateway: Gateway, header: Header, body: Body) -> None:
    """Anchors of this batch; a batch that knows the time is one itself to those of its boot that wait."""
    waiting = work.book.waiting_boots(work.connection)
    anchors = list(body.anchors)
    if header.offset_ms is not None and waiting.get((gateway.id, header.boot)) is False:
        anchors.append(ClockAnchor(None, header.last_at, header.last_at + header.offset_ms, SURE_WITHIN_MS))
    for anchor in anchors:
        boot = anchor.boot or header.boot
        work.connection.execute(
            _queries.insert_anchor,
            {"gateway_id": gateway.id, "boot": boot, "at_ms": anchor.at}
            | {"utc_ms": anchor.utc_ms, "error_ms": anchor.error_ms},
        )
        if (gateway.id, boot) in waiting:
            waiting[gateway.id, boot] = True


def base_of_boot(connection: Connection, gateway: Gateway, header: Header) -> TimeBase | None:
    if header.offset_ms is not None:
        return TimeBase(header.offset_ms)
    return _anchored_base(connection, gateway, header.boot)


def store_body(work: Work, placed: Placed, body: Body) -> None:
    _store_readings(work, placed, body)
    _store_sightings(work, placed, body)
    _store_weighings(work, placed, body)
    for gap in body.gaps:
        _store_gap(work, placed, gap)


def release_waiting(work: Work) -> bool:
    """Places some of the batches that waited for an anchor which has come. True: there may be more."""
    waiting = work.book.waiting_boots(work.connection)
    boot_key = next((key for key, is_anchored in waiting.items() if is_anchored), None)
    if boot_key is None:
        return False
    found = work.connection.execute(
        _queries.waiting_batches, {"gateway_id": boot_key[0], "boot": boot_key[1], "most": RELEASED_AT_ONCE}
    ).all()
    gateway = work.book.gateway(work.connection, found[0].name) if found else None
    if gateway is None or len(found) < RELEASED_AT_ONCE:
        del waiting[boot_key]
    if gateway is not None:  # else its key was taken from the list since: nothing of it is shown
        for row in found:
            _release(work, gateway, row.id, row.payload)
    return True


def _release(work: Work, gateway: Gateway, batch_id: int, payload: bytes) -> None:
    batch = open_batch(payload)
    header = batch.header
    points = work.book.points(work.connection, gateway, header.points)
    base = _anchored_base(work.connection, gateway, header.boot)
    assert points is not None and base is not None, "taken with its point table, released by an anchor"
    work.connection.execute(
        _queries.place_batch,
        {"id": batch_id, "first_at": base.utc(header.first_at), "last_at": base.utc(header.last_at)},
    )
    body = decode_body(batch.body, header.first_at, header.entries)
    store_body(work, place(work, gateway, header, batch_id=batch_id, points=points, base=base), body)
    work.outcome.counts["released"] += 1


def _anchored_base(connection: Connection, gateway: Gateway, boot: bytes) -> TimeBase | None:
    anchor = connection.execute(_queries.best_anchor, {"gateway_id": gateway.id, "boot": boot}).first()
    if anchor is None:
        return None
    return TimeBase(anchor.utc_ms - anchor.at_ms, anchor.error_ms > SURE_WITHIN_MS)


def _store_readings(work: Work, placed: Placed, body: Body) -> None:
    connection, book, outcome = work
    if not body.series:
        return
    written = rows.columns(
        body.series,
        placed.points.series_ids,
        placed.base,
        outcome.horizon,
        lambda name: book.reason_id(connection, name),
    )
    total = sum(len(column.times) for column in written)
    new = insert_readings(connection, rows.reading_rows(written, placed.clock_id, placed.batch_id))
    outcome.counts["readings"] += new
    outcome.note_readings(written)
    if new < total:
        _note_collisions(work, placed, written, total - new)


def _note_collisions(work: Work, placed: Placed, written: list[Column], count: int) -> None:
    """The same reading again, from a gateway that began a new epoch, is fine; another value is a loss and is said."""
    work.outcome.counts["collided"] += count
    for column in written:
        differing = sorted(_differing(work.connection, column, placed.clock_id))
        if differing:
            _insert_gap(
                work,
                placed,
                reason="same_instant",
                span=(differing[0], differing[-1]),
                series_id=column.series_id,
                detail=f"{len(differing)} readings of instants that held another value already",
            )


def _differing(connection: Connection, column: Column, clock_id: int) -> Iterator[int]:
    found = connection.execute(
        _queries.readings_of_batch_instant,
        {"series_id": column.series_id, "clock_id": clock_id, "first": column.times[0], "last": column.times[-1]},
    )
    stored = {row.observed_at: (row.value, row.detail) for row in found}
    for at, value, detail in zip(column.times, column.values, column.details, strict=True):
        if stored[at] != (value, detail):
            yield at


def _store_sightings(work: Work, placed: Placed, body: Body) -> None:
    connection, _, outcome = work
    if not body.sightings:
        return
    for one in body.sightings:
        outcome.note_epc(one.epc, placed.base.utc(one.at))
    connection.execute(
        _queries.insert_sighting,
        [
            {
                "series_id": placed.points.series_ids[one.point],
                "epc": one.epc,
                "observed_at": placed.base.utc(one.at),
                "last_at": placed.base.utc(one.last_at),
                "reads": one.reads,
                "rssi_dbm": one.rssi_dbm,
                "antenna": one.antenna or 0,
                "clock_id": placed.clock_id,
                "batch_id": placed.batch_id,
            }
            for one in body.sightings
        ],
    )
    outcome.counts["sightings"] += len(body.sightings)


def _store_weighings(work: Work, placed: Placed, body: Body) -> None:
    connection, _, outcome = work
    for one in body.weighings:
        series_id = placed.points.series_ids[one.point]
        observed_at, value = placed.base.utc(one.at), one.mantissa / 10**one.decimals
        connection.execute(
            _queries.insert_weighing,
            {
                "series_id": series_id,
                "observed_at": observed_at,
                "clock_id": placed.clock_id,
                "value": value,
                "decimals": one.decimals,
                "unit": one.unit,
                "mode": one.mode,
                "stable_derived": int(one.is_stability_derived),
                "batch_id": placed.batch_id,
            },
        )
        outcome.note_newest(series_id, observed_at, value, pack_detail(one.decimals))
    outcome.counts["weighings"] += len(body.weighings)


def _store_gap(work: Work, placed: Placed, gap: Gap) -> None:
    begin = placed.base if gap.from_boot in {None, placed.boot} else _known_base(work.connection, placed, gap.from_boot)
    from_at = None if gap.from_at is None or begin is None else begin.utc(gap.from_at)
    until_at = None if gap.until_at is None else placed.base.utc(gap.until_at)
    for point in (None,) if gap.points is None else gap.points:
        series_id = None if point is None else placed.points.series_ids[point]
        if not _close_gap(work.connection, placed, gap, (from_at, until_at), series_id):
            _insert_gap(
                work,
                placed,
                reason=gap.reason,
                span=(from_at, until_at),
                series_id=series_id,
                detail=gap.detail,
            )


def _known_base(connection: Connection, placed: Placed, boot: bytes | None) -> TimeBase | None:
    assert boot is not None
    anchored = _anchored_base(connection, placed.gateway, boot)
    if anchored is not None:
        return anchored
    offset_ms = connection.execute(
        _queries.last_offset_of_boot, {"gateway_id": placed.gateway.id, "boot": boot}
    ).scalar_one_or_none()
    return None if offset_ms is None else TimeBase(offset_ms)


def _close_gap(
    connection: Connection, placed: Placed, gap: Gap, span: tuple[int | None, int | None], series_id: int | None
) -> bool:
    """A gap that was told while it was open comes a second time with its end."""
    from_at, until_at = span
    if from_at is None or until_at is None:
        return False
    closed = connection.execute(
        _queries.close_gap,
        {"gateway_id": placed.gateway.id, "reason": gap.reason, "from_at": from_at, "until_at": until_at}
        | {"series_id": series_id, "detail": gap.detail},
    )
    return closed.rowcount > 0


def _insert_gap(
    work: Work,
    placed: Placed,
    *,
    reason: str,
    span: tuple[int | None, int | None],
    series_id: int | None,
    detail: str,
) -> None:
    work.connection.execute(
        _queries.insert_gap,
        {"gateway_id": placed.gateway.id, "reason": reason, "from_at": span[0], "until_at": span[1]}
        | {"series_id": series_id, "detail": detail, "batch_id": placed.batch_id},
    )
    work.outcome.counts["gaps"] += 1
