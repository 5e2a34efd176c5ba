"""What the ingest remembers of the database between transactions: keys, point tables, numbers of names.

Everything here can be read again. After a transaction that was not committed the book is forgotten, since it may
hold numbers that were never given.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection

from cloud.store.queries import load_queries
from wire.points import Point, PointTable, read_point_table
from wire.signature import VerifyKey

_queries = load_queries("cloud.ingest")

_MAX_CLOCKS = 50_000
_MAX_ANCHORS = 50_000
_MAX_REFUSALS = 4096


@dataclass(frozen=True, slots=True)
class Gateway:
    id: int
    name: str
    public_key: bytes
    key: VerifyKey


class Anchor(NamedTuple):
    """At boot time `at` it was this UTC."""

    at: int
    utc_ms: int
    error_ms: int

    @property
    def offset_ms(self) -> int:
        return self.utc_ms - self.at


class Beginning(NamedTuple):
    """The first batch of an epoch that is stored here: its place in the order of arrival, and when it was measured."""

    batch_id: int
    first_at: int | None


class PointMap(NamedTuple):
    """A point table with the series that its indices mean."""

    points: tuple[Point, ...]
    series_ids: tuple[int, ...]


class Book:
    def __init__(self, listed: Mapping[str, bytes] | None = None) -> None:
        """`listed`: the only gateways there are, with their keys; None lets any gateway in that says hello."""
        self.listed = listed
        self.refusals = _Refusals()
        self.condemned: set[bytes] = set()  # hashes of batches that the database will never take
        self.forget()

    def forget(self) -> None:
        self._gateways: dict[str, Gateway] = {}
        self._points: dict[tuple[int, bytes], PointMap] = {}
        self._clocks: dict[tuple[int, bytes, int], int] = {}
        self._reasons: dict[str, int] = {}
        self._anchors: dict[tuple[int, bytes], Anchor | None] = {}
        self._waiting: dict[tuple[int, bytes], bool] | None = None
        self._gap_ends: set[tuple[int, bytes]] | None = None
        self.beginnings: dict[int, dict[bytes, Beginning]] = {}  # by gateway id and epoch
        self.series_names: dict[int, str] = {}
        self.series_units: dict[int, str] = {}
        self.refusals.clear()

    def gateway(self, connection: Connection, name: str) -> Gateway | None:
        """None: not known, so nothing that it says can be checked."""
        if name not in self._gateways:
            found = connection.execute(_queries.gateway, {"name": name}).first()
            if found is None or found.public_key is None or not self._is_listed(name, found.public_key):
                return None
            self._gateways[name] = Gateway(found.id, name, found.public_key, VerifyKey(found.public_key))
        return self._gateways[name]

    def enrol(self, connection: Connection, name: str, shard: str, public_key: bytes, now: int) -> Gateway:
        key = VerifyKey(public_key)
        gateway_id = connection.execute(
            _queries.enrol_gateway, {"name": name, "shard": shard, "public_key": public_key, "now": now}
        ).scalar_one()
        self._gateways[name] = Gateway(gateway_id, name, public_key, key)
        return self._gateways[name]

    def points(self, connection: Connection, gateway: Gateway, digest: bytes) -> PointMap | None:
        """None: the gateway has to be asked for the table."""
        key = (gateway.id, digest)
        if key not in self._points:
            body = connection.execute(
                _queries.point_table, {"gateway_id": gateway.id, "digest": digest}
            ).scalar_one_or_none()
            if body is None:
                return None
            self._points[key] = self._map_points(connection, gateway, read_point_table(body.encode()))
        return self._points[key]

    def clock_id(self, connection: Connection, gateway: Gateway, boot: bytes, offset_ms: int) -> int:
        key = (gateway.id, boot, offset_ms)
        if key not in self._clocks:
            if len(self._clocks) >= _MAX_CLOCKS:
                self._clocks.clear()
            values = {"gateway_id": gateway.id, "boot": boot, "offset_ms": offset_ms}
            found = connection.execute(_queries.clock, values).scalar_one_or_none()
            self._clocks[key] = found or connection.execute(_queries.insert_clock, values).scalar_one()
        return self._clocks[key]

    def best_anchor(self, connection: Connection, gateway_id: int, boot: bytes) -> Anchor | None:
        """The newest that is sure, else the surest: a clock that was corrected was wrong before."""
        key = (gateway_id, boot)
        if key not in self._anchors:
            if len(self._anchors) >= _MAX_ANCHORS:
                self._anchors.clear()
            found = connection.execute(_queries.best_anchor, {"gateway_id": gateway_id, "boot": boot}).first()
            self._anchors[key] = None if found is None else Anchor(*found)
        return self._anchors[key]

    def forget_anchor(self, gateway_id: int, boot: bytes) -> None:
        self._anchors.pop((gateway_id, boot), None)

    def reason_id(self, connection: Connection, name: str) -> int:
        if name not in self._reasons:
            found = connection.execute(_queries.reason_id, {"name": name}).scalar_one_or_none()
            self._reasons[name] = found or connection.execute(_queries.insert_reason, {"name": name}).scalar_one()
        return self._reasons[name]

    def reason_names(self) -> dict[int, str]:
        """Those that were used since the book was opened."""
        return {number: name for name, number in self._reasons.items()}

    def waiting_boots(self, connection: Connection) -> dict[tuple[int, bytes], bool]:
        """Boots with batches that have no place in time yet -> whether they can be given one now."""
        if self._waiting is None:
            found = connection.execute(_queries.waiting_boots)
            self._waiting = {(row.gateway_id, row.boot): bool(row.is_anchored) for row in found}
        return self._waiting

    def boots_of_unsure_gap_ends(self, connection: Connection) -> set[tuple[int, bytes]]:
        """Boots in whose time a gap begins or ends that has not got its UTC for good."""
        if self._gap_ends is None:
            found = connection.execute(_queries.boots_of_unsure_gap_ends)
            self._gap_ends = {(row.gateway_id, row.boot) for row in found}
        return self._gap_ends

    @property
    def is_release_due(self) -> bool:
        """There are, or may be, batches that waited for an anchor which has come."""
        return self._waiting is None or any(self._waiting.values())

    def _is_listed(self, name: str, public_key: bytes) -> bool:
        return self.listed is None or self.listed.get(name) == public_key

    def _map_points(self, connection: Connection, gateway: Gateway, table: PointTable) -> PointMap:
        known = self._series(connection, gateway)
        fresh = [point for point in table.points if known.get(point[:2], (0, "", ""))[1:] != point[2:]]
        if fresh:
            connection.execute(
                _queries.upsert_series,
                [
                    {"gateway_id": gateway.id, "device": one.device, "point": one.key}
                    | {"unit": one.unit, "quantity": one.quantity}
                    for one in fresh
                ],
            )
            known = self._series(connection, gateway)
        ids = tuple(known[point[:2]][0] for point in table.points)
        for series_id, point in zip(ids, table.points, strict=True):
            self.series_names[series_id] = f"{gateway.name}/{point.device}/{point.key}"
            self.series_units[series_id] = point.unit
        return PointMap(table.points, ids)

    def _series(self, connection: Connection, gateway: Gateway) -> dict[tuple[str, str], tuple[int, str, str]]:
        found = connection.execute(_queries.series_of_gateway, {"gateway_id": gateway.id})
        return {(row.device, row.point): (row.id, row.unit, row.quantity) for row in found}


class _Refusals:
    """What was put into quarantine lately, so that a gateway that insists does not fill the disk."""

    def __init__(self) -> None:
        self._seen: OrderedDict[bytes, None] = OrderedDict()

    def is_new(self, digest: bytes) -> bool:
        if digest in self._seen:
            self._seen.move_to_end(digest)
            return False
        self._seen[digest] = None
        if len(self._seen) > _MAX_REFUSALS:
            self._seen.popitem(last=False)
        return True

    def clear(self) -> None:
        self._seen.clear()
