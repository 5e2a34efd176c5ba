"""Limits: which hold, and what another value would have done to the last days."""

from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from cloud.alarms.what_if import what_if
from cloud.api.context import Context, NoQuery, Strict
from cloud.api.problems import ProblemError
from cloud.api.times import At
from cloud.site.repository import ZoneLimit, limits_of_zone, zones
from rules import Breach, ContextKind, Limit

DAY_MS = 86_400_000
router = APIRouter(prefix="/limits", tags=["limits"])


class LimitFacts(BaseModel):
    id: int = Field(description="Of this version; a change makes a new one")
    zone: str
    key: str
    version: int
    kind: Literal["above", "below"]
    quantity: str
    setpoint: str = Field(description="Exact decimal", examples=["-18"])
    deadband: str
    on_delay_s: int
    context_delays_s: dict[ContextKind, int] = Field(description="Instead, counted from the start of the context")
    degree_minutes: str | None = Field(description="So much confirms a breach whatever the delays say")
    off_delay_s: int
    max_gap_s: int
    severity: Literal["low", "medium", "high"]
    citation: str
    is_about_goods: bool = Field(description="False: it watches machinery and judges no lot")
    valid_from: At


class LimitList(BaseModel):
    now: At
    limits: list[LimitFacts]


class Changes(Strict):
    """What to try; what is left out stays as it is."""

    setpoint: Decimal | None = None
    deadband: Decimal | None = Field(default=None, ge=0)
    on_delay_s: int | None = Field(default=None, ge=0, le=604_800)
    off_delay_s: int | None = Field(default=None, ge=0, le=604_800)
    defrost_delay_s: int | None = Field(default=None, ge=0, le=604_800, description="0: defrosts excuse nothing")
    degree_minutes: Decimal | None = Field(default=None, ge=0, description="0: never by heat alone")
    days: int = Field(default=14, ge=1, le=31)


class TriedBreach(BaseModel):
    onset_at: At
    confirmed_at: At
    ended_at: At | None
    extreme: float


class WhatIfAnswer(BaseModel):
    """`missed` are those of `gone` that lasted longer than any defrost or loading does."""

    limit: LimitFacts
    from_at: At
    until_at: At
    before: int = Field(description="Alarms with the limit as it is", examples=[9])
    after: int = Field(description="Alarms with the changed values", examples=[2])
    missed: list[TriedBreach]
    gone: list[TriedBreach]
    new: list[TriedBreach]


@router.get("")
def list_limits(context: Context, _: NoQuery) -> LimitList:
    """All limits in force, zone by zone."""
    with context.store.read() as connection:
        return LimitList(now=context.now_ms(), limits=read_limits(connection))


@router.get("/{limit_id}/what-if")
def try_limit(limit_id: int, context: Context, changes: Annotated[Changes, Query()]) -> WhatIfAnswer:
    """Replays the last days with changed values and writes nothing: "9 alarms -> 2, missed 0"."""
    now = context.now_ms()
    from_at = now - changes.days * DAY_MS
    with context.store.read() as connection:
        zone_id, held = _find(connection, limit_id)
        changed = _changed(held.limit, changes)
        outcome = what_if(connection, zone_id, held.limit, changed, from_at=from_at, until_at=now)
    return WhatIfAnswer(
        limit=_facts(held),
        from_at=from_at,
        until_at=now,
        before=len(outcome.before.breaches),
        after=len(outcome.after.breaches),
        missed=[_tried(breach) for breach in outcome.missed],
        gone=[_tried(breach) for breach in outcome.gone],
        new=[_tried(breach) for breach in outcome.new],
    )


def read_limits(connection: Connection) -> list[LimitFacts]:
    return [
        _facts(held)
        for zone in zones(connection)
        for held in limits_of_zone(connection, zone.id)
        if held.limit.valid_until is None
    ]


def _find(connection: Connection, limit_id: int) -> tuple[int, ZoneLimit]:
    for zone in zones(connection):
        for held in limits_of_zone(connection, zone.id):
            if held.id == limit_id:
                return zone.id, held
    raise ProblemError(404, "unknown_limit", f"no limit {limit_id}; GET /api/v1/limits lists them")


def _changed(limit: Limit, changes: Changes) -> Limit:
    plain = changes.model_dump(exclude_none=True, exclude={"days", "defrost_delay_s", "degree_minutes"})
    limit = replace(limit, **plain)
    if changes.degree_minutes is not None:
        limit = replace(limit, degree_minutes=changes.degree_minutes or None)
    if changes.defrost_delay_s is not None:
        delays = {**limit.context_delays_s, ContextKind.DEFROST: changes.defrost_delay_s}
        limit = replace(limit, context_delays_s={kind: delay_s for kind, delay_s in delays.items() if delay_s})
    return limit


def _facts(held: ZoneLimit) -> LimitFacts:
    limit = held.limit
    return LimitFacts(
        id=held.id,
        zone=limit.zone,
        key=limit.key,
        version=limit.version,
        kind=limit.kind.value,
        quantity=limit.quantity,
        setpoint=str(limit.setpoint),
        deadband=str(limit.deadband),
        on_delay_s=limit.on_delay_s,
        context_delays_s=dict(limit.context_delays_s),
        degree_minutes=None if limit.degree_minutes is None else str(limit.degree_minutes),
        off_delay_s=limit.off_delay_s,
        max_gap_s=limit.max_gap_s,
        severity=limit.severity.value,
        citation=limit.citation,
        is_about_goods=limit.is_about_goods,
        valid_from=limit.valid_from,
    )


def _tried(breach: Breach) -> TriedBreach:
    assert breach.confirmed_at is not None
    return TriedBreach(
        onset_at=breach.onset_at, confirmed_at=breach.confirmed_at, ended_at=breach.ended_at, extreme=breach.extreme
    )
