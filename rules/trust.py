"""How far one point can be believed, in event time. A point that is not FRESH tells of itself, not of its zone.

    FAILED    the instrument itself reports a fault
    STALE     nothing newer than its own limit
    SUSPECT   it speaks, but a named test says that it may not see its zone
    FRESH

Tests after QARTOD (IOOS, Manual for Real-Time Quality Control of In-situ Temperature Data, 2020), made causal: a
reading is judged by what was known at its time. Flat line respects the sensor's resolution: a coarse sensor may well
stand still. Disagreement names all who take part, since nobody knows which of two is right: the worst still speaks.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class TrustState(StrEnum):
    FRESH = "fresh"
    STALE = "stale"
    SUSPECT = "suspect"
    FAILED = "failed"
    CALIBRATING = "calibrating"


class TrustTest(StrEnum):
    RANGE = "range"
    RATE = "rate"
    SPIKE = "spike"
    FLAT_LINE = "flat_line"
    DISAGREEMENT = "disagreement"
    DEFROST_UNSEEN = "defrost_unseen"


class Trust(NamedTuple):
    state: TrustState
    test: TrustTest | None
    since_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustSettings:
    """Defaults for air in a cold room. Times are event time."""

    low: float = -60.0
    high: float = 60.0
    step_kelvin: float = 6.0  # between two readings; more is a spike until a second reading says the same
    rate_kelvin_per_min: float = 3.0
    stale_after_s: int = 300
    resolution: float = 0.1
    flat_after_s: int = 4 * 3600  # for a resolution of 0.1 K; ten times as coarse, ten times as long
    disagreement_kelvin: float = 1.2
    disagreement_memory_s: int = 6 * 3600
    defrost_bump_kelvin: float = 0.8
    defrosts_unseen: int = 2


class PointJudge:
    """Takes the readings of one point in time order, with what its neighbours in the zone said last."""

    def __init__(self, settings: TrustSettings | None = None) -> None:
        self.settings = settings or TrustSettings()
        self.trust: Trust | None = None
        self._last: tuple[int, float] | None = None
        self._leap: float | None = None
        self._flat: tuple[int, float] | None = None
        self._gap_kelvin = 0.0
        self._defrost: tuple[float, float] | None = None
        self._unseen = 0
        self._disagrees = False

    def take(self, at: int, value: float | None, neighbours: Sequence[float] = ()) -> Trust:
        """`value` None: a bad reading."""
        if value is None:
            return self._set(at, TrustState.FAILED)
        self._look_at_silence(at)
        test = self._judge(at, value, neighbours)
        self._last = (at, value)
        return self._set(at, TrustState.FRESH if test is None else TrustState.SUSPECT, test)

    def settle(self, at: int) -> Trust | None:
        """Time passes without news."""
        self._look_at_silence(at)
        return self.trust

    def defrost_begins(self) -> None:
        if self._last is not None:
            self._defrost = (self._last[1], self._last[1])

    def defrost_is_over(self) -> None:
        """Call when the bump should have been seen: some time after the end."""
        if self._defrost is None:
            return
        before, top = self._defrost
        self._unseen = 0 if top - before >= self.settings.defrost_bump_kelvin else self._unseen + 1
        self._defrost = None

    def _look_at_silence(self, at: int) -> None:
        if self._last is not None and at - self._last[0] > self.settings.stale_after_s * 1000:
            self._set(self._last[0] + self.settings.stale_after_s * 1000, TrustState.STALE)
            self._flat = self._leap = self._defrost = None

    def _judge(self, at: int, value: float, neighbours: Sequence[float]) -> TrustTest | None:
        settings = self.settings
        if not settings.low <= value <= settings.high:
            return TrustTest.RANGE
        if self._defrost is not None:
            self._defrost = (self._defrost[0], max(self._defrost[1], value))
        is_flat = self._is_flat(at, value)
        self._compare(at, value, neighbours)
        if (leap := self._leaps(at, value)) is not None:
            return leap
        if is_flat:
            return TrustTest.FLAT_LINE
        if self._unseen >= settings.defrosts_unseen:
            return TrustTest.DEFROST_UNSEEN
        return TrustTest.DISAGREEMENT if self._disagrees else None

    def _leaps(self, at: int, value: float) -> TrustTest | None:
        """A leap is believed as soon as a second reading stays where it went."""
        if self._last is None:
            return None
        before_at, before = self._last
        if self._leap is not None and abs(value - before) <= self.settings.rate_kelvin_per_min:
            self._leap = None
            return None
        if abs(value - before) > self.settings.step_kelvin:
            self._leap = value
            return TrustTest.SPIKE
        minutes = max(at - before_at, 60_000) / 60_000
        return TrustTest.RATE if abs(value - before) / minutes > self.settings.rate_kelvin_per_min else None

    def _is_flat(self, at: int, value: float) -> bool:
        settings = self.settings
        if self._flat is None or abs(value - self._flat[1]) > settings.resolution / 2:
            self._flat = (at, value)
            return False
        needed_s = settings.flat_after_s * max(1.0, settings.resolution / 0.1)
        return at - self._flat[0] >= needed_s * 1000

    def _compare(self, at: int, value: float, neighbours: Sequence[float]) -> None:
        """A slow mean of the difference to the neighbours' middle: doors and defrosts pass, a drift stays."""
        if not neighbours or self._last is None:
            return
        middle = sorted(neighbours)[len(neighbours) // 2]
        share = 1 - math.exp(-(at - self._last[0]) / (self.settings.disagreement_memory_s * 1000))
        self._gap_kelvin += share * (value - middle - self._gap_kelvin)
        border = self.settings.disagreement_kelvin * (0.8 if self._disagrees else 1.0)
        self._disagrees = abs(self._gap_kelvin) > border

    def _set(self, at: int, state: TrustState, test: TrustTest | None = None) -> Trust:
        if self.trust is None or (self.trust.state, self.trust.test) != (state, test):
            self.trust = Trust(state, test, at)
        return self.trust
