"""What a gateway says beside its batches: who it is and where it stands (hello), what its numbers mean (points)."""

from cloud.ingest.book import Gateway
from cloud.ingest.cursors import current_epoch, cursor_of
from cloud.ingest.flight import Flight
from cloud.ingest.gaps import store_gap
from cloud.ingest.moments import Moment
from cloud.ingest.outcome import Evidence
from cloud.ingest.quarantine import quarantine
from cloud.ingest.verdict import Cursor
from cloud.ingest.work import Work
from cloud.store.queries import load_queries
from wire.batch import open_batch
from wire.errors import MalformedMessage
from wire.messages import UNKNOWN_HASH, Gone, Hello, read_hello
from wire.points import read_point_table

_queries = load_queries("cloud.ingest")

MOST_GATEWAYS = 10_000  # with open enrolment anyone may say hello
MOST_POINT_TABLES = 1000


def take_hello(work: Work, flight: Flight) -> None:
    """Answered with the cursor of the epoch it names, and with a wish for the point table if that is unknown."""
    outcome = work.outcome
    try:
        hello = read_hello(flight.payload)
        gateway = _admit(work, flight, hello)
    except (MalformedMessage, ValueError) as error:  # ValueError: 32 bytes that are no Ed25519 key
        quarantine(work, flight, flight.payload, getattr(error, "reason", "bad_key"))
        return
    if gateway is None:
        return
    outcome.counts["hellos"] += 1
    outcome.heard[gateway.id] = flight
    cursor = cursor_of(work, gateway, hello.epoch)
    lost = lost_after(hello, cursor)
    if lost is not None:
        cursor = _declare_lost(work, gateway, hello, lost)
    outcome.move(gateway, hello.epoch, cursor)
    is_known = work.book.points(work.connection, gateway, hello.points) is not None
    outcome.answer(
        flight,
        gateway,
        hello.epoch,
        want_points=None if is_known else hello.points,
        known=_known_hash(work, gateway, hello) if cursor.through >= hello.next else None,
    )


def _known_hash(work: Work, gateway: Gateway, hello: Hello) -> bytes:
    """By it a gateway with an old card, or whose cloud was restored, learns whether the two parted even earlier."""
    found: bytes | None = work.connection.execute(
        _queries.stored_hash, {"gateway_id": gateway.id, "epoch": hello.epoch, "seq": hello.next - 1}
    ).scalar_one_or_none()
    return found or UNKNOWN_HASH


def take_points(work: Work, flight: Flight) -> None:
    """Stored by digest; it means something only to batches that are signed and name that digest."""
    connection, book, outcome = work
    gateway = book.gateway(connection, flight.gateway)
    if gateway is None:
        outcome.counts["refused"] += 1
        return
    try:
        table = read_point_table(flight.payload)
    except MalformedMessage as error:
        quarantine(work, flight, flight.payload, error.reason)
        return
    if connection.execute(_queries.count_point_tables, {"gateway_id": gateway.id}).scalar_one() < MOST_POINT_TABLES:
        connection.execute(
            _queries.insert_point_table,
            {"gateway_id": gateway.id, "digest": table.digest, "body": table.data.decode()},
        )
    epoch = current_epoch(work, gateway)
    if epoch is not None:
        cursor_of(work, gateway, epoch)
        outcome.answer(flight, gateway, epoch)


def _admit(work: Work, flight: Flight, hello: Hello) -> Gateway | None:
    connection, book, outcome = work
    known = book.gateway(connection, flight.gateway)
    if known is not None and known.public_key == hello.key:
        return known
    if book.listed is not None:
        is_listed = book.listed.get(flight.gateway) == hello.key
    else:
        is_listed = known is None and connection.execute(_queries.count_gateways).scalar_one() < MOST_GATEWAYS
    if is_listed:
        return book.enrol(connection, flight.gateway, flight.topic.shard, hello.key, outcome.now)
    if known is not None:
        quarantine(work, flight, flight.payload, "other_key")
    elif book.refusals.is_new(flight.gateway.encode()):
        outcome.evidence.append(Evidence(flight.gateway, "not_enrolled", f"hello on {flight.topic}"))
    outcome.counts["refused"] += 1
    return None


def lost_after(hello: Hello, cursor: Cursor) -> Gone | None:
    """Pure: what can never follow the cursor. A claim about other batches than the next one is old, or not for us."""
    following = cursor.through + 1
    if hello.gone is not None and hello.gone.first <= following <= hello.gone.last:
        return Gone(following, max(hello.gone.last, hello.oldest - 1), hello.gone.reason)
    return Gone(following, hello.oldest - 1, "not_kept") if hello.oldest > following else None


def _declare_lost(work: Work, gateway: Gateway, hello: Hello, lost: Gone) -> Cursor:
    """The gateway no longer has what comes next here: that is said as a gap, and the rest goes on."""
    batches = f"batches {lost.first} to {lost.last}"
    before = work.connection.execute(
        _queries.last_batch_before, {"gateway_id": gateway.id, "epoch": hello.epoch, "seq": lost.first - 1}
    ).scalar_one_or_none()
    begin = None if before is None else _end_of(before)
    store_gap(work, gateway.id, lost.reason, begin, None, detail=f"{batches} of epoch {hello.epoch.hex()}")
    work.outcome.evidence.append(Evidence(gateway.name, lost.reason, batches))
    return Cursor(lost.last, None)


def _end_of(payload: bytes) -> Moment:
    header = open_batch(payload).header
    return Moment(header.boot, header.last_at)
