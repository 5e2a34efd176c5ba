"""Do two devices share one unit id? Each id is read twenty times; answers that come twice or come and go tell."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import NamedTuple

from edge.commissioning.asking import Asker, Outcome
from edge.drivers.modbus import Request

TRIES = 20


class Verdict(enum.StrEnum):
    ONE_DEVICE = "one_device"
    DUPLICATE_UNIT_ID = "duplicate_unit_id"
    UNRELIABLE = "unreliable"


class Tries(NamedTuple):
    """Twenty times the same question."""

    good: int
    spoilt: int
    silent: int
    doubled: int
    slowest_s: float
    fastest_s: float

    @property
    def asked(self) -> int:
        return self.good + self.spoilt + self.silent

    @property
    def verdict(self) -> Verdict:
        """Silence alone comes from a bad wire; answers one upon the other spoil each other."""
        if self.doubled or self.spoilt >= 2:
            return Verdict.DUPLICATE_UNIT_ID
        return Verdict.UNRELIABLE if self.spoilt + self.silent > self.asked // 10 else Verdict.ONE_DEVICE


async def try_often(asker: Asker, request: Request, times: int = TRIES) -> Tries:
    """Raises BusError."""
    return counted([await asker.ask(request, listens_on=True) for _ in range(times)])


def counted(outcomes: Sequence[Outcome]) -> Tries:
    good = [outcome for outcome in outcomes if outcome.is_alive]
    times = [outcome.answer_s for outcome in good if outcome.answer_s is not None]
    return Tries(
        len(good),
        sum(outcome.reason in ("crc", "garbled") for outcome in outcomes),
        sum(outcome.reason == "timeout" for outcome in outcomes),
        sum(outcome.is_doubled for outcome in good),
        max(times, default=0.0),
        min(times, default=0.0),
    )
