"""Zones, their limits, and what was observed in them, from the database."""

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row

from cloud.store import load_queries
from rules import ContextKind, Limit, LimitKind, Observation, Severity

_queries = load_queries("cloud.site")


@dataclass(frozen=True, slots=True)
class Zone:
    id: int
    site_id: int
    key: str
    name_vi: str
    name_en: str
    position: int


class ZoneLimit(NamedTuple):
    """One version of a limit with its row number, which breaches keep as their snapshot."""

    id: int
    limit: Limit


class InstalledPoint(NamedTuple):
    series_id: int
    from_at: int
    until_at: int | None


def zones(connection: Connection) -> list[Zone]:
    return [Zone(*row) for row in connection.execute(_queries.zones)]


def zone_by_key(connection: Connection, key: str) -> Zone | None:
    row = connection.execute(_queries.zone_by_key, {"key": key}).first()
    return None if row is None else Zone(*row)


def limits_of_zone(connection: Connection, zone_id: int) -> list[ZoneLimit]:
    """Every version that ever held, so that the past is judged by the limits of its time."""
    return [_zone_limit(row) for row in connection.execute(_queries.limits_of_zone, {"zone_id": zone_id})]


def points_of_zone(connection: Connection, zone_id: int, quantity: str) -> list[InstalledPoint]:
    """A point that has not spoken yet has no series and is not among them."""
    found = connection.execute(_queries.points_of_zone, {"zone_id": zone_id, "quantity": quantity})
    return [InstalledPoint(*row) for row in found]


def observations(
    connection: Connection, points: list[InstalledPoint], from_at: int, until_at: int
) -> list[Observation]:
    """What the points told while they were installed, in time order."""
    found: list[Observation] = []
    for point in points:
        rows = connection.execute(_queries.values_between, _within(point, from_at, until_at))
        found += [Observation(at, point.series_id, value) for at, value in rows]
    if len(points) > 1:
        found.sort()
    return found


def next_observation_at(
    connection: Connection, points: list[InstalledPoint], from_at: int, until_at: int
) -> int | None:
    moments = [connection.scalar(_queries.next_value_at, _within(point, from_at, until_at)) for point in points]
    return min((at for at in moments if at is not None), default=None)


def last_observation_at(
    connection: Connection, points: list[InstalledPoint], from_at: int, until_at: int
) -> int | None:
    moments = [connection.scalar(_queries.last_value_at, _within(point, from_at, until_at)) for point in points]
    return max((at for at in moments if at is not None), default=None)


def mark_zone_dirty(connection: Connection, zone_id: int, from_at: int, until_at: int) -> None:
    connection.execute(_queries.mark_zone_dirty, {"zone_id": zone_id, "from_at": from_at, "until_at": until_at})


def _within(point: InstalledPoint, from_at: int, until_at: int) -> dict[str, int]:
    return {
        "series_id": point.series_id,
        "from_at": max(from_at, point.from_at),
        "until_at": until_at if point.until_at is None else min(until_at, point.until_at),
    }


def _zone_limit(row: Row[Any]) -> ZoneLimit:  # Any: a row of a textual query has no static shape
    facts = dict(row._mapping)  # noqa: SLF001  SQLAlchemy's public name for a row as a mapping
    number = facts.pop("id")
    facts["kind"] = LimitKind(facts["kind"])
    facts["severity"] = Severity(facts["severity"])
    facts["setpoint"] = Decimal(facts["setpoint"])
    facts["deadband"] = Decimal(facts["deadband"])
    delays = json.loads(facts.pop("context_delays"))
    facts["context_delays_s"] = {ContextKind(kind): delay_s for kind, delay_s in delays.items()}
    heat = facts.pop("degree_minutes")
    facts["degree_minutes"] = None if heat is None else Decimal(heat)
    return ZoneLimit(number, Limit(**facts))
