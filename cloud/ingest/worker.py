"""The ingest's own thread: collect, one transaction, acknowledge, tell.

    handover -> take (one commit for several gateways) -> acknowledgements -> listeners

While a transaction is on its way to the disk the next flights gather; so the groups grow with the load by
themselves and a lone flight never waits for company.
"""

import logging
import threading
from collections.abc import Callable, Iterable
from typing import NamedTuple

from cloud.errors import StoreUnavailableError
from cloud.ingest import failpoint
from cloud.ingest.book import Book
from cloud.ingest.flight import Flight
from cloud.ingest.handover import Handover
from cloud.ingest.outcome import Outcome
from cloud.ingest.stats import IngestStats
from cloud.ingest.transaction import place_waiting, take
from cloud.live import LiveValue
from cloud.store.detail import exact_text, quality_of, reason_id_of
from cloud.store.engine import Store
from cloud.store.queries import load_queries
from wire.batch import split_flight
from wire.messages import Ack
from wire.topics import Lane, Topic

log = logging.getLogger(__name__)

_queries = load_queries("cloud.ingest")

GROUP_FLIGHTS = 64
GROUP_BYTES = 8 << 20
MAX_BACKOFF_S = 10.0
_IDLE_S = 1.0
_GREETED_ON_CONNECT = 100  # as many as the link takes at once; the others ask after their time-out
_LATELY_MS = 3_600_000


class Committed(NamedTuple):
    """What a transaction changed; it is on the disk when anyone hears of it."""

    gateways: frozenset[str]
    series: dict[int, tuple[int, int]]  # series id -> first and last observed_at
    newest: tuple[LiveValue, ...]  # per point, of what just came: perhaps late


Acknowledge = Callable[[Topic, Ack], bool]
Listener = Callable[[Committed], None]


class Worker:
    """Owns the book and is the only one that takes flights. `run` is the thread's whole life."""

    def __init__(
        self,
        store: Store,
        handover: Handover,
        book: Book,
        stats: IngestStats,
        *,
        now_ms: Callable[[], int],
        acknowledge: Acknowledge,
        on_committed: Listener,
    ) -> None:
        self._store, self._handover, self._book, self.stats = store, handover, book, stats
        self._now_ms, self._acknowledge, self._on_committed = now_ms, acknowledge, on_committed
        self._stopping = threading.Event()
        self._greeting_due = threading.Event()
        self._is_failing = False

    def run(self) -> None:
        while not self._stopping.is_set():
            self.turn(self._handover.collect(GROUP_FLIGHTS, GROUP_BYTES, _IDLE_S))

    def turn(self, flights: list[Flight]) -> None:
        """What one collection leads to; waits for nothing but the database."""
        self._note_queue()
        if flights:
            self._persist(lambda: self._take(flights))
        if self._greeting_due.is_set():
            self._greeting_due.clear()
            self._persist(self._greet_all)
        self._persist(self._place_waiting)

    def stop(self) -> None:
        """What is in hand is finished or left to be sent again; a wait for the database ends at once."""
        self._stopping.set()
        self._handover.close()

    def greet_gateways(self) -> None:
        """From any thread: tell the gateways where they stand, so that none waits for its time-out."""
        self._greeting_due.set()

    def _persist(self, step: Callable[[], None]) -> None:
        """Until the database takes it: nothing is acknowledged meanwhile, and the handover pushes back."""
        backoff_s = 0.25
        while not self._stopping.is_set():
            try:
                step()
            except StoreUnavailableError as error:
                self._note_failure(error)
                self._stopping.wait(backoff_s)
                backoff_s = min(backoff_s * 2, MAX_BACKOFF_S)
            except Exception as error:  # this thread must not die: it is the only one that commits
                self._note_failure(error)
                log.exception("a step of the ingest failed and is left out")
                return
            else:
                self._note_recovery()
                return

    def _take(self, flights: list[Flight]) -> None:
        try:
            outcome = self._commit(flights)
        except StoreUnavailableError:
            raise
        except Exception:  # one of them is poison; alone it harms nobody
            log.exception("%d flights were not taken together, they are tried one by one", len(flights))
            for flight in flights:
                self._take_alone(flight)
        else:
            self._announce(outcome)

    def _take_alone(self, flight: Flight) -> None:
        for piece in _pieces(flight):
            try:
                outcome = self._commit([piece])
            except StoreUnavailableError:
                raise
            except Exception:  # it goes to quarantine; what is not a batch is dropped, its sender repeats it
                log.exception("a message on %s cannot be stored", flight.topic)
                if flight.lane is not Lane.BATCH:
                    continue
                self._book.condemned.update(batch.hash for batch in split_flight(piece.payload)[0])
                outcome = self._commit([piece])
            self._announce(outcome)

    def _commit(self, flights: list[Flight]) -> Outcome:
        try:
            with self._store.write() as connection:
                outcome = take(connection, flights, self._book, self._now_ms())
                failpoint.reached("ingest.before_commit")
        except BaseException:
            self._book.forget()
            raise
        failpoint.reached("ingest.after_commit")
        return outcome

    def _place_waiting(self) -> None:
        is_more = self._book.is_release_due
        while is_more and not self._handover.depth:
            try:
                with self._store.write() as connection:
                    outcome, is_more = place_waiting(connection, self._book, self._now_ms())
            except BaseException:
                self._book.forget()
                raise
            self._announce(outcome)

    def _greet_all(self) -> None:
        with self._store.read() as connection:
            found = connection.execute(
                _queries.recent_cursors, {"since": self._now_ms() - _LATELY_MS, "most": _GREETED_ON_CONNECT}
            ).all()
        for row in found:
            self._answer(Topic(row.shard, row.name, Lane.ACK), Ack(row.epoch, row.through, row.hash))

    def _announce(self, outcome: Outcome) -> None:
        """The commit is on the disk: only now does anyone hear of it."""
        self.stats.commits += 1
        self.stats.add(outcome.counts)
        self.stats.last_commit_at = outcome.now
        for flight, ack in outcome.acknowledgements():
            self._answer(flight.topic._replace(lane=Lane.ACK), ack)
        for evidence in outcome.evidence:
            log.warning("%s: %s: %s", evidence.gateway, evidence.reason, evidence.detail)
        if outcome.spans or outcome.epcs or outcome.heard:
            self._tell(self._committed(outcome))

    def _tell(self, committed: Committed) -> None:
        try:
            self._on_committed(committed)
        except Exception:  # a listener's fault must not look like one of the database
            log.exception("a listener could not be told of what was committed")

    def _answer(self, topic: Topic, ack: Ack) -> None:
        if not self._acknowledge(topic, ack):
            self.stats.unanswered += 1

    def _committed(self, outcome: Outcome) -> Committed:
        series: dict[int, tuple[int, int]] = {}
        for series_id, first, last in outcome.spans:
            known = series.get(series_id, (first, last))
            series[series_id] = (min(first, known[0]), max(last, known[1]))
        gateways = frozenset(flight.gateway for flight in outcome.heard.values())
        return Committed(gateways, series, tuple(self._newest(outcome)))

    def _newest(self, outcome: Outcome) -> Iterable[LiveValue]:
        reasons = self._book.reason_names()
        for series_id, observed_at, value, detail, _ in outcome.newest.values():
            yield LiveValue(
                point=self._book.series_names[series_id],
                observed_at=observed_at,
                value=exact_text(value, detail),
                unit=self._book.series_units[series_id],
                quality=quality_of(detail).name.lower(),
                reason=reasons.get(reason_id_of(detail)),
            )

    def _note_queue(self) -> None:
        self.stats.queue_depth = self._handover.depth
        self.stats.queue_bytes = self._handover.bytes_waiting

    def _note_failure(self, error: Exception) -> None:
        self.stats.failures += 1
        self.stats.last_error, self.stats.last_error_at = str(error), self._now_ms()
        if not self._is_failing:
            log.error("the database does not take what came; nothing is acknowledged until it does: %s", error)
        self._is_failing = True

    def _note_recovery(self) -> None:
        if self._is_failing:
            log.info("the database takes what comes again")
        self._is_failing = False


def _pieces(flight: Flight) -> list[Flight]:
    """Each batch as a flight of its own; anything else, and an unreadable rest, stays as it came."""
    if flight.lane is not Lane.BATCH:
        return [flight]
    batches, unreadable = split_flight(flight.payload)
    pieces = [flight._replace(payload=batch.data) for batch in batches]
    return [*pieces, flight] if unreadable else pieces
