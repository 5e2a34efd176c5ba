"""The point table: what the small numbers in a batch stand for.

A batch names points by index. Its header carries the table's digest, so a table can never be mistaken for another; a
gateway keeps every table that a batch in its ring refers to and gives it when the ingest asks.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import NamedTuple

from wire.errors import MalformedMessage

MAX_POINTS = 20_000
MAX_TABLE_BYTES = 4 << 20
DIGEST_BYTES = 16

_SLUG = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_MAX_UNIT = 16


class Point(NamedTuple):
    """One quantity that a device offers. Its full name is `gateway/device/key`."""

    device: str
    key: str
    unit: str  # UCUM-like: Cel, %, kg, 1; empty for tags
    quantity: str  # air_temperature, relative_humidity, mass, tag, health ...


@dataclass(frozen=True)
class PointTable:
    """Points in the order of their indices. `data` is the table as sent; `digest` names it for ever."""

    points: tuple[Point, ...]
    data: bytes = field(init=False, repr=False)
    digest: bytes = field(init=False)

    def __post_init__(self) -> None:
        data = json.dumps({"v": 1, "points": [list(point) for point in self.points]}, separators=(",", ":")).encode()
        object.__setattr__(self, "data", data)
        object.__setattr__(self, "digest", hashlib.sha256(data).digest()[:DIGEST_BYTES])


def read_point_table(data: bytes) -> PointTable:
    """Raises MalformedMessage."""
    if len(data) > MAX_TABLE_BYTES:
        raise MalformedMessage("table_too_large", f"{len(data)} bytes")
    try:
        raw = json.loads(data)
        rows = raw["points"] if raw["v"] == 1 else None
    except (ValueError, RecursionError, TypeError, KeyError) as error:
        raise MalformedMessage("bad_point_table", str(error)) from error
    if not isinstance(rows, list) or len(rows) > MAX_POINTS:
        raise MalformedMessage("bad_point_table", "not a list of points, or too many")
    table = PointTable(tuple(_point(row) for row in rows))
    if len({point[:2] for point in table.points}) != len(table.points):
        raise MalformedMessage("bad_point_table", "a point stands twice")
    if table.data != data:
        raise MalformedMessage("bad_point_table", "not in the canonical form")
    return table


def _point(row: object) -> Point:
    if not (isinstance(row, list) and len(row) == 4 and all(isinstance(text, str) for text in row)):
        raise MalformedMessage("bad_point_table", repr(row)[:120])
    point = Point(*row)
    if not (_SLUG.fullmatch(point.device) and _SLUG.fullmatch(point.key)):
        raise MalformedMessage("bad_point_name", repr(row)[:120])
    if (
        len(point.unit) > _MAX_UNIT
        or not point.unit.isprintable()
        or len(point.quantity) > 64
        or not point.quantity.isprintable()
    ):
        raise MalformedMessage("bad_point_unit", repr(row)[:120])
    return point
