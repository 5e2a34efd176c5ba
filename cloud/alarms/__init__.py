"""From breaches to people: thinks dirty zones over, raises alarms, takes acknowledgements."""

from cloud.alarms.errors import AlarmError, UnknownAlarmError
from cloud.alarms.evaluate import evaluate
from cloud.alarms.lifecycle import AlarmEvent, AlarmEventKind, AlarmKind, AlarmState
from cloud.alarms.repository import AlarmRow, RecordRow, acknowledge, alarms, record_of, set_alarms_since
from cloud.alarms.silence import watch_silence

__all__ = [
    "AlarmError",
    "AlarmEvent",
    "AlarmEventKind",
    "AlarmKind",
    "AlarmRow",
    "AlarmState",
    "RecordRow",
    "UnknownAlarmError",
    "acknowledge",
    "alarms",
    "evaluate",
    "record_of",
    "set_alarms_since",
    "watch_silence",
]
