"""One transaction: flights of several gateways in, all or nothing.

hello, points, batches -> readings, sightings, weighings, gaps, anchors
                       -> boots bounded, ends of gaps, latest, work lists, cursors
                       -> commit -> acknowledge (worker.py)
"""

from collections.abc import Iterable

from sqlalchemy import Connection

from cloud.ingest.book import Book
from cloud.ingest.cursors import write_cursors
from cloud.ingest.delivery import take_flight
from cloud.ingest.flight import Flight
from cloud.ingest.gaps import settle_ends
from cloud.ingest.greeting import take_hello, take_points
from cloud.ingest.moments import bound_waiting
from cloud.ingest.outcome import Outcome
from cloud.ingest.placing import release_waiting
from cloud.ingest.work import Work
from cloud.ingest.worklists import mark_carriers, mark_zones
from cloud.store.readings import upsert_latest
from wire.topics import Lane

_TAKERS = {Lane.HELLO: take_hello, Lane.POINTS: take_points, Lane.BATCH: take_flight}


def take(connection: Connection, flights: Iterable[Flight], book: Book, now: int) -> Outcome:
    work = Work(connection, book, Outcome(now))
    for flight in flights:
        _TAKERS[flight.lane](work, flight)
    return _finish(work)


def place_waiting(connection: Connection, book: Book, now: int) -> tuple[Outcome, bool]:
    """Batches of boots whose clock has become known meanwhile; True: come again, there may be more."""
    work = Work(connection, book, Outcome(now))
    is_more = release_waiting(work)
    return _finish(work), is_more


def _finish(work: Work) -> Outcome:
    bound_waiting(work)
    settle_ends(work)
    upsert_latest(work.connection, work.outcome.newest.values())
    mark_zones(work)
    mark_carriers(work)
    write_cursors(work)
    return work.outcome
