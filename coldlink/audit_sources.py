"""Where the audit reads: the simulator's ledger, and the cloud's database, as a file or over its API."""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec
from sqlalchemy import Connection

from cloud.errors import StoreError
from cloud.store.detail import exact_text, reason_id_of
from cloud.store.engine import open_store
from cloud.store.queries import load_queries
from coldlink.audit import AuditInputError, Fate, GapSpan, LedgerColumn, StoredColumn, pack_decimal
from simulator.ledger import LedgerRow, read_ledger

TAG_POINT = "tag"
COMPUTED = "thinned_mean"  # what a gateway made of readings that it had no room for; no instrument ever gave it out

_queries = load_queries("coldlink", "audit.sql")


class Range(NamedTuple):
    """UTC ms, half-open."""

    from_at: int = 0
    until_at: int = 1 << 62

    def holds(self, time: int, margin_ms: int) -> bool:
        """With a margin inside the borders, or outside if it is negative."""
        return self.from_at + margin_ms <= time < self.until_at - margin_ms


class Ledger(NamedTuple):
    points: dict[str, LedgerColumn]  # by device/point
    tags: dict[str, LedgerColumn]  # by device/epc
    fault_codes: int  # answers without a number
    began_at: int | None  # time of its first row; what is stored from before that it cannot judge


class Cloud(Protocol):
    """What the audit asks of a database."""

    def columns(self, points: Iterable[str]) -> Iterator[tuple[str, StoredColumn]]: ...

    def reads_by_tag(self) -> dict[str, int]: ...

    def gaps(self) -> list[GapSpan]: ...


def load_ledger(path: Path, within: Range, tolerance_ms: int) -> Ledger:
    """Rows at the borders of the range may be stored on either side. Raises AuditInputError."""
    points: dict[str, LedgerColumn] = defaultdict(LedgerColumn)
    tags: dict[str, LedgerColumn] = defaultdict(LedgerColumn)
    fault_codes = 0
    began_at = None
    try:
        for row in read_ledger(path):
            if began_at is None:
                began_at = row.t
            if not within.holds(row.t, -tolerance_ms):
                continue
            fate = _fate(row, is_inside=within.holds(row.t, tolerance_ms))
            if row.value is None:
                fault_codes += 1
            elif row.point == TAG_POINT:
                tags[f"{row.device}/{row.value.lower()}"].add(row.t, 0, fate)
            else:
                points[f"{row.device}/{row.point}"].add(row.t, pack_decimal(row.value), fate)
    except (OSError, msgspec.MsgspecError, ValueError, OverflowError) as error:
        raise AuditInputError(f"{path} is not a ledger that can be read: {error}") from error
    return Ledger(dict(points), dict(tags), fault_codes, began_at)


@contextmanager
def open_cloud(where: str, gateway: str | None, within: Range) -> Iterator[Cloud]:
    """`where`: a database file, a database URL, or the http address of a running cloud."""
    if where.startswith(("http://", "https://")):
        yield HttpCloud(where.rstrip("/"), gateway, within)
        return
    url = where if "://" in where else f"sqlite:///{where}"
    file = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite:///") and not file.is_file():
        raise AuditInputError(f"{file}: no such database")
    try:
        store = open_store(url, migrate_first=False)
    except StoreError as error:
        raise AuditInputError(f"{where}: {error}") from error
    try:
        with store.read() as connection:
            yield DatabaseCloud(connection, gateway, within)
    finally:
        store.close()


class DatabaseCloud:
    """Straight from the tables, one point at a time."""

    def __init__(self, connection: Connection, gateway: str | None, within: Range) -> None:
        self._connection = connection
        self._bounds = {"gateway": gateway, "from_at": within.from_at, "until_at": within.until_at}
        self._computed = connection.execute(_queries.reason, {"name": COMPUTED}).scalar_one_or_none()

    def columns(self, points: Iterable[str]) -> Iterator[tuple[str, StoredColumn]]:
        wanted = set(points)
        by_point: dict[str, list[int]] = defaultdict(list)
        for row in self._connection.execute(_queries.series, self._bounds):
            by_point[f"{row.device}/{row.point}"].append(row.id)
        for point, series_ids in by_point.items():
            yield point, self._column(series_ids) if point in wanted else StoredColumn()

    def reads_by_tag(self) -> dict[str, int]:
        found = self._connection.execute(_queries.reads, self._bounds)
        return {f"{row.device}/{row.epc}": int(row.reads) for row in found}

    def gaps(self) -> list[GapSpan]:
        found = self._connection.execute(_queries.gaps, self._bounds)
        return [
            GapSpan(row.reason, row.from_at, row.until_at, f"{row.device}/{row.point}" if row.device else None)
            for row in found
        ]

    def _column(self, series_ids: list[int]) -> StoredColumn:
        column = StoredColumn()
        rows = (
            row
            for series_id in series_ids
            for row in self._connection.execute(_queries.readings, {**self._bounds, "series_id": series_id})
        )
        for observed_at, value, detail in rows if len(series_ids) == 1 else sorted(rows, key=itemgetter(0)):
            if self._computed is not None and reason_id_of(detail) == self._computed:
                continue
            shown = exact_text(value, detail)
            if shown is None:
                column.bad_times.append(observed_at)
            else:
                column.times.append(observed_at)
                column.values.append(pack_decimal(shown))
        return column


class HttpCloud:
    """Over the public API, as anyone could."""

    def __init__(self, address: str, gateway: str | None, within: Range) -> None:
        self._address, self._gateway, self._within = address, gateway, within

    def columns(self, points: Iterable[str]) -> Iterator[tuple[str, StoredColumn]]:
        wanted = set(points)
        columns: dict[str, list[tuple[int, int | None]]] = defaultdict(list)
        for row in self._lines("/api/v1/readings/export"):
            if row["reason"] == COMPUTED:
                continue
            rows = columns[f"{row['device']}/{row['point']}"]
            if f"{row['device']}/{row['point']}" in wanted:
                rows.append((_ms(row["observed_at"]), None if row["value"] is None else pack_decimal(row["value"])))
        for point, rows in columns.items():
            rows.sort(key=lambda row: row[0])
            column = StoredColumn()
            for time, value in rows:
                if value is None:
                    column.bad_times.append(time)
                else:
                    column.times.append(time)
                    column.values.append(value)
            yield point, column

    def reads_by_tag(self) -> dict[str, int]:
        reads: dict[str, int] = defaultdict(int)
        for row in self._lines("/api/v1/sightings/export"):
            reads[f"{row['device']}/{row['epc']}"] += row["reads"]
        return dict(reads)

    def gaps(self) -> list[GapSpan]:
        [answer] = self._lines("/api/v1/gaps")
        return [
            GapSpan(
                gap["reason"],
                None if gap["from_at"] is None else _ms(gap["from_at"]),
                None if gap["until_at"] is None else _ms(gap["until_at"]),
                gap["point"],
            )
            for gap in answer["gaps"]
        ]

    def _lines(self, path: str) -> Iterator[Any]:  # Any: JSON of the API, used up here
        asked = {} if self._gateway is None else {"gateway": self._gateway}
        if self._within != Range():
            asked |= {"from": _iso(self._within.from_at), "until": _iso(min(self._within.until_at, _LAST_MS))}
        url = f"{self._address}{path}" + (f"?{urllib.parse.urlencode(asked)}" if asked else "")
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310  the scheme was checked by open_cloud
                for line in answer:
                    yield json.loads(line)
        except (OSError, ValueError) as error:
            raise AuditInputError(f"{url}: {error}") from error


_LAST_MS = 253_402_300_799_999  # the last millisecond that ISO 8601 writes with four digits of year


def _fate(row: LedgerRow, *, is_inside: bool) -> Fate:
    if not row.delivered:
        return Fate.MUST_NOT
    return Fate.MUST if row.why is None and is_inside else Fate.MAY


def _ms(iso: str) -> int:
    moment = datetime.fromisoformat(iso)
    return round(moment.timestamp() * 1000)


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000).astimezone().isoformat(timespec="milliseconds")
