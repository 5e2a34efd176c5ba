"""From what is known of a zone to breaches of one limit, in event time: the same facts give the same breaches.

    NORMAL --beyond setpoint--> PENDING --on-delay met--> ACTIVE --back by the deadband for the off-delay--> NORMAL
                                   |
                                   +--within setpoint again--> NORMAL

Delays count known time only. While nothing is known the machine stands still: it neither opens nor closes a breach.

A context (defrost, door ...) gives grace from its start for the delay that the limit has for it: a breach that begins
meanwhile is excused so long. Grace ends early once the context is over and the air is within the limit again. A breach
that was there before the context is not excused by it, and none is for longer than the longest delay after its onset.
Enough degree-minutes confirm a breach in any case.
"""

from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby
from typing import cast

from rules.breach import Breach, BreachChange, ChangeKind, Trigger, WatchState, breach_key
from rules.context import ContextMark
from rules.knowledge import Knowledge, Observation, Segment
from rules.limit import Limit

Entry = Observation | ContextMark


def advance(limit: Limit, state: WatchState, entries: Iterable[Entry]) -> tuple[WatchState, list[BreachChange]]:
    """Takes further observations and marks in time order. Raises OutOfOrderError for one before `state.at`."""
    knowledge = _knowledge(limit, state)
    watch = _Watch(limit, state)
    if not limit.context_delays_s:
        watch.follow(knowledge.advance(entry for entry in entries if isinstance(entry, Observation)))
        return watch.state(knowledge), watch.changes
    for are_marks, run in groupby(entries, key=lambda entry: isinstance(entry, ContextMark)):
        if not are_marks:
            watch.follow(knowledge.advance(cast("Iterable[Observation]", run)))  # what groupby has sorted out
            continue
        for mark in cast("Iterable[ContextMark]", run):
            if mark.kind in limit.context_delays_s:
                watch.follow(knowledge.reach(mark.at))
                watch.take(mark)
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
    return replace(state, breach=None, held_ms=0, calm_at=None, heat=0, is_excused=False), [*changes, last]


def pending_until(limit: Limit, state: WatchState) -> int | None:
    """When the pending breach will be confirmed by its delay if nothing changes; None when none is pending."""
    if state.breach is None or state.breach.confirmed_at is not None or state.at is None:
        return None
    return max(
        state.at + max(0, limit.on_delay_s * 1000 - state.held_ms),
        _excused_until(limit, state.breach, state.grace.until_at if state.is_excused else None),
    )


def _excused_until(limit: Limit, breach: Breach, grace_until_at: int | None) -> int:
    if grace_until_at is None:
        return breach.onset_at
    return min(grace_until_at, breach.onset_at + max(limit.context_delays_s.values()) * 1000)


def _knowledge(limit: Limit, state: WatchState) -> Knowledge:
    return Knowledge(limit.sign, limit.max_gap_ms, state.at, state.known)


class _Watch:
    """The machine at work: mutable here so that a long run makes no garbage, frozen again when it leaves."""

    def __init__(self, limit: Limit, state: WatchState) -> None:
        self.changes: list[BreachChange] = []
        self._limit = limit
        self._setpoint_milli = round(limit.setpoint * 1000)
        self._breach = state.breach
        self._held_ms = state.held_ms
        self._calm_at = state.calm_at
        self._heat = state.heat
        self._is_excused = state.is_excused
        self._grace = state.grace

    def state(self, knowledge: Knowledge) -> WatchState:
        return WatchState(
            knowledge.at,
            knowledge.known,
            self._breach,
            self._held_ms,
            self._calm_at,
            self._heat,
            self._is_excused,
            self._grace.at(knowledge.at),
        )

    def take(self, mark: ContextMark) -> None:
        is_excusable = self._breach is None or self._is_excused
        self._grace = self._grace.taking(mark, self._limit.context_delays_s[mark.kind], may_begin=is_excusable)

    def follow(self, parts: Iterable[Segment]) -> None:
        sign = self._limit.sign
        edge = sign * float(self._limit.setpoint)
        for part in parts:
            value = part.value
            if value is None:
                continue
            if sign * value <= edge:
                if self._grace.until_at is not None:
                    self._grace = self._grace.after_calm_until(part.until_at)
                if self._breach is None:
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
        self._held_ms = self._heat = 0
        grace_until_at = self._grace.until_at
        self._is_excused = grace_until_at is not None and grace_until_at > onset_at
        self._note(ChangeKind.OPENED, self._breach)

    def _wait(self, breach: Breach, part: Segment, value: float) -> None:
        if not self._limit.is_exceeded_by(value):
            self._note(ChangeKind.DROPPED, breach)
            self._rest()
            return
        breach = self._breach = self._worsened(breach, part, value)
        confirmed_at, trigger = self._confirmation(breach, part, value)
        if confirmed_at <= part.until_at:
            self._breach = replace(breach, confirmed_at=confirmed_at, confirmed_by=trigger)
            self._held_ms = self._heat = 0
            self._is_excused = False
            self._note(ChangeKind.CONFIRMED, self._breach)
            return
        self._held_ms += part.until_at - part.from_at
        if self._limit.degree_minutes is not None:
            self._heat += self._excess_milli(value) * (part.until_at - part.from_at)

    def _confirmation(self, breach: Breach, part: Segment, value: float) -> tuple[int, Trigger]:
        """When it will be confirmed if the value stays, and by what."""
        due_at = part.from_at + max(0, self._limit.on_delay_s * 1000 - self._held_ms)
        if self._is_excused:
            due_at = max(due_at, _excused_until(self._limit, breach, self._grace.until_at))
        excess = self._excess_milli(value)
        if self._limit.degree_minutes is None or excess <= 0:
            return due_at, Trigger.DELAY
        left = round(self._limit.degree_minutes * 60_000_000) - self._heat
        full_at = part.from_at + max(0, -(-left // excess))
        return (full_at, Trigger.DEGREE_MINUTES) if full_at < due_at else (due_at, Trigger.DELAY)

    def _excess_milli(self, value: float) -> int:
        return self._limit.sign * (round(value * 1000) - self._setpoint_milli)

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
        self._breach = self._calm_at = None
        self._held_ms = self._heat = 0
        self._is_excused = False

    def _note(self, kind: ChangeKind, breach: Breach) -> None:
        self.changes.append(BreachChange(kind, breach))
