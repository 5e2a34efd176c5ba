"""Sparklines of the wall, kept for half a minute: twelve zones times six hours are not read anew for every reload."""

import threading
from collections.abc import Sequence

from sqlalchemy import Connection

from cloud.api.series import Bucket, read_buckets
from cloud.web.spark import Spark, Window, sparkline

HOURS_MS = 6 * 3_600_000
STEP_MS = 300_000
KEPT_MS = 30_000


class SparkShelf:
    """Thread-safe; holds one sparkline for each zone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[int, list[Bucket]]] = {}

    def spark(
        self,
        connection: Connection,
        zone: str,
        series_ids: Sequence[int],
        *,
        low: float | None,
        high: float | None,
        max_gap_ms: int,
        now_ms: int,
    ) -> Spark | None:
        window = Window(now_ms - HOURS_MS, now_ms, STEP_MS, max(max_gap_ms, STEP_MS))
        return sparkline(self._buckets(connection, zone, series_ids, now_ms), window, low, high)

    def _buckets(self, connection: Connection, zone: str, series_ids: Sequence[int], now_ms: int) -> list[Bucket]:
        with self._lock:
            made_at, buckets = self._kept.get(zone, (0, []))
        if 0 <= now_ms - made_at < KEPT_MS:
            return buckets
        from_ms = (now_ms - HOURS_MS) // STEP_MS * STEP_MS
        buckets = read_buckets(connection, series_ids, from_ms, now_ms, STEP_MS)
        with self._lock:
            self._kept[zone] = (now_ms, buckets)
        return buckets
