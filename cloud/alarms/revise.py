"""What to write down after thinking over: new versions of breaches, never a deletion. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rules import Breach, BreachStatus


@dataclass(frozen=True, slots=True)
class StatedBreach:
    """A breach as it stands in the books."""

    breach: Breach
    status: BreachStatus
    version: int


@dataclass(frozen=True, slots=True)
class Revision:
    breach: Breach
    status: BreachStatus
    version: int
    is_new_version: bool  # False: an open breach only grew, as every open breach does


def revise(stated: Mapping[str, StatedBreach], computed: Iterable[Breach]) -> list[Revision]:
    """`stated` are the current rows of the same stretch of time, withdrawn ones among them."""
    found = {breach.key: breach for breach in computed}
    revisions = [_revision(stated.get(key), breach) for key, breach in found.items()]
    withdrawn = [
        Revision(old.breach, BreachStatus.WITHDRAWN, old.version + 1, is_new_version=True)
        for key, old in stated.items()
        if key not in found and old.status is not BreachStatus.WITHDRAWN
    ]
    return [*withdrawn, *(revision for revision in revisions if revision is not None)]


def heir(withdrawn: Breach, computed: Iterable[Breach]) -> Breach | None:
    """The breach that now stands for the time of one that was withdrawn, if any does: it moved, split or merged."""
    overlapping = [
        breach
        for breach in computed
        if breach.confirmed_at is not None
        and (withdrawn.ended_at is None or breach.onset_at < withdrawn.ended_at)
        and (breach.ended_at is None or breach.ended_at > withdrawn.onset_at)
    ]
    return min(overlapping, key=lambda breach: abs(breach.onset_at - withdrawn.onset_at), default=None)


def _revision(old: StatedBreach | None, breach: Breach) -> Revision | None:
    if old is None:
        return Revision(breach, breach.status, 1, is_new_version=True)
    if old.status is breach.status and old.breach == breach:
        return None
    has_only_grown = (
        old.status is breach.status
        and breach.status is not BreachStatus.ENDED
        and old.breach.confirmed_at == breach.confirmed_at
    )
    if has_only_grown:
        return Revision(breach, breach.status, old.version, is_new_version=False)
    return Revision(breach, breach.status, old.version + 1, is_new_version=True)
