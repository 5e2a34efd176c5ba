"""Thinks one limit over from a checkpoint on, as far as new data can have changed anything. Pure.

checkpoint ---observations---> mark ---> mark ---> ...
                                |
                                +-- past the new data and equal to what was kept: the rest stands as it is
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from rules import Breach, BreachChange, ChangeKind, Entry, Limit, WatchState, advance, retire, settle

HOUR_MS = 3_600_000


class Checkpoint(NamedTuple):
    """The state of a watch that has taken every entry before `at`."""

    at: int
    state: WatchState


@dataclass(frozen=True, slots=True)
class Rerun:
    """`breaches` and `checkpoints` replace what was kept for [from_at, until_at)."""

    from_at: int | None  # None: from the beginning
    until_at: int | None  # None: to the end of the data
    breaches: list[Breach]
    going_on: Breach | None  # open at `until_at`: what was stated about it stands
    checkpoints: list[Checkpoint]


def rerun(
    limit: Limit,
    start: WatchState,
    entries: Iterable[Entry],
    *,
    kept: Sequence[Checkpoint] = (),
    changed_until: int,
) -> Rerun:
    """`entries` from `start.at` on, in order; `kept`: the later checkpoints; `changed_until`: the last change."""
    run = _Run(limit, start, kept, changed_until)
    for entry in entries:
        if entry.at >= run.next_mark and run.reaches_agreement(entry.at):
            return run.until_agreement()
        run.waiting.append(entry)
    return run.to_the_end()


class _Run:
    def __init__(self, limit: Limit, start: WatchState, kept: Sequence[Checkpoint], changed_until: int) -> None:
        self.waiting: list[Entry] = []
        self._limit = limit
        self._from_at = start.breach.onset_at if start.breach else start.at
        self._state = start
        self._kept = {checkpoint.at: checkpoint.state for checkpoint in kept}
        self._changed_until = changed_until
        self._changes: list[BreachChange] = []
        self._made: list[Checkpoint] = []
        self._reached = -1 if start.at is None else start.at
        self.next_mark = self._mark_after(self._reached)

    def reaches_agreement(self, at: int) -> bool:
        """Sets every mark up to `at`; True as soon as one shows what had been kept there."""
        for mark in self._marks_until(at):
            self._take_waiting()
            self._state, changes = settle(self._limit, self._state, mark)
            self._changes += changes
            if mark > self._changed_until and self._kept.get(mark) == self._state:
                self._reached = mark
                return True
            if self._state.at is not None:
                self._made.append(Checkpoint(mark, self._state))
            self._reached = mark
        self.next_mark = self._mark_after(self._reached)
        return False

    def until_agreement(self) -> Rerun:
        return Rerun(self._from_at, self._reached, self._ended(), self._state.breach, self._made)

    def to_the_end(self) -> Rerun:
        self._take_waiting()
        if self._state.at is not None:
            self._made.append(Checkpoint(self._state.at, self._state))
        if self._limit.valid_until is not None:
            self._state, changes = retire(self._limit, self._state, self._limit.valid_until)
            self._changes += changes
        open_breach = [self._state.breach] if self._state.breach else []
        return Rerun(self._from_at, None, [*self._ended(), *open_breach], None, self._made)

    def _take_waiting(self) -> None:
        self._state, changes = advance(self._limit, self._state, self.waiting)
        self._changes += changes
        self.waiting = []

    def _ended(self) -> list[Breach]:
        return [change.breach for change in self._changes if change.kind is ChangeKind.ENDED]

    def _marks_until(self, at: int) -> list[int]:
        """Kept marks, and the last full hour: hours without data need no checkpoint of their own."""
        marks = chain(self._kept, [at - at % HOUR_MS])
        return sorted({mark for mark in marks if self._reached < mark <= at})

    def _mark_after(self, at: int) -> int:
        kept = min((mark for mark in self._kept if mark > at), default=None)
        hour = at - at % HOUR_MS + HOUR_MS
        return hour if kept is None else min(kept, hour)
