"""One stay in one zone: what was measured there meanwhile, which limits held, which breaches there were.

Resolution is one minute: each minute of a point shows its extremes, and the worst of them counts for the whole minute.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import Connection

from cloud.lots.repository import AIR
from cloud.lots.residence import Stay
from cloud.lots.verdict import Conditions
from cloud.site.repository import InstalledPoint, Zone, limits_of_zone, points_of_zone
from cloud.store import load_queries
from rules import Exposure, Limit, LimitKind, Observation, Segment, Severity, exposure, segments, unknown_spans

MINUTE_MS = 60_000
MAX_GAP_MS = 300_000  # where no limit says how long a value counts
KELVIN = 273.15
ACTIVATION_K = 10_000.0  # activation energy over gas constant, 83.144 kJ/mol over 8.3144 J/mol/K: USP <1079>
_queries = load_queries("cloud.lots")


class View(NamedTuple):
    """How a story is looked at: until when, how finely, and with the knowledge of which time (None: of now)."""

    now_ms: int
    bucket_ms: int
    known_at: int | None = None


class Minute(NamedTuple):
    at: int
    series_id: int
    low: float
    high: float
    total: float
    readings: int


class Bucket(NamedTuple):
    at: int
    low: float
    mean: float
    high: float


@dataclass(frozen=True, slots=True)
class LimitStep:
    """A limit that held while the lot was there: one step of the corridor in the chart."""

    key: str
    kind: LimitKind
    setpoint: Decimal
    severity: Severity
    from_at: int
    until_at: int


@dataclass(frozen=True, slots=True)
class StopBreach:
    """A confirmed breach of the zone, as far as the lot was there."""

    key: str
    limit: str
    kind: LimitKind
    setpoint: Decimal
    severity: Severity
    onset_at: int
    ended_at: int | None
    extreme: float
    exposed_from: int
    exposed_until: int

    @property
    def exposed_minutes(self) -> float:
        return (self.exposed_until - self.exposed_from) / MINUTE_MS


@dataclass(frozen=True, slots=True)
class Stop:
    """One stay in one zone. `until_at` None: it is there now."""

    zone: str
    name_vi: str
    name_en: str
    from_at: int
    until_at: int | None
    minimum: float | None
    maximum: float | None
    mean: float | None
    minutes_above: float
    minutes_below: float
    degree_minutes_above: float
    kinetic_mean: float | None  # shown, never judged by: it says nothing about food
    unknown_minutes: float
    coverage: float
    limits: Sequence[LimitStep]
    unknown: Sequence[tuple[int, int]]
    buckets: Sequence[Bucket]
    breaches: Sequence[StopBreach]


def tell_stop(connection: Connection, zone: Zone, stay: Stay, view: View) -> tuple[Stop, Conditions]:
    end = end_of(stay, view.now_ms)
    limits = _limits_during(connection, zone.id, stay.from_at, end)
    points = points_of_zone(connection, zone.id, AIR)
    max_gap_ms = min((limit.max_gap_ms for limit in limits), default=MAX_GAP_MS)
    minutes = read_minutes(connection, points, stay.from_at - max_gap_ms, end, view.known_at)
    inside = [minute for minute in minutes if minute.at + MINUTE_MS > stay.from_at]
    known = exposure(None, _segments(minutes, LimitKind.ABOVE, max_gap_ms, stay.from_at, end))
    stop = Stop(
        zone=zone.key,
        name_vi=zone.name_vi,
        name_en=zone.name_en,
        from_at=stay.from_at,
        until_at=None if stay.until_at is None or stay.until_at > view.now_ms else stay.until_at,
        minimum=min((minute.low for minute in inside), default=None),
        maximum=max((minute.high for minute in inside), default=None),
        mean=_mean(inside),
        minutes_above=_minutes_beyond(limits, LimitKind.ABOVE, minutes, stay.from_at, end),
        minutes_below=_minutes_beyond(limits, LimitKind.BELOW, minutes, stay.from_at, end),
        degree_minutes_above=_degree_minutes(limits, minutes, stay.from_at, end),
        kinetic_mean=mean_kinetic_temperature([minute.total / minute.readings for minute in inside]),
        unknown_minutes=known.unknown_ms / MINUTE_MS,
        coverage=known.coverage,
        limits=[_step(limit, stay.from_at, end) for limit in limits],
        unknown=unknown_spans(_segments(minutes, LimitKind.ABOVE, max_gap_ms, stay.from_at, end)),
        buckets=bucketed(inside, view.bucket_ms),
        breaches=_breaches_during(connection, zone.id, stay.from_at, end, view.known_at),
    )
    return stop, _conditions(stop, known, is_measured=bool(points))


def end_of(stay: Stay, now_ms: int) -> int:
    return now_ms if stay.until_at is None else min(stay.until_at, now_ms)


def read_minutes(
    connection: Connection,
    points: Iterable[InstalledPoint],
    from_at: int,
    until_at: int,
    known_at: int | None = None,
) -> list[Minute]:
    """In time order, over all points as long as each was installed."""
    query = _queries.minutes_between if known_at is None else _queries.minutes_known
    found = []
    for point in points:
        rows = connection.execute(
            query,
            {
                "known_at": known_at,
                "series_id": point.series_id,
                "from_at": max(from_at, point.from_at),
                "until_at": until_at if point.until_at is None else min(until_at, point.until_at),
            },
        )
        found += [Minute(row.minute, point.series_id, row.low, row.high, row.total, row.readings) for row in rows]
    return sorted(found)


def bucketed(minutes: Iterable[Minute], bucket_ms: int) -> list[Bucket]:
    """Whole minutes gathered into buckets; an empty bucket is left out."""
    gathered: dict[int, list[Minute]] = {}
    for minute in minutes:
        gathered.setdefault(minute.at - minute.at % bucket_ms, []).append(minute)
    return [
        Bucket(
            at,
            min(minute.low for minute in group),
            sum(minute.total for minute in group) / sum(minute.readings for minute in group),
            max(minute.high for minute in group),
        )
        for at, group in sorted(gathered.items())
    ]


def mean_kinetic_temperature(celsius: Sequence[float]) -> float | None:
    """The one temperature that would have done as much, by Arrhenius; over equal times."""
    if not celsius:
        return None
    rate = sum(math.exp(-ACTIVATION_K / (value + KELVIN)) for value in celsius) / len(celsius)
    return ACTIVATION_K / -math.log(rate) - KELVIN


def _limits_during(connection: Connection, zone_id: int, from_at: int, until_at: int) -> list[Limit]:
    return [
        held.limit
        for held in limits_of_zone(connection, zone_id)
        if held.limit.quantity == AIR
        and held.limit.valid_from < until_at
        and (held.limit.valid_until is None or held.limit.valid_until > from_at)
    ]


def _breaches_during(
    connection: Connection, zone_id: int, from_at: int, until_at: int, known_at: int | None
) -> list[StopBreach]:
    query = _queries.breaches_between if known_at is None else _queries.breaches_known
    span = {"zone_id": zone_id, "from_at": from_at, "until_at": until_at, "known_at": known_at}
    rows = connection.execute(query, span)
    return [
        StopBreach(
            key=row.key,
            limit=row.limit_key,
            kind=LimitKind(row.kind),
            setpoint=Decimal(row.setpoint),
            severity=Severity(row.severity),
            onset_at=row.onset_at,
            ended_at=row.ended_at,
            extreme=row.extreme,
            exposed_from=max(row.onset_at, from_at),
            exposed_until=until_at if row.ended_at is None else min(row.ended_at, until_at),
        )
        for row in rows
    ]


def _minutes_beyond(
    limits: Iterable[Limit], kind: LimitKind, minutes: Sequence[Minute], from_at: int, until_at: int
) -> float:
    """Known time beyond the limits of one kind, each while it held."""
    beyond_ms = 0
    for limit in limits:
        if limit.kind is kind:
            begin, end = _held(limit, from_at, until_at)
            beyond_ms += exposure(limit, _segments(minutes, kind, limit.max_gap_ms, begin, end)).beyond_ms
    return beyond_ms / MINUTE_MS


def _degree_minutes(limits: Iterable[Limit], minutes: Sequence[Minute], from_at: int, until_at: int) -> float:
    """How far above a limit, times how long, for all upper limits."""
    total = 0.0
    for limit in limits:
        if limit.kind is LimitKind.ABOVE:
            begin, end = _held(limit, from_at, until_at)
            setpoint = float(limit.setpoint)
            total += sum(
                (value - setpoint) * (until - since) / MINUTE_MS
                for since, until, value in _segments(minutes, limit.kind, limit.max_gap_ms, begin, end)
                if value is not None and value > setpoint
            )
    return total


def _segments(
    minutes: Iterable[Minute], kind: LimitKind, max_gap_ms: int, from_at: int, until_at: int
) -> Iterable[Segment]:
    is_above = kind is LimitKind.ABOVE
    entries = [Observation(minute.at, minute.series_id, minute.high if is_above else minute.low) for minute in minutes]
    return segments(entries, sign=1 if is_above else -1, max_gap_ms=max_gap_ms, from_at=from_at, until_at=until_at)


def _step(limit: Limit, from_at: int, until_at: int) -> LimitStep:
    begin, end = _held(limit, from_at, until_at)
    return LimitStep(limit.key, limit.kind, limit.setpoint, limit.severity, begin, end)


def _held(limit: Limit, from_at: int, until_at: int) -> tuple[int, int]:
    end = until_at if limit.valid_until is None else min(until_at, limit.valid_until)
    return max(from_at, limit.valid_from), end


def _conditions(stop: Stop, known: Exposure, *, is_measured: bool) -> Conditions:
    return Conditions(
        zone=stop.zone,
        is_limited=bool(stop.limits),
        is_measured=is_measured,
        known_ms=known.known_ms,
        unknown_ms=known.unknown_ms,
        breaches=[breach.severity for breach in stop.breaches],
    )


def _mean(minutes: Sequence[Minute]) -> float | None:
    readings = sum(minute.readings for minute in minutes)
    return sum(minute.total for minute in minutes) / readings if readings else None
