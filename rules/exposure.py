"""How long something was known to be beyond a limit, and how long nothing was known."""

from collections.abc import Iterable
from dataclasses import dataclass

from rules.knowledge import Segment
from rules.limit import Limit


@dataclass(frozen=True, slots=True)
class Exposure:
    known_ms: int
    unknown_ms: int
    beyond_ms: int  # known time beyond the setpoint, whether or not the delay was met

    @property
    def coverage(self) -> float:
        """The share of the time in which something was known; 1 for no time at all."""
        total = self.known_ms + self.unknown_ms
        return self.known_ms / total if total else 1.0


def exposure(limit: Limit | None, parts: Iterable[Segment]) -> Exposure:
    """Without a limit nothing is beyond it, but knowledge is still counted."""
    known_ms = unknown_ms = beyond_ms = 0
    for begin, end, value in parts:
        if value is None:
            unknown_ms += end - begin
            continue
        known_ms += end - begin
        if limit is not None and limit.is_exceeded_by(value):
            beyond_ms += end - begin
    return Exposure(known_ms, unknown_ms, beyond_ms)
