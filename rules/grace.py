"""How long a limit looks the other way: contexts that are on, and until when what begins now is excused."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from rules.context import ContextKind, ContextMark


class Mark(NamedTuple):
    """What one source said last; while it is on or was on until a moment ago."""

    source: int
    kind: ContextKind
    at: int
    until_at: int


@dataclass(frozen=True, slots=True)
class Grace:
    """As it stands at one time. `until_at` None: nothing is excused."""

    marks: tuple[Mark, ...] = ()
    until_at: int | None = None

    def at(self, at: int | None) -> "Grace":
        """The same without what can play no part any more."""
        kept = tuple(mark for mark in self.marks if at is None or mark.until_at >= at)
        return self if len(kept) == len(self.marks) else Grace(kept, self.until_at)

    def taking(self, mark: ContextMark, delay_s: int, *, may_begin: bool) -> "Grace":
        """A context that begins gives grace, unless a breach that nothing excuses is there already."""
        others = tuple(entry for entry in self.marks if entry.source != mark.source)
        before = next((entry for entry in self.marks if entry.source == mark.source), None)
        if mark.until_at <= mark.at:
            return self._told_over(others, before, mark)
        if before is not None and before.at == mark.at and before.until_at >= mark.until_at:
            return self
        begins = not any(entry.kind is mark.kind and entry.until_at >= mark.at for entry in self.marks)
        until_at = self.until_at
        if begins and may_begin:
            until_at = max(mark.at + delay_s * 1000, mark.at if until_at is None else until_at)
        marks = _sorted([*others, Mark(mark.source, mark.kind, mark.at, mark.until_at)])
        return Grace(marks, until_at)

    def _told_over(self, others: tuple[Mark, ...], before: Mark | None, mark: ContextMark) -> "Grace":
        """Where one source says on and over at one instant, on counts."""
        if before is None or before.at == mark.at or before.until_at <= mark.at:
            return self
        return Grace(_sorted([*others, before._replace(until_at=mark.at)]), self.until_at)

    def after_calm_until(self, at: int) -> "Grace":
        """Within the limit up to `at`: the grace is used up if no context is on then."""
        if any(mark.until_at >= at for mark in self.marks):
            return self
        return Grace(self.marks)


def _sorted(marks: Iterable[Mark]) -> tuple[Mark, ...]:
    return tuple(sorted(marks))


NO_GRACE = Grace()
