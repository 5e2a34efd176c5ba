"""Two gateways with one card: an epoch that goes on after another has begun.

    epoch E    1 2 3 4 5 ............ 6 7    <- measured after F began: E has not ended, so there are two who speak
    epoch F            1 2 3 ...

A gateway that begins a new epoch seals everything from then on in it, and again what was not heard. So nothing of an
earlier epoch is measured later than the first batch of a later one, whatever is restored or delivered late.
"""

from collections.abc import Iterable

from cloud.ingest.book import Beginning, Gateway
from cloud.ingest.flight import Flight
from cloud.ingest.quarantine import quarantine
from cloud.ingest.work import Work
from cloud.store.queries import load_queries
from wire.batch import SealedBatch

_queries = load_queries("cloud.ingest")

SLACK_MS = 5000
"""A clock that was corrected a little between two epochs is no second gateway."""


def watch_for_twins(work: Work, flight: Flight, gateway: Gateway, batch: SealedBatch) -> None:
    """After a batch was taken: it is good, and it may be evidence. Said once for each epoch that goes on."""
    header = batch.header
    if header.offset_ms is None:
        return
    begun = _beginnings(work, gateway, header.epoch)
    if len(begun) < 2:
        return
    others = [one for epoch, one in begun.items() if epoch != header.epoch]
    if has_gone_on(header.last_at + header.offset_ms, begun[header.epoch], others) and work.book.refusals.is_new(
        gateway.name.encode() + header.epoch
    ):
        work.outcome.counts["conflicts"] += 1
        quarantine(work, flight, batch.data, "two_histories")


def has_gone_on(last_at: int, own: Beginning, others: Iterable[Beginning]) -> bool:
    """Pure. Whether an epoch has a batch that ends at `last_at` although a later epoch had begun before."""
    return any(
        other.batch_id > own.batch_id and other.first_at is not None and other.first_at + SLACK_MS < last_at
        for other in others
    )


def _beginnings(work: Work, gateway: Gateway, epoch: bytes) -> dict[bytes, Beginning]:
    """By epoch; read when a batch of an epoch comes for the first time, which is when there may be a new one."""
    known = work.book.beginnings.get(gateway.id, {})
    if epoch not in known:
        spoken = set(work.connection.execute(_queries.epochs, {"gateway_id": gateway.id}).scalars()) | {epoch}
        found = {one: _first_batch(work, gateway, one) for one in spoken}
        known = work.book.beginnings[gateway.id] = {one: first for one, first in found.items() if first is not None}
    return known


def _first_batch(work: Work, gateway: Gateway, epoch: bytes) -> Beginning | None:
    found = work.connection.execute(_queries.first_batch, {"gateway_id": gateway.id, "epoch": epoch}).first()
    return None if found is None else Beginning(found.id, found.first_at)
