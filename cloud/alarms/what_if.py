"""What a changed limit would have done to the last days: the same rules over the same readings, nothing is written."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from cloud.alarms.evaluate import entries_from
from rules import Breach, ChangeKind, Limit, WatchState, advance


@dataclass(frozen=True, slots=True)
class Outcome:
    """Confirmed breaches under one version of a limit."""

    breaches: tuple[Breach, ...]


@dataclass(frozen=True, slots=True)
class WhatIf:
    """`gone` are alarms that would not have been; a `missed` one among them was grave by its heat and length."""

    before: Outcome
    after: Outcome
    gone: tuple[Breach, ...]
    missed: tuple[Breach, ...]
    new: tuple[Breach, ...]


MISSED_AFTER_MIN = 90
"""No defrost and no loading is this long: an excursion that lasted longer and would alarm nobody is missed."""


def what_if(
    connection: Connection, zone_id: int, limit: Limit, changed: Limit, *, from_at: int, until_at: int
) -> WhatIf:
    before = _confirmed(connection, zone_id, limit, from_at, until_at)
    after = _confirmed(connection, zone_id, changed, from_at, until_at)
    gone = _without_overlap(before, after, until_at)
    return WhatIf(
        Outcome(tuple(before)),
        Outcome(tuple(after)),
        tuple(gone),
        tuple(breach for breach in gone if breach.minutes(until_at) > MISSED_AFTER_MIN),
        tuple(_without_overlap(after, before, until_at)),
    )


def _confirmed(connection: Connection, zone_id: int, limit: Limit, from_at: int, until_at: int) -> list[Breach]:
    held = replace(limit, valid_from=from_at, valid_until=None)  # judged as if it had held all the time
    state, changes = advance(held, WatchState(), entries_from(connection, zone_id, held, None, until_at))
    ended = [change.breach for change in changes if change.kind is ChangeKind.ENDED]
    is_active = state.breach is not None and state.breach.confirmed_at is not None
    return [*ended, state.breach] if state.breach is not None and is_active else ended


def _without_overlap(those: Sequence[Breach], others: Sequence[Breach], until_at: int) -> list[Breach]:
    def touches(one: Breach, other: Breach) -> bool:
        return one.onset_at < (other.ended_at or until_at) and other.onset_at < (one.ended_at or until_at)

    return [breach for breach in those if not any(touches(breach, other) for other in others)]
