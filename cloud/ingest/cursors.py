"""How far each gateway is committed; within a transaction read once and written once."""

from cloud.ingest.book import Gateway
from cloud.ingest.verdict import Cursor
from cloud.ingest.work import Work
from cloud.store.queries import load_queries

_queries = load_queries("cloud.ingest")


def cursor_of(work: Work, gateway: Gateway, epoch: bytes) -> Cursor:
    connection, _, outcome = work
    key = (gateway.id, epoch)
    if key not in outcome.cursors:
        found = connection.execute(_queries.cursor, {"gateway_id": gateway.id, "epoch": epoch}).first()
        outcome.cursors[key] = Cursor() if found is None else Cursor(found.through, found.hash)
    return outcome.cursors[key]


def current_epoch(work: Work, gateway: Gateway) -> bytes | None:
    """The epoch the gateway last spoke of; None when it has not said any."""
    spoken = [epoch for gateway_id, epoch in work.outcome.touched if gateway_id == gateway.id]
    if spoken:
        return spoken[-1]
    epoch: bytes | None = work.connection.execute(
        _queries.current_epoch, {"gateway_id": gateway.id}
    ).scalar_one_or_none()
    return epoch


def write_cursors(work: Work) -> None:
    connection, _, outcome = work
    for gateway_id, epoch in outcome.touched:
        cursor = outcome.cursors[gateway_id, epoch]
        connection.execute(
            _queries.move_cursor,
            {"gateway_id": gateway_id, "epoch": epoch, "through": cursor.through}
            | {"hash": cursor.hash, "now": outcome.now},
        )
    for gateway_id, flight in outcome.heard.items():
        connection.execute(
            _queries.see_gateway, {"gateway_id": gateway_id, "shard": flight.topic.shard, "now": outcome.now}
        )
