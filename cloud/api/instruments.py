"""Gateways and their instruments: is every number we show still being measured?"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import Connection, Row

from cloud.api.context import Context, NoQuery
from cloud.api.times import At
from cloud.api.values import Measured, Name, Reasons, measured, read_reasons
from cloud.store.queries import load_queries

OWN_DEVICE = "gateway"
"""The device under which an agent reports its own health."""

_queries = load_queries("cloud.api")
router = APIRouter(prefix="/instruments", tags=["instruments"])


class PointSeen(BaseModel):
    point: str = Field(examples=["temperature"])
    quantity: str
    latest: Measured | None
    last_tag: str | None = Field(default=None, description="What a tag reader saw last, as hex")


class Device(BaseModel):
    device: str = Field(examples=["kho-lanh-a-probe"])
    zone: Name | None
    zone_key: str | None
    last_seen: At | None
    points: list[PointSeen]


class Gateway(BaseModel):
    gateway: str = Field(examples=["gw-01"])
    first_seen: At
    last_seen: At
    last_batch: At | None = Field(description="When the newest batch arrived")
    unanchored_batches: int = Field(description="Batches that wait for a known good clock")
    clock_error_ms: int | None = Field(description="What the newest clock anchor says of its own error")
    health: list[PointSeen] = Field(description="What the agent says about itself: buffer, backlog, bus load")
    devices: list[Device]


class GatewayList(BaseModel):
    now: At
    gateways: list[Gateway]


@router.get("")
def list_instruments(context: Context, _: NoQuery) -> GatewayList:
    """Every gateway with its devices, points, last values and the state of its clock."""
    now = context.now_ms()
    with context.store.read() as connection:
        return GatewayList(now=now, gateways=read_gateways(connection, now))


def read_gateways(connection: Connection, now_ms: int) -> list[Gateway]:
    reasons = read_reasons(connection)
    points: defaultdict[int, list[Row[Any]]] = defaultdict(list)
    for point in connection.execute(_queries.instrument_points, {"now": now_ms}):
        points[point.gateway_id].append(point)
    return [_gateway(row, points[row.id], reasons) for row in connection.execute(_queries.gateways)]


def _gateway(row: Row[Any], points: Iterable[Row[Any]], reasons: Reasons) -> Gateway:
    by_device: defaultdict[str, list[Row[Any]]] = defaultdict(list)
    for point in points:
        by_device[point.device].append(point)
    own = by_device.pop(OWN_DEVICE, [])
    return Gateway(
        gateway=row.name,
        first_seen=row.first_seen_at,
        last_seen=row.last_seen_at,
        last_batch=row.last_batch_at,
        unanchored_batches=row.unanchored,
        clock_error_ms=row.clock_error_ms,
        health=[_point(point, reasons) for point in own],
        devices=[_device(name, rows, reasons) for name, rows in by_device.items()],
    )


def _device(name: str, rows: list[Row[Any]], reasons: Reasons) -> Device:
    home = next((row for row in rows if row.zone_key), None)
    return Device(
        device=name,
        zone=Name(vi=home.zone_vi, en=home.zone_en) if home else None,
        zone_key=home.zone_key if home else None,
        last_seen=max((row.seen_at for row in rows if row.seen_at is not None), default=None),
        points=[_point(row, reasons) for row in rows],
    )


def _point(row: Row[Any], reasons: Reasons) -> PointSeen:
    latest = None if row.observed_at is None else measured(row, reasons)
    return PointSeen(point=row.point, quantity=row.quantity, latest=latest, last_tag=row.last_epc)
