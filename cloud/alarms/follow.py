"""Makes alarms follow their breaches: raised, returned, recurred, moved, withdrawn."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from cloud.alarms.lifecycle import (
    AlarmEvent,
    AlarmEventKind,
    AlarmKind,
    AlarmState,
    is_detected_late,
    needs_alarm,
    state_of,
)
from cloud.alarms.repository import StoredAlarm, alarm_of_breach, write_event
from cloud.alarms.revise import Revision, heir
from cloud.store import load_queries
from rules import Breach, BreachStatus, Limit

_queries = load_queries("cloud.alarms")


@dataclass(frozen=True, slots=True)
class Follower:
    """Writes the alarms of one limit as of `now_ms`."""

    connection: Connection
    zone_id: int
    limit: Limit
    now_ms: int
    alarms_since: int

    def follow(self, revisions: Sequence[Revision], computed: Sequence[Breach]) -> list[AlarmEvent]:
        """`revisions` with the withdrawn ones first, so that their alarms can go over to what replaces them."""
        events = []
        for revision in revisions:
            alarm = alarm_of_breach(self.connection, revision.breach.key)
            if revision.status is BreachStatus.WITHDRAWN:
                event = self._withdraw(alarm, revision.breach, computed)
            elif alarm is None:
                event = self._raise(revision)
            else:
                event = self._update(alarm, revision.breach, revision.status)
            events.append(event)
        return [event for event in events if event is not None]

    def _raise(self, revision: Revision) -> AlarmEvent | None:
        breach = revision.breach
        if not needs_alarm(breach, revision.status, self.alarms_since):
            return None
        is_late = is_detected_late(breach, self.now_ms)
        state = state_of(is_true=revision.status is BreachStatus.ACTIVE, is_acknowledged=False)
        alarm_id = self.connection.execute(
            _queries.insert_alarm,
            {
                "key": f"breach/{breach.key}/{revision.version}",
                "kind": AlarmKind.BREACH,
                "zone_id": self.zone_id,
                "breach_key": breach.key,
                "severity": self.limit.severity,
                "state": state,
                "now": self.now_ms,
                "onset_at": breach.onset_at,
                "returned_at": breach.ended_at,
                "detected_late": int(is_late),
            },
        ).scalar_one()
        return self._note(alarm_id, AlarmEventKind.RAISED, state, is_late=is_late)

    def _update(self, alarm: StoredAlarm, breach: Breach, status: BreachStatus) -> AlarmEvent | None:
        state = state_of(is_true=status is BreachStatus.ACTIVE, is_acknowledged=alarm.is_acknowledged)
        self._write(alarm, state, breach)
        if state is alarm.state:
            return None
        kind = AlarmEventKind.RECURRED if status is BreachStatus.ACTIVE else AlarmEventKind.RETURNED
        return self._note(alarm.id, kind, state)

    def _withdraw(self, alarm: StoredAlarm | None, withdrawn: Breach, computed: Sequence[Breach]) -> AlarmEvent | None:
        if alarm is None:
            return None
        successor = heir(withdrawn, computed)
        if successor is not None and alarm_of_breach(self.connection, successor.key) is None:
            state = state_of(is_true=successor.ended_at is None, is_acknowledged=alarm.is_acknowledged)
            self._write(alarm, state, successor)
            return self._note(alarm.id, AlarmEventKind.MOVED, state)
        if alarm.state is AlarmState.NORMAL:
            return None
        self._write(alarm, AlarmState.NORMAL, withdrawn)
        return self._note(alarm.id, AlarmEventKind.WITHDRAWN, AlarmState.NORMAL)

    def _write(self, alarm: StoredAlarm, state: AlarmState, breach: Breach) -> None:
        self.connection.execute(
            _queries.update_alarm,
            {
                "id": alarm.id,
                "state": state,
                "breach_key": breach.key,
                "onset_at": breach.onset_at,
                "returned_at": breach.ended_at,
                "now": self.now_ms,
            },
        )

    def _note(self, alarm_id: int, kind: AlarmEventKind, state: AlarmState, *, is_late: bool = False) -> AlarmEvent:
        event = AlarmEvent(alarm_id, kind, self.now_ms, state, self.zone_id, AlarmKind.BREACH, is_late)
        return write_event(self.connection, event)
