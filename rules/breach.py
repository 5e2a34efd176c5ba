"""From what is known of a zone to breaches of one limit, in event time: the same facts give the same breaches.

    NORMAL --beyond setpoint--> PENDING --on-delay met--> ACTIVE --back by the deadband for the off-delay--> NORMAL
                                   |
                                   +--within setpoint again--> NORMAL

Delays count known time only. While nothing is known the machine stands still: it neither opens nor closes a breach.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from rules.knowledge import Knowledge, Known, Observation, Segment
from rules.limit import Limit


class BreachStatus(StrEnum):
    PENDING = "pending"
    ACTIVE = "active"
    ENDED = "ended"
    WITHDRAWN = "withdrawn"  # stated once, but never confirmed, or disproved by later data


@dataclass(frozen=True, slots=True)
class Breach:
    """The fact that a limit was exceeded over [onset_at, ended_at)."""

    key: str
    onset_at: int  # the first moment beyond the setpoint
    extreme: float
    extreme_at: int
    confirmed_at: int | None = None
    ended_at: int | None = None  # the first moment of the calm that lasted for the off-delay

    @property
    def status(self) -> BreachStatus:
        if self.ended_at is not None:
            return BreachStatus.ENDED
        return BreachStatus.PENDING if self.confirmed_at is None else BreachStatus.ACTIVE

    def minutes(self, until: int) -> float:
        """Minutes from the onset to the end, or to `until` while it lasts."""
        return ((until if self.ended_at is None else self.ended_at) - self.onset_at) / 60_000


class ChangeKind(StrEnum):
    OPENED = "opened"
    CONFIRMED = "confirmed"
    ENDED = "ended"
    DROPPED = "dropped"  # it was within the setpoint again before the on-delay was met


class BreachChange(NamedTuple):
    kind: ChangeKind
    breach: Breach


@dataclass(frozen=True, slots=True)
class WatchState:
    """Where the watch over one limit stands at `at`: all that is needed to go on from there."""

    at: int | None = None  # None: no observation yet
    known: tuple[Known, ...] = ()
    breach: Breach | None = None
    held_ms: int = 0  # known time that counts towards the delay now running
    calm_at: int | None = None  # since when an active breach is back within its deadband

    def to_json(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "WatchState":
        raw = json.loads(text)
        known = tuple(Known(*entry) for entry in raw.pop("known"))
        breach = raw.pop("breach")
        return cls(known=known, breach=Breach(**breach) if breach else None, **raw)


def advance(
    limit: Limit, state: WatchState, observations: Iterable[Observation]
) -> tuple[WatchState, list[BreachChange]]:
    """Takes further observations in time order. Raises OutOfOrderError for one before `state.at`."""
    knowledge = _knowledge(limit, state)
    watch = _Watch(limit, state)
    watch.follow(knowledge.advance(observations))
    return watch.state(knowledge), watch.changes


def settle(limit: Limit, state: WatchState, until: int) -> tuple[WatchState, list[BreachChange]]:
    """Lets event time reach `until` without news. Going on from there gives what going on from `state` gives."""
    knowledge = _knowledge(limit, state)
    watch = _Watch(limit, state)
    watch.follow(knowledge.settle(until))
    return watch.state(knowledge), watch.changes


def retire(limit: Limit, state: WatchState, at: int) -> tuple[WatchState, list[BreachChange]]:
    """The limit ends at `at`: so does its breach; what was not confirmed by then never will be."""
    state, changes = settle(limit, state, at)
    if state.breach is None:
        return state, changes
    if state.breach.confirmed_at is None:
        last = BreachChange(ChangeKind.DROPPED, state.breach)
    else:
        last = BreachChange(
            ChangeKind.ENDED, replace(state.breach, ended_at=at if state.calm_at is None else state.calm_at)
        )
    return replace(state, breach=None, held_ms=0, calm_at=None), [*changes, last]


def pending_until(limit: Limit, state: WatchState) -> int | None:
    """When the pending breach will be confirmed if nothing changes; None when none is pending."""
    if state.breach is None or state.breach.confirmed_at is not None or state.at is None:
        return None
    return state.at + limit.on_delay_s * 1000 - state.held_ms


def breach_key(limit: Limit, onset_at: int) -> str:
    name = f"{limit.zone}/{limit.key}/{limit.version}/{onset_at}"
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def _knowledge(limit: Limit, state: WatchState) -> Knowledge:
    return Knowledge(limit.sign, limit.max_gap_ms, state.at, state.known)


class _Watch:
    """The machine at work: mutable here so that a long run makes no garbage, frozen again when it leaves."""

    def __init__(self, limit: Limit, state: WatchState) -> None:
        self.changes: list[BreachChange] = []
        self._limit = limit
        self._breach = state.breach
        self._held_ms = state.held_ms
        self._calm_at = state.calm_at

    def state(self, knowledge: Knowledge) -> WatchState:
        return WatchState(knowledge.at, knowledge.known, self._breach, self._held_ms, self._calm_at)

    def follow(self, parts: Iterable[Segment]) -> None:
        sign = self._limit.sign
        edge = sign * float(self._limit.setpoint)
        for part in parts:
            value = part.value
            if value is None or (self._breach is None and sign * value <= edge):
                continue
            self._enter(part, value)

    def _enter(self, part: Segment, value: float) -> None:
        if self._breach is None:
            self._open(part, value)
        if self._breach is not None and self._breach.confirmed_at is None:
            self._wait(self._breach, part, value)
        elif self._breach is not None:
            self._watch_return(self._breach, part, value)

    def _open(self, part: Segment, value: float) -> None:
        onset_at = part.from_at
        self._breach = Breach(breach_key(self._limit, onset_at), onset_at, value, onset_at)
        self._held_ms = 0
        self._note(ChangeKind.OPENED, self._breach)

    def _wait(self, breach: Breach, part: Segment, value: float) -> None:
        if not self._limit.is_exceeded_by(value):
            self._note(ChangeKind.DROPPED, breach)
            self._rest()
            return
        breach = self._breach = self._worsened(breach, part, value)
        self._held_ms += part.until_at - part.from_at
        over_ms = self._held_ms - self._limit.on_delay_s * 1000
        if over_ms >= 0:
            self._breach = replace(breach, confirmed_at=part.until_at - over_ms)
            self._held_ms = 0
            self._note(ChangeKind.CONFIRMED, self._breach)

    def _watch_return(self, breach: Breach, part: Segment, value: float) -> None:
        if not self._limit.is_cleared_by(value):
            self._breach = self._worsened(breach, part, value)
            self._calm_at = None
            self._held_ms = 0
            return
        if self._calm_at is None:
            self._calm_at = part.from_at
        self._held_ms += part.until_at - part.from_at
        if self._held_ms >= self._limit.off_delay_s * 1000:
            self._note(ChangeKind.ENDED, replace(breach, ended_at=self._calm_at))
            self._rest()

    def _worsened(self, breach: Breach, part: Segment, value: float) -> Breach:
        if self._limit.sign * value <= self._limit.sign * breach.extreme:
            return breach
        return replace(breach, extreme=value, extreme_at=part.from_at)

    def _rest(self) -> None:
        self._breach = None
        self._held_ms = 0
        self._calm_at = None

    def _note(self, kind: ChangeKind, breach: Breach) -> None:
        self.changes.append(BreachChange(kind, breach))
