"""Entries get their place in UTC: at once where the boot's clock is known, else when an anchor comes."""

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Connection

from cloud.ingest import rows
from cloud.ingest.book import Gateway, PointMap
from cloud.ingest.gaps import close_gap, store_gap
from cloud.ingest.moments import Moment, base_of_batch
from cloud.ingest.outcome import Span
from cloud.ingest.rows import Column, TimeBase
from cloud.ingest.work import Work
from cloud.store.detail import pack_detail
from cloud.store.queries import load_queries
from cloud.store.readings import insert_readings
from wire.batch import Header, open_batch
from wire.body import Body, decode_body
from wire.entries import Gap, Sighting

_queries = load_queries("cloud.ingest")

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


def store_body(work: Work, placed: Placed, body: Body) -> None:
    work.outcome.placed_boots[placed.gateway.id, placed.boot] = None
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
            _release(work, gateway, row.id, row.payload, row.first_at)
    return True


def _release(work: Work, gateway: Gateway, batch_id: int, payload: bytes, placed_at: int | None) -> None:
    """`placed_at`: where its beginning was placed before, by a clock that was found to be wrong."""
    batch = open_batch(payload)
    header = batch.header
    points = work.book.points(work.connection, gateway, header.points)
    base = base_of_batch(work, gateway, header)
    assert points is not None and base is not None, "taken with its point table, released by an anchor"
    work.connection.execute(
        _queries.place_batch,
        {"id": batch_id, "first_at": base.utc(header.first_at), "last_at": base.utc(header.last_at)},
    )
    if placed_at == base.utc(header.first_at):
        return
    body = decode_body(batch.body, header.first_at, header.entries)
    if placed_at is not None:
        wrong = TimeBase(placed_at - header.first_at)
        take_back(work, place(work, gateway, header, batch_id=batch_id, points=points, base=wrong), body)
    store_body(work, place(work, gateway, header, batch_id=batch_id, points=points, base=base), body)
    work.outcome.counts["released"] += 1


def take_back(work: Work, placed: Placed, body: Body) -> None:
    """Everything that `store_body` wrote of this batch with that clock; what hangs on it is computed again."""
    own = {"clock_id": placed.clock_id, "batch_id": placed.batch_id, "gateway_id": placed.gateway.id}
    for one in body.series:
        series_id, utc = placed.points.series_ids[one.point], placed.base.utc
        span = {"series_id": series_id, "first": utc(one.times[0]), "last": utc(one.times[-1])}
        work.connection.execute(_queries.take_back_readings, own | span)
        _find_latest(work, span)
        work.outcome.spans.append(Span(**span))
    for seen in body.sightings:
        work.outcome.note_epc(seen.epc, placed.base.utc(seen.at))
        work.connection.execute(_queries.take_back_sighting, own | _sighting_key(placed, seen))
    for weighed in body.weighings:
        at, series_id = placed.base.utc(weighed.at), placed.points.series_ids[weighed.point]
        work.connection.execute(_queries.take_back_weighing, own | {"series_id": series_id, "observed_at": at})
        work.connection.execute(_queries.forget_latest, {"series_id": series_id, "first": at, "last": at})
    work.connection.execute(_queries.take_back_gap_ends, own)
    work.connection.execute(_queries.take_back_gaps, own)


def _find_latest(work: Work, span: dict[str, int]) -> None:
    if work.connection.execute(_queries.forget_latest, span).rowcount:
        at_most = {"horizon": work.outcome.horizon, "now": work.outcome.now}
        work.connection.execute(_queries.find_latest, at_most | {"series_id": span["series_id"]})


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
            store_gap(
                work,
                placed.gateway.id,
                "same_instant",
                differing[0],
                differing[-1],
                series_id=column.series_id,
                detail=f"{len(differing)} readings of instants that held another value already",
                batch_id=placed.batch_id,
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
            _sighting_key(placed, one)
            | {"reads": one.reads, "rssi_dbm": one.rssi_dbm}
            | {"clock_id": placed.clock_id, "batch_id": placed.batch_id}
            for one in body.sightings
        ],
    )
    outcome.counts["sightings"] += len(body.sightings)


def _sighting_key(placed: Placed, one: Sighting) -> dict[str, str | int]:
    return {
        "series_id": placed.points.series_ids[one.point],
        "epc": one.epc,
        "antenna": one.antenna or 0,
        "observed_at": placed.base.utc(one.at),
        "last_at": placed.base.utc(one.last_at),
    }


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
    begin = None if gap.from_at is None else Moment(gap.from_boot or placed.boot, gap.from_at)
    until = None if gap.until_at is None else Moment(placed.boot, gap.until_at)
    for point in (None,) if gap.points is None else gap.points:
        series_id = None if point is None else placed.points.series_ids[point]
        if not close_gap(work, placed.gateway.id, gap.reason, begin, until, detail=gap.detail, series_id=series_id):
            store_gap(
                work,
                placed.gateway.id,
                gap.reason,
                begin,
                until,
                detail=gap.detail,
                series_id=series_id,
                batch_id=placed.batch_id,
                own_boot=placed.boot,
            )
