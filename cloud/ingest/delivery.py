"""A flight of batches: each is judged, checked and taken, until one cannot follow."""

from typing import NamedTuple

from cloud.ingest.book import Gateway, PointMap
from cloud.ingest.cursors import current_epoch, cursor_of
from cloud.ingest.flight import Flight
from cloud.ingest.gaps import close_losses, store_gap
from cloud.ingest.moments import Moment, base_of_batch, learn_anchors
from cloud.ingest.outcome import Evidence
from cloud.ingest.placing import place, store_body
from cloud.ingest.quarantine import quarantine
from cloud.ingest.rows import TimeBase
from cloud.ingest.twins import watch_for_twins
from cloud.ingest.verdict import Cursor, Verdict, judge
from cloud.ingest.work import Work
from cloud.store.queries import load_queries
from wire.batch import SealedBatch, split_flight
from wire.body import Body, decode_body
from wire.errors import BadSignature, MalformedBody

_queries = load_queries("cloud.ingest")


class _Delivery(NamedTuple):
    """One batch of a flight, and who its topic says it is from."""

    flight: Flight
    gateway: Gateway
    batch: SealedBatch


def take_flight(work: Work, flight: Flight) -> None:
    """Answered with what is committed after it; what is forged or spoilt goes to quarantine."""
    gateway = work.book.gateway(work.connection, flight.gateway)
    if gateway is None:
        _refuse_unknown(work, flight)
        return
    batches, unreadable = split_flight(flight.payload)
    quarantined_before = work.outcome.counts["quarantined"]
    for batch in batches:
        if not _take(work, _Delivery(flight, gateway, batch)):
            break
    if work.outcome.counts["quarantined"] > quarantined_before:
        return  # a spoilt length makes two of one: it is counted once
    if unreadable and quarantine(work, flight, flight.payload, unreadable.reason):
        _repeat_cursor(work, gateway, flight)


def _take(work: Work, delivery: _Delivery) -> bool:
    """False: what comes behind this batch cannot be taken either."""
    flight, gateway, batch = delivery
    header, outcome = batch.header, work.outcome
    if header.gateway != gateway.name:
        quarantine(work, flight, batch.data, "wrong_gateway")
        return True
    cursor = cursor_of(work, gateway, header.epoch)
    verdict = judge(batch, cursor, _stored_hash(work, delivery, cursor))
    if verdict is not Verdict.REPEATED and not _is_signed(delivery):
        return _refuse(work, delivery, "bad_signature")
    outcome.heard[gateway.id] = flight
    if verdict in {Verdict.CONFLICT, Verdict.CHAIN_BROKEN}:
        outcome.counts["conflicts"] += 1
        return _refuse(work, delivery, verdict.value)
    outcome.answer(flight, gateway, header.epoch)
    if verdict is Verdict.REPEATED:
        outcome.counts["repeated"] += 1
        return True
    if verdict is Verdict.HOLE:
        outcome.counts["holes"] += 1
        return False
    points = work.book.points(work.connection, gateway, header.points)
    if points is None:
        outcome.counts["points_wanted"] += 1
        outcome.answer(flight, gateway, header.epoch, want_points=header.points)
        return False
    _commit(work, delivery, points, cursor)
    watch_for_twins(work, flight, gateway, batch)
    return True


def _stored_hash(work: Work, delivery: _Delivery, cursor: Cursor) -> bytes | None:
    header = delivery.batch.header
    if header.seq > cursor.through:
        return None
    if header.seq == cursor.through and cursor.hash is not None:
        return cursor.hash
    found: bytes | None = work.connection.execute(
        _queries.stored_hash, {"gateway_id": delivery.gateway.id, "epoch": header.epoch, "seq": header.seq}
    ).scalar_one_or_none()
    return found


def _is_signed(delivery: _Delivery) -> bool:
    try:
        delivery.gateway.key.verify(delivery.batch.signed, delivery.batch.signature)
    except BadSignature:
        return False
    return True


def _refuse(work: Work, delivery: _Delivery, reason: str) -> bool:
    """The first time it is answered, so that a batch spoilt on the way comes again at once; then its sender waits."""
    flight, gateway, batch = delivery
    if quarantine(work, flight, batch.data, reason):
        _repeat_cursor(work, gateway, flight)
    return False


def _repeat_cursor(work: Work, gateway: Gateway, flight: Flight) -> None:
    """For bytes that cannot be believed, so neither can the epoch that they name."""
    epoch = current_epoch(work, gateway)
    if epoch is not None:
        cursor_of(work, gateway, epoch)
        work.outcome.answer(flight, gateway, epoch)


def _refuse_unknown(work: Work, flight: Flight) -> None:
    """Not evidence: a gateway whose hello was lost, or a database that was made anew. It says hello again."""
    work.outcome.counts["refused"] += 1
    if work.book.refusals.is_new(flight.gateway.encode()):
        work.outcome.evidence.append(Evidence(flight.gateway, "unknown_gateway", f"batches on {flight.topic}"))


def _commit(work: Work, delivery: _Delivery, points: PointMap, cursor: Cursor) -> None:
    """A batch that its gateway signed moves the cursor whatever is in it: it would never become another."""
    _, gateway, batch = delivery
    try:
        body = _read_body(work, batch, points)
    except MalformedBody as error:
        _commit_unreadable(work, delivery, error.reason)
    else:
        _commit_body(work, delivery, points, body)
    if cursor.through and cursor.hash is None:
        close_losses(work, gateway.id, Moment(batch.header.boot, batch.header.first_at))
    work.outcome.move(gateway, batch.header.epoch, Cursor(batch.header.seq, batch.hash))


def _read_body(work: Work, batch: SealedBatch, points: PointMap) -> Body:
    if batch.hash in work.book.condemned:
        raise MalformedBody("not_storable")
    body = decode_body(batch.body, batch.header.first_at, batch.header.entries)
    used = [one.point for group in (body.series, body.sightings, body.weighings) for one in group]
    used += [point for gap in body.gaps for point in gap.points or ()]
    if used and max(used) >= len(points.series_ids):
        raise MalformedBody("unknown_point", str(max(used)))
    return body


def _commit_body(work: Work, delivery: _Delivery, points: PointMap, body: Body) -> None:
    _, gateway, batch = delivery
    learn_anchors(work, gateway, batch.header, body)
    base = base_of_batch(work, gateway, batch.header)
    batch_id = _insert_batch(work, delivery, base)
    work.outcome.counts["batches"] += 1
    if base is not None:
        store_body(work, place(work, gateway, batch.header, batch_id=batch_id, points=points, base=base), body)
        return
    work.outcome.counts["waiting"] += 1
    work.book.waiting_boots(work.connection).setdefault((gateway.id, batch.header.boot), False)


def _commit_unreadable(work: Work, delivery: _Delivery, reason: str) -> None:
    flight, gateway, batch = delivery
    header = batch.header
    quarantine(work, flight, batch.data, reason)
    store_gap(
        work,
        gateway.id,
        "quarantined",
        Moment(header.boot, header.first_at) if header.offset_ms is None else header.first_at + header.offset_ms,
        Moment(header.boot, header.last_at) if header.offset_ms is None else header.last_at + header.offset_ms,
        detail=f"batch {header.seq} of epoch {header.epoch.hex()}: {reason}, {header.entries} entries",
    )


def _insert_batch(work: Work, delivery: _Delivery, base: TimeBase | None) -> int:
    _, gateway, batch = delivery
    header = batch.header
    batch_id: int = work.connection.execute(
        _queries.insert_batch,
        {
            "gateway_id": gateway.id,
            "epoch": header.epoch,
            "seq": header.seq,
            "hash": batch.hash,
            "boot": header.boot,
            "boot_last_at": header.last_at,
            "offset_ms": header.offset_ms,
            "entries": header.entries,
            "first_at": base and base.utc(header.first_at),
            "last_at": base and base.utc(header.last_at),
            "received_at": work.outcome.now,
            "anchored": int(base is not None),
            "payload": batch.data,
        },
    ).scalar_one()
    return batch_id
