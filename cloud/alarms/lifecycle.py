"""The states of an alarm, in the words of ISA-18.2. Pure: two facts decide the state, so no order of events can.

                  not acknowledged             acknowledged
still true        unacknowledged               acknowledged
true no more      returned_unacknowledged      normal
"""

from dataclasses import dataclass
from enum import StrEnum

from rules import Breach, BreachStatus

LATE_AFTER_MS = 5 * 60_000


class AlarmState(StrEnum):
    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RETURNED_UNACKNOWLEDGED = "returned_unacknowledged"
    NORMAL = "normal"


class AlarmKind(StrEnum):
    BREACH = "breach"
    NO_DATA = "no_data"


class AlarmEventKind(StrEnum):
    RAISED = "raised"
    RETURNED = "returned"
    RECURRED = "recurred"  # late data shows that it had not ended
    MOVED = "moved"  # late data shows another onset: the alarm follows its breach
    WITHDRAWN = "withdrawn"  # late data shows that it never was
    ACKNOWLEDGED = "acknowledged"


@dataclass(frozen=True, slots=True)
class AlarmEvent:
    """A change of an alarm, as it is written down and told to whoever listens."""

    alarm_id: int
    kind: AlarmEventKind
    at: int
    state: AlarmState
    zone_id: int
    alarm_kind: AlarmKind
    is_late: bool = False
    by: str | None = None
    note: str | None = None


def state_of(*, is_true: bool, is_acknowledged: bool) -> AlarmState:
    if is_true:
        return AlarmState.ACKNOWLEDGED if is_acknowledged else AlarmState.UNACKNOWLEDGED
    return AlarmState.NORMAL if is_acknowledged else AlarmState.RETURNED_UNACKNOWLEDGED


def needs_alarm(breach: Breach, status: BreachStatus, alarms_since: int) -> bool:
    """Only a confirmed breach alarms; one that was over before the site was watched is history, no alarm."""
    if status not in {BreachStatus.ACTIVE, BreachStatus.ENDED}:
        return False
    return breach.ended_at is None or breach.ended_at >= alarms_since


def is_detected_late(breach: Breach, now_ms: int) -> bool:
    """True when the person who is told hears it minutes after it could have been known."""
    return breach.confirmed_at is not None and now_ms - breach.confirmed_at > LATE_AFTER_MS
