"""Alarms: the list says what to do next, the detail lets a person do it in one tap."""

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from cloud.api.alarms import Alarm, AlarmDetail, find_alarm, read_alarms
from cloud.api.zones import Zone, read_zones
from cloud.web.alarm_rows import AlarmRow, alarm_row, machinery_words
from cloud.web.pages import Page, ThisPage
from cloud.web.states import ALARM_EVENTS
from cloud.web.wall import site

router = APIRouter()
SHOWN = 200


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    rows: list[AlarmRow]


@router.get("/alarms", response_class=HTMLResponse, include_in_schema=False)
def show_alarms(page: ThisPage, a: int | None = None) -> HTMLResponse:
    with page.house.store.read() as connection:
        zones = read_zones(connection, page.now_ms, page.house.hub.newest)
        by_key = {zone.key: zone for zone in zones}
        listed = read_alarms(connection, only_open=False, limit=SHOWN, now_ms=page.now_ms)
        rows = [alarm_row(page, alarm, by_key[alarm.zone]) for alarm in listed]
        groups = group_rows(page, rows)
        first = next((group.rows[0].alarm.id for group in groups), None)
        chosen = a if a is not None else first
        detail = None if chosen is None else find_alarm(connection, chosen, page.now_ms)
    return page.render(
        "alarms.html",
        section="alarms",
        groups=groups,
        detail=detail,
        row=None if detail is None else alarm_row(page, detail, by_key[detail.zone]),
        zone=None if detail is None else by_key[detail.zone],
        why="" if detail is None else why(page, detail, by_key[detail.zone]),
        event_text=event_text,
        is_asked_for=a is not None,
        **site(page, zones, rows),
    )


def group_rows(page: Page, rows: list[AlarmRow]) -> list[Group]:
    """By what they ask of a person; empty groups are left out."""
    wanted = [
        (page.words("Needs a person"), ("unacknowledged", "returned_unacknowledged")),
        (page.words("Being handled"), ("acknowledged",)),
        (page.words("Closed"), ("normal",)),
    ]
    groups = [Group(title, [row for row in rows if row.alarm.state in inside]) for title, inside in wanted]
    return [group for group in groups if group.rows]


def why(page: Page, alarm: Alarm, zone: Zone) -> str:
    words, f = page.words, page.formats
    if alarm.kind == "no_data":
        last = zone.shown
        if last is None or last.value is None:
            return words("No reading has come from this zone.")
        value = f.quantity(last.value, last.unit)
        return words("No reading since {at}; the last one was {value}.", at=f.when(last.observed_at), value=value)
    if alarm.limit is None:
        return ""
    facts = {"setpoint": f.short(alarm.limit.setpoint), "delay": f.duration(alarm.limit.on_delay_s * 1000)}
    if machinery_words(alarm) is not None:
        return words("For longer than {delay}.", **facts)
    if alarm.limit.kind == "above":
        return words("Warmer than {setpoint} °C for longer than {delay}.", **facts)
    return words("Colder than {setpoint} °C for longer than {delay}.", **facts)


def event_text(page: Page, alarm: AlarmDetail, kind: str) -> str:
    if kind == "returned" and alarm.kind == "no_data":
        return page.words("Readings come again")
    return page.words(ALARM_EVENTS[kind]) if kind in ALARM_EVENTS else kind
