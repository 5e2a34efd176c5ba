"""One alarm as a row: on the wall's rail and in the list of alarms."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from cloud.api.alarms import Alarm, read_alarms
from cloud.api.zones import Zone
from cloud.web import states
from cloud.web.pages import Page


@dataclass(frozen=True, slots=True)
class AlarmRow:
    alarm: Alarm
    look: str
    icon: str
    title: str
    since: str
    value: str
    unit: str
    points: str

    @property
    def is_open(self) -> bool:
        """Still true, or nobody has taken it."""
        return self.alarm.state in ("unacknowledged", "acknowledged")


def open_alarm_rows(page: Page, connection: Connection, zones: Sequence[Zone]) -> list[AlarmRow]:
    alarms = read_alarms(connection, only_open=True, limit=50, now_ms=page.now_ms)
    by_key = {zone.key: zone for zone in zones}
    return sorted((alarm_row(page, alarm, by_key[alarm.zone]) for alarm in alarms), key=_urgency)


def alarm_row(page: Page, alarm: Alarm, zone: Zone) -> AlarmRow:
    look = states.ALARMS[alarm.state]
    silent = zone.state == "unknown" or zone.shown is None
    return AlarmRow(
        alarm=alarm,
        look="acknowledged-unknown" if alarm.state == "acknowledged" and alarm.kind == "no_data" else look.tone,
        icon="unknown" if alarm.kind == "no_data" and alarm.state != "normal" else look.icon,
        title=title_of(page, alarm),
        since=since(page, alarm),
        value="?" if silent or zone.shown is None else page.formats.number(zone.shown.value),
        unit="" if silent or zone.shown is None else page.formats.unit(zone.shown.unit),
        points=" ".join(zone.speaking),
    )


def title_of(page: Page, alarm: Alarm) -> str:
    return page.name(alarm.zone_name) + ": " + page.words(machinery_words(alarm) or states.ALARM_KINDS[alarm.kind])


def machinery_words(alarm: Alarm) -> str | None:
    """For an alarm of the room's machinery, which tells nothing of its temperature."""
    if alarm.limit is None:
        return None
    return states.MACHINERY_ALARMS.get((alarm.limit.quantity, alarm.limit.kind))


def since(page: Page, alarm: Alarm) -> str:
    """State and since when, and by whom if a person has acted."""
    words, f = page.words, page.formats
    if alarm.state == "acknowledged":
        return words("Acknowledged by {by}, {at}", by=alarm.ack_by, at=f.when(alarm.ack_at or alarm.raised_at))
    if alarm.state == "returned_unacknowledged":
        if alarm.detected_late:
            return words("Detected late, already over {at}", at=f.when(alarm.returned_at or alarm.raised_at))
        return words("Returned {at}, unacknowledged", at=f.when(alarm.returned_at or alarm.raised_at))
    if alarm.state == "normal":
        return words("Closed {at}", at=f.when(alarm.returned_at or alarm.raised_at))
    return words("Unacknowledged for {duration}", duration=f.duration(page.now_ms - alarm.raised_at))


def _urgency(row: AlarmRow) -> tuple[int, int, int]:
    order = ("unacknowledged", "acknowledged", "returned_unacknowledged", "normal")
    severity = ("high", "medium", "low")
    return order.index(row.alarm.state), severity.index(row.alarm.severity), -row.alarm.raised_at
