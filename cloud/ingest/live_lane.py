"""The live lane: newest values for screens, straight from the broker to the browsers, never stored.

It has a connection of its own, so that a backlog in the record lanes does not make screens old.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal

from cloud.errors import StoreError
from cloud.ingest.stats import IngestStats
from cloud.live import LiveValue
from cloud.store.engine import Store
from cloud.store.queries import load_queries
from wire.entries import Reading
from wire.errors import MalformedMessage
from wire.messages import Live, read_live
from wire.points import Point, read_point_table
from wire.topics import Lane, parse_topic

_queries = load_queries("cloud.ingest")

_ASK_AGAIN_S = 2.0
_MOST_TABLES = 10_000

Key = tuple[str, bytes]


class LiveLane:
    """`take` is called in the link's network thread; `publish` must be quick and safe from there."""

    def __init__(self, store: Store, stats: IngestStats, publish: Callable[[Iterable[LiveValue]], None]) -> None:
        self._store, self._stats, self._publish = store, stats, publish
        self._tables: dict[Key, tuple[Point, ...]] = {}
        self._missing: dict[Key, float] = {}

    def take(self, topic: str, payload: bytes) -> None:
        parsed = parse_topic(topic)
        if parsed is None or parsed.lane is not Lane.LIVE:
            return
        try:
            live = read_live(payload)
        except MalformedMessage:
            self._stats.live_dropped += 1
            return
        points = self._points(parsed.gateway, live.points)
        if points is None or live.offset_ms is None:  # nothing is stamped with a time that is not its own
            self._stats.live_dropped += 1
            return
        values = list(live_values(parsed.gateway, live, points))
        self._stats.live += len(values)
        self._publish(values)

    def _points(self, gateway: str, digest: bytes) -> tuple[Point, ...] | None:
        key = (gateway, digest)
        if key not in self._tables and time.monotonic() >= self._missing.get(key, 0):
            self._look_up(key)
        return self._tables.get(key)

    def _look_up(self, key: Key) -> None:
        if len(self._tables) + len(self._missing) > _MOST_TABLES:
            self._tables.clear()
            self._missing.clear()
        try:
            with self._store.read() as connection:
                found = connection.execute(_queries.gateway, {"name": key[0]}).first()
                body = (
                    found
                    and connection.execute(
                        _queries.point_table, {"gateway_id": found.id, "digest": key[1]}
                    ).scalar_one_or_none()
                )
        except StoreError:
            body = None
        if body:
            self._tables[key] = read_point_table(body.encode()).points
            self._missing.pop(key, None)
        else:
            self._missing[key] = time.monotonic() + _ASK_AGAIN_S


def live_values(gateway: str, live: Live, points: tuple[Point, ...]) -> Iterator[LiveValue]:
    assert live.offset_ms is not None
    for reading in live.readings:
        if reading.point < len(points):
            point = points[reading.point]
            yield LiveValue(
                point=f"{gateway}/{point.device}/{point.key}",
                observed_at=reading.at + live.offset_ms,
                value=_decimal_text(reading),
                unit=point.unit,
                quality=reading.quality.name.lower(),
                reason=reading.reason,
            )


def _decimal_text(reading: Reading) -> str | None:
    if reading.mantissa is None:
        return None
    return format(Decimal(reading.mantissa).scaleb(-reading.decimals), "f")
