"""Readings in the database: the one hot way in, and the ways out that everybody shares."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection

from cloud.store.queries import load_queries

_queries = load_queries("cloud.store")

ReadingRow = tuple[int, int, int, float | None, int, int]
"""series_id, observed_at, clock_id, value, detail, batch_id"""

LatestRow = tuple[int, int, float | None, int, int]
"""series_id, observed_at, value, detail, received_at"""


class StoredReading(NamedTuple):
    observed_at: int
    value: float | None
    detail: int


class LatestReading(NamedTuple):
    series_id: int
    gateway: str
    device: str
    point: str
    unit: str
    quantity: str
    observed_at: int
    value: float | None
    detail: int
    received_at: int

    @property
    def name(self) -> str:
        return f"{self.gateway}/{self.device}/{self.point}"


class Bucket(NamedTuple):
    """`low`, `mean`, `high` are None where nothing but bad readings came; `total` includes the bad."""

    at: int
    low: float | None
    mean: float | None
    high: float | None
    total: int
    bad: int


class Series(NamedTuple):
    id: int
    unit: str
    quantity: str


def insert_readings(connection: Connection, rows: Iterable[ReadingRow]) -> int:
    """How many were new. A row whose key is there already changes nothing."""
    return _insert_many(
        connection,
        "INSERT INTO reading (series_id, observed_at, clock_id, value, detail, batch_id)"
        " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        rows,
    )


def upsert_latest(connection: Connection, rows: Iterable[LatestRow]) -> None:
    """Only ever towards the newer: a late batch does not turn a screen back."""
    _insert_many(
        connection,
        "INSERT INTO latest (series_id, observed_at, value, detail, received_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (series_id) DO UPDATE SET observed_at = excluded.observed_at, value = excluded.value,"
        " detail = excluded.detail, received_at = excluded.received_at"
        " WHERE excluded.observed_at > latest.observed_at",
        rows,
    )


def latest(connection: Connection) -> list[LatestReading]:
    return [LatestReading(*row) for row in connection.execute(_queries.latest_readings)]


def range(connection: Connection, series_id: int, from_at: int, until_at: int) -> list[StoredReading]:  # noqa: A001  read as `readings.range`
    """In time order; `from_at` is within, `until_at` is not."""
    found = connection.execute(
        _queries.readings_between, {"series_id": series_id, "from_at": from_at, "until_at": until_at}
    )
    return [StoredReading(*row) for row in found]


def buckets(connection: Connection, series_id: int, from_at: int, until_at: int, n: int) -> list[Bucket]:
    """At most `n` buckets of equal width; those without a reading are left out."""
    width_ms = max(1, -((from_at - until_at) // n))
    found = connection.execute(
        _queries.reading_buckets,
        {"series_id": series_id, "from_at": from_at, "until_at": until_at, "width_ms": width_ms},
    )
    return [Bucket(from_at + number * width_ms, *rest) for number, *rest in found]


def series_by_name(connection: Connection, name: str) -> Series | None:
    """By full name, `gateway/device/point`."""
    parts = name.split("/")
    if len(parts) != len(("gateway", "device", "point")):
        return None
    gateway, device, point = parts
    found = connection.execute(_queries.series_by_name, {"gateway": gateway, "device": device, "point": point}).first()
    return None if found is None else Series(*found)


def reasons(connection: Connection) -> dict[int, str]:
    return {row.id: row.name for row in connection.execute(_queries.reasons)}


def _insert_many(connection: Connection, sql: str, rows: Iterable[tuple[object, ...]]) -> int:
    """Straight to the driver: at 100,000 rows a second every layer between is felt."""
    if connection.dialect.paramstyle != "qmark":
        sql = sql.replace("?", "%s")
    cursor = connection.connection.cursor()
    try:
        cursor.executemany(sql, rows)  # type: ignore[arg-type]  # drivers take any iterable, the protocol says sequence
        return int(cursor.rowcount)
    finally:
        cursor.close()
