"""Alarms in the database: raised, changed, acknowledged, listed. Every change leaves a row in the record."""

from dataclasses import dataclass

from sqlalchemy import Connection

from cloud.alarms.errors import UnknownAlarmError
from cloud.alarms.lifecycle import AlarmEvent, AlarmEventKind, AlarmKind, AlarmState, state_of
from cloud.store import load_queries
from rules import Severity

_queries = load_queries("cloud.alarms")
_ALARMS_SINCE = "alarms.since_ms"


@dataclass(frozen=True, slots=True)
class StoredAlarm:
    """What the decisions need to know of an alarm."""

    id: int
    kind: AlarmKind
    zone_id: int
    state: AlarmState
    is_acknowledged: bool


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """An alarm as people see it."""

    id: int
    key: str
    kind: AlarmKind
    zone: str
    zone_vi: str
    zone_en: str
    breach_key: str | None
    severity: Severity
    state: AlarmState
    raised_at: int
    onset_at: int
    returned_at: int | None
    ack_by: str | None
    ack_at: int | None
    ack_note: str | None
    is_detected_late: bool


@dataclass(frozen=True, slots=True)
class RecordRow:
    at: int
    kind: AlarmEventKind
    by: str | None
    note: str | None


def alarms(connection: Connection, *, with_normal: bool = False, count: int = 500) -> list[AlarmRow]:
    """Those that need a person first."""
    rows = connection.execute(_queries.alarms, {"with_normal": int(with_normal), "count": count})
    return [
        AlarmRow(
            id=row.id,
            key=row.key,
            kind=AlarmKind(row.kind),
            zone=row.zone,
            zone_vi=row.name_vi,
            zone_en=row.name_en,
            breach_key=row.breach_key,
            severity=Severity(row.severity),
            state=AlarmState(row.state),
            raised_at=row.raised_at,
            onset_at=row.onset_at,
            returned_at=row.returned_at,
            ack_by=row.ack_by,
            ack_at=row.ack_at,
            ack_note=row.ack_note,
            is_detected_late=bool(row.detected_late),
        )
        for row in rows
    ]


def record_of(connection: Connection, alarm_id: int) -> list[RecordRow]:
    rows = connection.execute(_queries.alarm_events, {"alarm_id": alarm_id})
    return [RecordRow(row.at, AlarmEventKind(row.kind), row.by, row.note) for row in rows]


def acknowledge(connection: Connection, alarm_id: int, *, by: str, note: str | None, now_ms: int) -> AlarmEvent | None:
    """None when it had been acknowledged before: the first name stays. Raises UnknownAlarmError."""
    row = connection.execute(_queries.alarm_by_id, {"id": alarm_id}).first()
    if row is None:
        raise UnknownAlarmError(alarm_id)
    alarm = StoredAlarm(row.id, AlarmKind(row.kind), row.zone_id, AlarmState(row.state), row.ack_at is not None)
    if alarm.is_acknowledged or alarm.state is AlarmState.NORMAL:
        return None
    state = state_of(is_true=alarm.state is AlarmState.UNACKNOWLEDGED, is_acknowledged=True)
    connection.execute(
        _queries.acknowledge_alarm, {"id": alarm.id, "state": state, "by": by, "at": now_ms, "note": note}
    )
    event = AlarmEvent(
        alarm.id, AlarmEventKind.ACKNOWLEDGED, now_ms, state, alarm.zone_id, alarm.kind, by=by, note=note
    )
    return write_event(connection, event)


def alarm_of_breach(connection: Connection, breach_key: str) -> StoredAlarm | None:
    row = connection.execute(_queries.alarm_of_breach, {"breach_key": breach_key}).first()
    if row is None:
        return None
    return StoredAlarm(row.id, AlarmKind(row.kind), row.zone_id, AlarmState(row.state), row.ack_at is not None)


def write_event(connection: Connection, event: AlarmEvent) -> AlarmEvent:
    connection.execute(
        _queries.insert_alarm_event,
        {"alarm_id": event.alarm_id, "at": event.at, "kind": event.kind, "by": event.by, "note": event.note},
    )
    return event


def alarms_since(connection: Connection) -> int:
    """Breaches that ended before this time are history and alarm nobody."""
    return int(connection.scalar(_queries.setting, {"key": _ALARMS_SINCE}) or 0)


def set_alarms_since(connection: Connection, at: int) -> None:
    """For a site whose past is brought in: its old breaches are kept, but nobody is asked to respond to them."""
    connection.execute(_queries.set_setting, {"key": _ALARMS_SINCE, "value": str(at)})
