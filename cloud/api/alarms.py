"""Alarms: what asks a person to respond, and the response."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy import Connection, Row

from cloud import alarms
from cloud.api.context import Context, NoQuery, Strict
from cloud.api.problems import ProblemError
from cloud.api.times import At
from cloud.api.values import Name
from cloud.api.zones import LotPresent, lot_present
from cloud.live import Change
from cloud.lots import lots_of_breach
from cloud.store.queries import load_queries

_queries = load_queries("cloud.api")
router = APIRouter(prefix="/alarms", tags=["alarms"])

AlarmState = Literal["unacknowledged", "acknowledged", "returned_unacknowledged", "normal"]


class AlarmLimit(BaseModel):
    key: str = Field(examples=["high"])
    kind: Literal["above", "below"]
    quantity: str = Field(description="What it watches; `defrost` and `door_open` are 0 or 1 and judge no lot")
    setpoint: str
    on_delay_s: int
    version: int
    citation: str


class AlarmEvent(BaseModel):
    at: At
    kind: str = Field(examples=["raised"])
    by: str | None
    note: str | None


class Alarm(BaseModel):
    id: int
    kind: Literal["breach", "no_data"]
    severity: Literal["low", "medium", "high"]
    state: AlarmState
    zone: str
    zone_name: Name
    onset_at: At
    raised_at: At
    returned_at: At | None
    ack_by: str | None
    ack_at: At | None
    ack_note: str | None
    detected_late: bool
    limit: AlarmLimit | None = Field(description="The limit as it was when the breach began")
    breach: str | None
    extreme: float | None
    extreme_at: At | None
    lots: int = Field(description="Lots that were in the zone between onset and return")


class AlarmDetail(Alarm):
    lots_there: list[LotPresent]
    events: list[AlarmEvent]


class AlarmList(BaseModel):
    now: At
    alarms: list[Alarm]


class AlarmQuery(Strict):
    state: Literal["open", "all"] = "open"
    limit: int = Field(default=200, ge=1, le=1000)


class Acknowledgement(Strict):
    by: str = Field(min_length=1, max_length=80, examples=["Nguyễn Thị Mai"])
    note: str = Field(default="", max_length=500, examples=["Đã đóng cửa kho"])


@router.get("")
def list_alarms(context: Context, query: Annotated[AlarmQuery, Query()]) -> AlarmList:
    """Open alarms, or all of them, newest first."""
    now = context.now_ms()
    with context.store.read() as connection:
        only_open = query.state == "open"
        return AlarmList(now=now, alarms=read_alarms(connection, only_open=only_open, limit=query.limit, now_ms=now))


@router.get("/{alarm_id}")
def show_alarm(alarm_id: int, context: Context, _: NoQuery) -> AlarmDetail:
    """One alarm with everything that happened to it."""
    with context.store.read() as connection:
        return find_alarm(connection, alarm_id, context.now_ms())


@router.post("/{alarm_id}/acknowledge")
def acknowledge_alarm(alarm_id: int, body: Acknowledgement, context: Context, _: NoQuery) -> AlarmDetail:
    """A named person has seen it. Again changes nothing: the first name stays."""
    now = context.now_ms()
    try:
        with context.store.write() as connection:
            event = alarms.acknowledge(connection, alarm_id, by=body.by, note=body.note or None, now_ms=now)
    except alarms.UnknownAlarmError as error:
        raise ProblemError(404, "unknown_alarm", str(error)) from error
    with context.store.read() as connection:
        alarm = find_alarm(connection, alarm_id, now)
    if event is not None:
        context.hub.publish_changed([Change("alarm", str(alarm_id)), Change("zone", alarm.zone)])
    return alarm


def read_alarms(connection: Connection, *, only_open: bool, limit: int, now_ms: int) -> list[Alarm]:
    wanted = {"only_open": int(only_open), "limit": limit, "now": now_ms, "id": None}
    return [Alarm.model_validate(_facts(row)) for row in connection.execute(_queries.alarms, wanted)]


def find_alarm(connection: Connection, alarm_id: int, now_ms: int) -> AlarmDetail:
    wanted = {"only_open": 0, "limit": 1, "now": now_ms, "id": alarm_id}
    row = connection.execute(_queries.alarms, wanted).one_or_none()
    if row is None:
        raise ProblemError(404, "unknown_alarm", f"no alarm {alarm_id}")
    there = [lot_present(lot) for lot in lots_of_breach(connection, row.breach or "", now_ms)]
    events = connection.execute(_queries.alarm_events, {"alarm_id": alarm_id}).all()
    return AlarmDetail.model_validate({**_facts(row), "events": _events(events), "lots_there": there})


def _facts(row: Row[Any]) -> dict[str, Any]:  # Any: pydantic checks each on the way in
    facts = dict(row._mapping)  # noqa: SLF001  SQLAlchemy's public name for a row as a mapping
    limit = {key: facts.pop(f"limit_{key}") for key in _LIMIT_FACTS}
    name = {"vi": facts.pop("zone_vi"), "en": facts.pop("zone_en")}
    return {**facts, "zone_name": name, "limit": limit if limit["kind"] else None}


_LIMIT_FACTS = ("key", "kind", "quantity", "setpoint", "on_delay_s", "version", "citation")


def _events(rows: Sequence[Row[Any]]) -> list[AlarmEvent]:
    return [AlarmEvent(at=row.at, kind=row.kind, by=row.by, note=row.note) for row in rows]
