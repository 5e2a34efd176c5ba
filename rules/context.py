"""What explains a warm room for a while: defrost, an open door, loading. Contexts lengthen a delay, never more.

instrument says so    marks hold until the next one, at most for the max gap
a person, a schedule  one mark holds from its begin to its end
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from rules.knowledge import Observation

_DAY_MS = 86_400_000
_MINUTE_MS = 60_000


class ContextKind(StrEnum):
    DEFROST = "defrost"
    DOOR = "door"
    LOADING = "loading"
    MAINTENANCE = "maintenance"
    POWER_LOSS = "power_loss"


CONTEXT_OF_QUANTITY: Mapping[str, ContextKind] = {
    "defrost": ContextKind.DEFROST,
    "door_open": ContextKind.DOOR,
    "loading": ContextKind.LOADING,
    "maintenance": ContextKind.MAINTENANCE,
    "power_loss": ContextKind.POWER_LOSS,
}
"""Quantities of a zone that are on (1) or off (0) and tell of its machinery, not of its goods."""


class ContextMark(NamedTuple):
    """From `at` on, one source holds that its context lasts until `until_at`; equal to `at`: it is over."""

    at: int
    source: int
    kind: ContextKind
    until_at: int


@dataclass(frozen=True, slots=True)
class Signal:
    """How an instrument's value becomes a context: a status bit is above 0.5, a defrosting coil above some degrees."""

    kind: ContextKind
    above: float = 0.5

    def mark(self, observation: Observation, hold_ms: int) -> ContextMark:
        is_on = observation.value > self.above
        return ContextMark(
            observation.at, observation.point, self.kind, observation.at + hold_ms if is_on else observation.at
        )


@dataclass(frozen=True, slots=True)
class Daily:
    """A controller's clock, in minutes of the UTC day."""

    kind: ContextKind
    source: int
    at_minute: int
    minutes: int

    def marks(self, from_at: int, until_at: int) -> Iterator[ContextMark]:
        """Those that begin in [from_at, until_at)."""
        day = from_at - from_at % _DAY_MS
        while day < until_at:
            at = day + self.at_minute * _MINUTE_MS
            if from_at <= at < until_at:
                yield ContextMark(at, self.source, self.kind, at + self.minutes * _MINUTE_MS)
            day += _DAY_MS


def with_marks(
    observations: Iterable[Observation | ContextMark], planned: Iterable[ContextMark]
) -> Iterator[Observation | ContextMark]:
    """Planned marks join the data in time order, but never run ahead of it: event time moves with data only."""
    waiting = iter(planned)
    mark = next(waiting, None)
    for entry in observations:
        while mark is not None and mark.at <= entry.at:
            yield mark
            mark = next(waiting, None)
        yield entry
