"""Zones: what each is like now, and one zone over time."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field
from sqlalchemy import Connection, Row

from cloud.api.context import Context, NoQuery, Strict
from cloud.api.problems import Fault, ProblemError
from cloud.api.series import Bucket, holes, read_buckets, step_for, uncertain_stretches
from cloud.api.times import At, AtFromOutside
from cloud.api.values import Measured, Name, Reasons, exact, measured, quality_of, read_reasons, time_is_uncertain
from cloud.api.zone_state import (
    MAX_GAP_MS,
    Bounds,
    OpenBreach,
    PointNow,
    Quality,
    State,
    ZoneNow,
    zone_now,
)
from cloud.live import LiveValue
from cloud.lots.repository import AIR, LotPresence, lots_in_zone
from cloud.site.repository import zone_by_key
from cloud.store.queries import load_queries

MAIN_QUANTITY = AIR
LOOK_BACK_MS = 86_400_000
LONGEST_RANGE_MS = 3 * 366 * 86_400_000
_queries = load_queries("cloud.api")
Newest = Callable[[str], LiveValue | None]
_Rows = Sequence[Row[Any]]  # Any: a row of a textual query has no static shape


class Limit(BaseModel):
    key: str = Field(examples=["frozen-air"])
    kind: Literal["above", "below"]
    quantity: str
    setpoint: str = Field(description="Exact decimal", examples=["-18"])
    deadband: str
    on_delay_s: int
    off_delay_s: int
    max_gap_s: int
    severity: Literal["low", "medium", "high"]
    citation: str
    version: int


class Point(BaseModel):
    point: str = Field(examples=["gw-01/kho-lanh-a-probe/temperature"])
    role: str = Field(description="The quantity it tells of the zone", examples=["air_temperature"])
    quantity: str | None
    latest: Measured | None


class BreachNow(BaseModel):
    key: str
    limit: str
    status: Literal["pending", "active"]
    onset_at: At
    due_at: At = Field(description="When a pending breach becomes an alarm if nothing changes")


class LotsInside(BaseModel):
    count: int
    quantity_kg: str = Field(examples=["21400"])


class Zone(BaseModel):
    key: str = Field(examples=["kho-lanh-a"])
    name: Name
    site: Name
    state: State
    since: At | None
    unacknowledged: bool
    shown: Measured | None = Field(description="The value that speaks for the zone: its worst fresh point")
    shown_point: str | None
    low: str | None = Field(description="Tightest lower limit of the main quantity")
    high: str | None = Field(description="Tightest upper limit of the main quantity")
    max_gap_s: int = Field(description="A value counts this long; older means unknown")
    limits: list[Limit]
    breaches: list[BreachNow]
    points: list[Point]
    lots: LotsInside

    @property
    def speaking(self) -> list[str]:
        """The points whose worst value speaks for the zone; others tell of its machinery."""
        return [point.point for point in self.points if point.role == MAIN_QUANTITY]


class ZoneList(BaseModel):
    now: At
    zones: list[Zone]


class Buckets(BaseModel):
    """Columns of equal length; empty buckets are left out. Statistics are numbers, measured values are text."""

    at: list[At]
    min: list[float]
    mean: list[float]
    max: list[float]
    count: list[int]


class Gap(BaseModel):
    from_at: At
    until_at: At


class Breach(BaseModel):
    key: str
    version: int
    limit: str
    kind: Literal["above", "below"]
    setpoint: str
    severity: str
    status: Literal["pending", "active", "ended"]
    onset_at: At
    confirmed_at: At | None
    ended_at: At | None
    extreme: float | None
    extreme_at: At | None


class LotPresent(BaseModel):
    key: str
    name: Name
    quantity_kg: str | None
    from_at: At
    until_at: At | None


class ZoneSeries(BaseModel):
    zone: str
    quantity: str
    unit: str
    now: At
    from_at: At
    until_at: At
    step_s: int
    low: str | None
    high: str | None
    buckets: Buckets
    gaps: list[Gap]
    uncertain: list[Gap] = Field(description="Values whose time is only bounded: the gateway had no good clock")
    breaches: list[Breach]
    lots: list[LotPresent]


class SeriesQuery(Strict):
    """`from` defaults to 24 hours before `until`, `until` to now."""

    from_at: AtFromOutside | None = Field(default=None, alias="from")
    until_at: AtFromOutside | None = Field(default=None, alias="until")
    buckets: int = Field(default=720, ge=1, le=5000)


router = APIRouter(prefix="/zones", tags=["zones"])
ZoneKey = Annotated[str, Path(examples=["kho-lanh-a"])]


@router.get("")
def list_zones(context: Context, _: NoQuery) -> ZoneList:
    """All zones as they are now, in the order of the wall."""
    now = context.now_ms()
    with context.store.read() as connection:
        return ZoneList(now=now, zones=read_zones(connection, now, context.hub.newest))


@router.get("/{key}")
def show_zone(key: ZoneKey, context: Context, _: NoQuery) -> Zone:
    """One zone as it is now."""
    with context.store.read() as connection:
        return find_zone(connection, key, context.now_ms(), context.hub.newest)


@router.get("/{key}/series")
def show_series(key: ZoneKey, query: Annotated[SeriesQuery, Query()], context: Context) -> ZoneSeries:
    """The zone's temperature in buckets, with holes, breaches and the lots that were there."""
    now = context.now_ms()
    until = query.until_at or now
    begin = query.from_at if query.from_at is not None else until - 86_400_000
    _check_range(begin, until)
    with context.store.read() as connection:
        zone = find_zone(connection, key, now)
        return read_zone_series(connection, zone, begin, until, buckets=query.buckets, now_ms=now)


def _nothing(_: str) -> LiveValue | None:
    return None


def read_zones(connection: Connection, now_ms: int, newest: Newest = _nothing) -> list[Zone]:
    """`newest` gives what the live lane last said of a point; it counts where it is newer than the store."""
    at_now = {"now": now_ms}
    points = _by_zone(connection.execute(_queries.zone_points, at_now))
    limits = _by_zone(connection.execute(_queries.zone_limits, at_now))
    breaches = _by_zone(connection.execute(_queries.open_breaches))
    lots = _by_zone(connection.execute(_queries.lots_inside))
    unacknowledged = set(connection.execute(_queries.unacknowledged_zones).scalars())
    reasons = read_reasons(connection)
    return [
        _zone(
            row,
            points=points[row.id],
            speaking=_speaking(connection, points[row.id], newest, now_ms),
            limits=limits[row.id],
            breaches=breaches[row.id],
            lots=lots[row.id],
            reasons=reasons,
            unacknowledged=row.id in unacknowledged,
            now_ms=now_ms,
        )
        for row in connection.execute(_queries.zones)
    ]


def find_zone(connection: Connection, key: str, now_ms: int, newest: Newest = _nothing) -> Zone:
    zones = read_zones(connection, now_ms, newest)
    for zone in zones:
        if zone.key == key:
            return zone
    known = ", ".join(zone.key for zone in zones) or "none yet"
    raise ProblemError(404, "unknown_zone", f"no zone {key!r}; known: {known}")


def read_zone_series(
    connection: Connection, zone: Zone, from_ms: int, until_ms: int, *, buckets: int, now_ms: int
) -> ZoneSeries:
    step = step_for(from_ms, until_ms, buckets)
    filled = read_buckets(connection, main_series(connection, now_ms)[zone.key], from_ms, until_ms, step)
    end = min(until_ms, now_ms)
    gaps = holes(filled, step, from_ms, end, max(zone.max_gap_s * 1000, step))
    between = {"zone_id": zone_id(connection, zone.key), "from_at": from_ms, "until_at": until_ms}
    return ZoneSeries(
        zone=zone.key,
        quantity=MAIN_QUANTITY,
        unit=zone.shown.unit if zone.shown else "°C",
        now=now_ms,
        from_at=from_ms,
        until_at=until_ms,
        step_s=step // 1000,
        low=zone.low,
        high=zone.high,
        buckets=_columns(filled),
        gaps=[Gap(from_at=gap.from_at, until_at=gap.until_at) for gap in gaps],
        uncertain=[Gap(from_at=one.from_at, until_at=one.until_at) for one in uncertain_stretches(filled, step)],
        breaches=[_breach(row) for row in connection.execute(_queries.breaches_between, between)],
        lots=[lot_present(lot) for lot in lots_in_zone(connection, between["zone_id"], from_ms, until_ms)],
    )


def read_breaches(connection: Connection, key: str, from_ms: int, until_ms: int) -> list[Breach]:
    between = {"zone_id": zone_id(connection, key), "from_at": from_ms, "until_at": until_ms}
    return [_breach(row) for row in connection.execute(_queries.breaches_between, between)]


def zone_id(connection: Connection, key: str) -> int:
    zone = zone_by_key(connection, key)
    if zone is None:
        raise ProblemError(404, "unknown_zone", f"no zone {key!r}")
    return zone.id


def main_series(connection: Connection, now_ms: int) -> dict[str, list[int]]:
    """For each zone the series that tell its main quantity."""
    found: dict[int, list[int]] = defaultdict(list)
    for row in connection.execute(_queries.zone_points, {"now": now_ms}):
        if row.series_id is not None and row.role == MAIN_QUANTITY:
            found[row.zone_id].append(row.series_id)
    return {row.key: found[row.id] for row in connection.execute(_queries.zones)}


def bounds_of(limits: Iterable[Limit]) -> Bounds:
    main = [limit for limit in limits if limit.quantity == MAIN_QUANTITY]
    return Bounds(
        low=max((float(limit.setpoint) for limit in main if limit.kind == "below"), default=None),
        high=min((float(limit.setpoint) for limit in main if limit.kind == "above"), default=None),
        max_gap_ms=min((limit.max_gap_s * 1000 for limit in main), default=MAX_GAP_MS),
    )


def _zone(
    row: Row[Any],
    *,
    points: _Rows,
    speaking: Sequence[PointNow],
    limits: _Rows,
    breaches: _Rows,
    lots: _Rows,
    reasons: Reasons,
    unacknowledged: bool,
    now_ms: int,
) -> Zone:
    rules = [Limit.model_validate(limit, from_attributes=True) for limit in limits]
    bounds = bounds_of(rules)
    views = [_point(point, reasons) for point in points]
    now = _judge(speaking, bounds, breaches, now_ms)
    return Zone(
        key=row.key,
        name=Name(vi=row.name_vi, en=row.name_en),
        site=Name(vi=row.site_vi, en=row.site_en),
        state=now.state,
        since=now.since,
        unacknowledged=unacknowledged,
        shown=_shown(now.shown, points),
        shown_point=now.shown.series_name if now.shown else None,
        low=_tightest(rules, "below"),
        high=_tightest(rules, "above"),
        max_gap_s=bounds.max_gap_ms // 1000,
        limits=rules,
        breaches=[_breach_now(breach) for breach in breaches],
        points=views,
        lots=LotsInside(count=len(lots), quantity_kg=str(_sum(lot.quantity_kg for lot in lots))),
    )


def _speaking(connection: Connection, points: _Rows, newest: Newest, now_ms: int) -> list[PointNow]:
    """The newest value of each point; behind a bad reading, the last good one with its own older time."""
    found = []
    for point in points:
        if point.role != MAIN_QUANTITY:
            continue
        stored = _stored(connection, point, now_ms)
        live = _live(newest(point.series_name))
        both = [now for now in (stored, live) if now is not None]
        found.extend(sorted(both, key=lambda now: now.observed_at)[-1:])
    return found


def _stored(connection: Connection, point: Row[Any], now_ms: int) -> PointNow | None:
    row: Row[Any] | None = point if point.observed_at is not None else None
    if row is not None and quality_of(row.detail) == "bad":
        wanted = {"series_id": point.series_id, "after": now_ms - LOOK_BACK_MS, "now": now_ms}
        row = connection.execute(_queries.last_good, wanted).one_or_none()
    if row is None or row.value is None:
        return None
    text = exact(row.value, row.detail) or ""
    return PointNow(point.series_name, row.value, text, quality_of(row.detail), row.observed_at)


def _live(value: LiveValue | None) -> PointNow | None:
    """The live lane runs ahead of the store, by hours while a backlog drains."""
    if value is None or value.value is None or value.quality == "bad":
        return None
    quality: Quality = "good" if value.quality == "good" else "uncertain"
    return PointNow(value.point, float(value.value), value.value, quality, value.observed_at)


def _shown(now: PointNow | None, points: _Rows) -> Measured | None:
    if now is None:
        return None
    point = next(point for point in points if point.series_name == now.series_name)
    is_stored = point.observed_at == now.observed_at
    return Measured(
        value=now.text,
        unit=point.unit,
        quality=now.quality,
        observed_at=now.observed_at,
        received_at=point.received_at if is_stored else None,
        time_uncertain=is_stored and time_is_uncertain(point.detail),
    )


def _judge(speaking: Sequence[PointNow], bounds: Bounds, breaches: _Rows, now_ms: int) -> ZoneNow:
    opened = [
        OpenBreach(breach.status, breach.onset_at, breach.onset_at + breach.on_delay_s * 1000) for breach in breaches
    ]
    return zone_now(speaking, bounds, opened, now_ms)


def _point(row: Row[Any], reasons: Reasons) -> Point:
    return Point(
        point=row.series_name,
        role=row.role,
        quantity=row.quantity,
        latest=None if row.observed_at is None else measured(row, reasons),
    )


def _breach_now(row: Row[Any]) -> BreachNow:
    return BreachNow(
        key=row.key,
        limit=row.limit_key,
        status=row.status,
        onset_at=row.onset_at,
        due_at=row.onset_at + row.on_delay_s * 1000,
    )


def _breach(row: Row[Any]) -> Breach:
    return Breach(
        key=row.key,
        version=row.version,
        limit=row.limit_key,
        kind=row.kind,
        setpoint=row.setpoint,
        severity=row.severity,
        status=row.status,
        onset_at=row.onset_at,
        confirmed_at=row.confirmed_at,
        ended_at=row.ended_at,
        extreme=row.extreme,
        extreme_at=row.extreme_at,
    )


def lot_present(row: LotPresence) -> LotPresent:
    return LotPresent(
        key=row.key,
        name=Name(vi=row.name_vi, en=row.name_en),
        quantity_kg=row.quantity_kg,
        from_at=row.from_at,
        until_at=row.until_at,
    )


def _columns(buckets: Sequence[Bucket]) -> Buckets:
    return Buckets(
        at=[bucket.at for bucket in buckets],
        min=[round(bucket.low, 3) for bucket in buckets],
        mean=[round(bucket.mean, 3) for bucket in buckets],
        max=[round(bucket.high, 3) for bucket in buckets],
        count=[bucket.count for bucket in buckets],
    )


def _tightest(limits: Sequence[Limit], kind: Literal["above", "below"]) -> str | None:
    setpoints = [limit.setpoint for limit in limits if limit.kind == kind and limit.quantity == MAIN_QUANTITY]
    return (min if kind == "above" else max)(setpoints, key=Decimal, default=None)


def _sum(quantities: Iterable[str | None]) -> Decimal:
    return sum((Decimal(quantity) for quantity in quantities if quantity), Decimal(0))


def _by_zone(rows: Iterable[Row[Any]]) -> defaultdict[int, list[Row[Any]]]:
    found: defaultdict[int, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        found[row.zone_id].append(row)
    return found


def _check_range(from_ms: int, until_ms: int) -> None:
    if from_ms >= until_ms:
        fault = Fault(where="query.from", message="must be before until")
        raise ProblemError(422, "empty_range", "from must be before until", [fault])
    if until_ms - from_ms > LONGEST_RANGE_MS:
        fault = Fault(where="query.from", message="at most three years at once")
        raise ProblemError(422, "range_too_long", "at most three years at once", [fault])
