"""What is known of a zone at each moment, from readings of several points.

A value counts from its observation until the point's next one, but no longer than the limit's max gap. The zone shows
the worst of the values that count; where none counts, nothing is known and nothing may be concluded.

    point 1   x----------x----------x- - - max gap|
    point 2        x----------|
    zone      [seg)[seg )[    )[    )[            )[ value None: unknown ...
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Observation(NamedTuple):
    """One good or uncertain value. A bad reading is no observation: it says nothing about the zone."""

    at: int
    point: int
    value: float


class Segment(NamedTuple):
    """Half-open [from_at, until_at) in which what is known does not change. `value` None: unknown."""

    from_at: int
    until_at: int
    value: float | None


class Known(NamedTuple):
    """What one point said last."""

    point: int
    at: int
    value: float


class OutOfOrderError(ValueError):
    """An observation lies before the time already reached: go back to an earlier state and run again."""

    def __init__(self, at: int, reached: int) -> None:
        super().__init__(f"observation at {at} lies before {reached}, which is already decided")
        self.at = at
        self.reached = reached


class Knowledge:
    """Walks through event time. Two values of one point at one time: the worse counts, whichever came first."""

    def __init__(self, sign: int, max_gap_ms: int, at: int | None = None, known: Iterable[Known] = ()) -> None:
        self.at = at
        self._sign = sign
        self._max_gap_ms = max_gap_ms
        self._known = {entry.point: entry for entry in known}
        self._refresh()

    @property
    def known(self) -> tuple[Known, ...]:
        return tuple(sorted(self._known.values()))

    def advance(self, observations: Iterable[Observation]) -> Iterator[Segment]:
        """Takes observations in time order; yields what was known between them. The last one opens no segment yet."""
        for at, point, value in observations:
            reached = self.at
            if reached is None:
                self.at = at
            elif at > reached:
                if at < self._fresh_until:
                    yield Segment(reached, at, self._worst)
                    self.at = at
                else:
                    yield from self.settle(at)
            elif at < reached:
                raise OutOfOrderError(at, reached)
            self._take(at, point, value)

    def reach(self, at: int) -> Iterator[Segment]:
        """Something else than an observation happened at `at`."""
        if self.at is None:
            self.at = at
        elif at < self.at:
            raise OutOfOrderError(at, self.at)
        yield from self.settle(at)

    def settle(self, until: int) -> Iterator[Segment]:
        """Lets time pass to `until` without news: values grow old one after the other."""
        if self.at is None:
            return
        while self.at < until:
            end = min(until, self._fresh_until) if self._known else until
            if end > self.at:
                yield Segment(self.at, end, self._worst)
                self.at = end
            self._forget_stale(end)

    def _take(self, at: int, point: int, value: float) -> None:
        before = self._known.get(point)
        if before is not None and before.at == at and self._sign * before.value >= self._sign * value:
            return
        self._known[point] = Known(point, at, value)
        self._refresh()

    def _forget_stale(self, at: int) -> None:
        oldest = at - self._max_gap_ms
        stale = [entry.point for entry in self._known.values() if entry.at <= oldest]
        for point in stale:
            del self._known[point]
        if stale:
            self._refresh()

    def _refresh(self) -> None:
        known = self._known
        if len(known) == 1:
            (entry,) = known.values()
            self._worst: float | None = entry.value
            self._fresh_until = entry.at + self._max_gap_ms
        elif known:
            choose = max if self._sign > 0 else min
            self._worst = choose(entry.value for entry in known.values())
            self._fresh_until = min(entry.at for entry in known.values()) + self._max_gap_ms
        else:
            self._worst = None
            self._fresh_until = 0


def segments(
    observations: Iterable[Observation], *, sign: int, max_gap_ms: int, from_at: int, until_at: int
) -> Iterator[Segment]:
    """What is known over [from_at, until_at) without a hole. Give observations from `from_at - max_gap_ms` on."""
    knowledge = Knowledge(sign, max_gap_ms, at=from_at - max_gap_ms)
    inside = (entry for entry in observations if from_at - max_gap_ms <= entry.at < until_at)
    for walk in (knowledge.advance(inside), knowledge.settle(until_at)):
        for begin, end, value in walk:
            if end > from_at:
                yield Segment(max(begin, from_at), end, value)


def unknown_spans(parts: Iterable[Segment]) -> list[tuple[int, int]]:
    """The times without knowledge, adjoining ones joined."""
    spans: list[tuple[int, int]] = []
    for begin, end, value in parts:
        if value is not None:
            continue
        if spans and spans[-1][1] == begin:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((begin, end))
    return spans
