"""What one transaction did: gathered while it runs, told to others only after its commit."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from cloud.ingest.book import Gateway
from cloud.ingest.flight import Flight
from cloud.ingest.rows import Column, newest_index
from cloud.ingest.verdict import Cursor
from cloud.store.readings import LatestRow
from wire.messages import Ack

FURTHEST_AHEAD_MS = 120_000
"""Readings dated further ahead are kept, flagged and not used for "latest" (delivery protocol, Time)."""


class Span(NamedTuple):
    """Readings of a series came for this time, both ends included."""

    series_id: int
    first: int
    last: int


class Evidence(NamedTuple):
    """Something that a person should look at."""

    gateway: str
    reason: str
    detail: str


class Answer(NamedTuple):
    flight: Flight
    gateway_id: int
    epoch: bytes
    want_points: bytes | None
    known: bytes | None


@dataclass(slots=True)
class Outcome:
    now: int
    counts: Counter[str] = field(default_factory=Counter)
    cursors: dict[tuple[int, bytes], Cursor] = field(default_factory=dict)
    touched: dict[tuple[int, bytes], None] = field(default_factory=dict)  # cursors to be written, in the order spoken
    heard: dict[int, Flight] = field(default_factory=dict)  # gateways that proved who they are
    answers: dict[str, Answer] = field(default_factory=dict)
    placed_boots: dict[tuple[int, bytes], None] = field(default_factory=dict)
    moved_boots: dict[tuple[int, bytes], None] = field(default_factory=dict)  # their time is known better now
    spans: list[Span] = field(default_factory=list)
    newest: dict[int, LatestRow] = field(default_factory=dict)
    epcs: dict[str, int] = field(default_factory=dict)
    evidence: list[Evidence] = field(default_factory=list)

    @property
    def horizon(self) -> int:
        return self.now + FURTHEST_AHEAD_MS

    def move(self, gateway: Gateway, epoch: bytes, cursor: Cursor) -> None:
        self.cursors[gateway.id, epoch] = cursor
        self.touched.pop((gateway.id, epoch), None)
        self.touched[gateway.id, epoch] = None

    def answer(
        self,
        flight: Flight,
        gateway: Gateway,
        epoch: bytes,
        *,
        want_points: bytes | None = None,
        known: bytes | None = None,
    ) -> None:
        """One for each gateway; the last word counts, it knows the most."""
        self.answers[gateway.name] = Answer(flight, gateway.id, epoch, want_points, known)

    def acknowledgements(self) -> Iterable[tuple[Flight, Ack]]:
        for flight, gateway_id, epoch, want_points, known in self.answers.values():
            cursor = self.cursors[gateway_id, epoch]
            yield flight, Ack(epoch, cursor.through, cursor.hash, want_points, known)

    def note_readings(self, written: Iterable[Column]) -> None:
        for column in written:
            self.spans.append(Span(column.series_id, column.times[0], column.times[-1]))
            index = newest_index(column, self.horizon)
            if index is not None:
                self.note_newest(column.series_id, column.times[index], column.values[index], column.details[index])

    def note_newest(self, series_id: int, observed_at: int, value: float | None, detail: int) -> None:
        known = self.newest.get(series_id)
        if observed_at <= self.horizon and (known is None or known[1] < observed_at):
            self.newest[series_id] = (series_id, observed_at, value, detail, self.now)

    def note_epc(self, epc: str, observed_at: int) -> None:
        self.epcs[epc] = min(observed_at, self.epcs.get(epc, observed_at))
