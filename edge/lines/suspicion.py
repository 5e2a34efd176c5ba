"""What the statistics of a line give reason to suspect, in words an installer can act on: pure decisions."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from edge.lines.bus import Statistics

_ENOUGH = 20  # requests before anything is said
_MUCH = 0.1  # of the answers spoilt
_LITTLE = 0.02


class Suspicion(enum.StrEnum):
    DUPLICATE_UNIT_ID = "duplicate_unit_id"
    TOO_SHORT_TIMEOUT = "too_short_timeout"
    NOISY_LINE = "noisy_line"


ADVICE = {
    Suspicion.DUPLICATE_UNIT_ID: "two devices seem to share this unit id: disconnect half of the bus, then scan it",
    Suspicion.TOO_SHORT_TIMEOUT: "it answers after its time is over: give it a longer timeout_ms",
    Suspicion.NOISY_LINE: "answers arrive spoilt: check termination, bias, shield and the common wire",
}


def suspicions(line: Mapping[str, Statistics]) -> dict[str, Suspicion]:
    """By device. One device alone among clean neighbours is a twin's work; when all are spoilt, it is the line."""
    spoilt = {name: one for name, one in line.items() if _is_spoilt(one)}
    is_line = len(spoilt) > 1 or (len(line) == 1 and bool(spoilt))
    found: dict[str, Suspicion] = {}
    for name, one in line.items():
        neighbours_are_clean = all(other.spoilt_share < _LITTLE for key, other in line.items() if key != name)
        is_alone_spoilt = name in spoilt and not is_line and neighbours_are_clean
        if one.second_answers >= 2 or is_alone_spoilt:
            found[name] = Suspicion.DUPLICATE_UNIT_ID
        elif name in spoilt:
            found[name] = Suspicion.NOISY_LINE
        elif one.late_answers >= 2:
            found[name] = Suspicion.TOO_SHORT_TIMEOUT
    return found


def _is_spoilt(one: Statistics) -> bool:
    return one.requests >= _ENOUGH and one.answers > 0 and one.spoilt_share >= _MUCH
