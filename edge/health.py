"""The gateway's own state, as readings like any other: what it stores, whether it is heard, how warm it runs."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.buffer.contract import Fill
from edge.clock import Clock
from wire.entries import Entry, Quality, Reading
from wire.points import Point

log = logging.getLogger(__name__)

EVERY_S = 10.0
DEVICE = "gateway"

POINTS = (
    Point(DEVICE, "unsent_batches", "1", "health"),
    Point(DEVICE, "dropped_batches", "1", "health"),
    Point(DEVICE, "buffer_used", "%", "health"),
    Point(DEVICE, "disk_free", "%", "health"),
    Point(DEVICE, "clock_good", "1", "health"),
    Point(DEVICE, "cpu_temperature", "Cel", "health"),
    Point(DEVICE, "memory", "MiBy", "health"),
    Point(DEVICE, "missed_cycles", "1", "health"),
    Point(DEVICE, "buffer_unsent", "%", "health"),
    Point(DEVICE, "buffer_alarm", "1", "health"),
    Point(DEVICE, "autonomy", "d", "health"),
    Point(DEVICE, "thinned_batches", "1", "health"),
)

ALARM_SHARE, CALM_SHARE = 0.70, 0.65  # of the quota, not heard yet; the deadband keeps it from flapping
_RATE_AFTER_MS = 60_000
_MOST_TENTHS_OF_A_DAY = 99_999
_DAY_MS = 86_400_000


@dataclass(frozen=True)
class HealthSources:
    """Where the numbers come from."""

    fill: Callable[[], Fill]
    missed_cycles: Callable[[], int]
    data_dir: Path


class BufferWatch:
    """How long the site can work alone, and whether that has become short. `look` is told everything it uses."""

    def __init__(self) -> None:
        self.is_alarmed = False
        self._first: tuple[int, int] | None = None  # boot ms, bytes appended by then

    def look(self, fill: Fill, now_ms: int) -> int | None:
        """Tenths of days until the oldest unheard reading has to be thinned; None until the rate is known."""
        self._judge(fill.unsent_bytes / fill.quota_bytes)
        if self._first is None:
            self._first = now_ms, fill.appended_bytes
        since, before = self._first
        grown = fill.appended_bytes - before
        if now_ms - since < _RATE_AFTER_MS or grown <= 0:
            return None
        left_ms = max(0, fill.quota_bytes - fill.unsent_bytes) * (now_ms - since) / grown
        return min(round(left_ms * 10 / _DAY_MS), _MOST_TENTHS_OF_A_DAY)

    def _judge(self, share: float) -> None:
        if not self.is_alarmed and share >= ALARM_SHARE:
            self.is_alarmed = True
            log.warning("%.0f %% of the buffer is not heard yet; when it is full, old data is thinned", share * 100)
        elif self.is_alarmed and share < CALM_SHARE:
            self.is_alarmed = False
            log.info("the buffer has room again")


async def report(
    sources: HealthSources, clock: Clock, first_point: int, sink: Callable[[Sequence[Entry]], None]
) -> None:
    """Until cancelled: one reading of each health point every 10 s. `first_point` is the index of POINTS[0]."""
    watch = BufferWatch()
    while True:
        values = await asyncio.to_thread(lambda: list(_values(sources, clock, watch)))
        at = clock.now_ms()
        sink([_reading(first_point + index, at, *value) for index, value in enumerate(values)])
        await asyncio.sleep(EVERY_S)


def _reading(point: int, at: int, mantissa: int | None, decimals: int) -> Reading:
    if mantissa is None:
        return Reading(point, at, None, 0, Quality.BAD, "not_available")
    return Reading(point, at, mantissa, decimals, Quality.GOOD, None)


def _values(sources: HealthSources, clock: Clock, watch: BufferWatch) -> Iterator[tuple[int | None, int]]:
    """Mantissa and decimals, in the order of POINTS."""
    fill = sources.fill()
    disk = shutil.disk_usage(sources.data_dir)
    yield fill.unsent_batches, 0
    yield fill.dropped_batches, 0
    yield round(1000 * fill.used_bytes / fill.quota_bytes), 1
    yield round(1000 * disk.free / disk.total), 1
    yield int(clock.offset_ms is not None), 0
    yield _cpu_millicelsius(), 3
    yield _memory_tenths_mib(), 1
    yield sources.missed_cycles(), 0
    autonomy = watch.look(fill, clock.now_ms())
    yield round(1000 * fill.unsent_bytes / fill.quota_bytes), 1
    yield int(watch.is_alarmed), 0
    yield autonomy, 1
    yield fill.thinned_batches, 0


def _cpu_millicelsius() -> int | None:
    """None on machines without a sensor."""
    try:
        return int(Path("/sys/class/thermal/thermal_zone0/temp").read_text())
    except (OSError, ValueError):
        return None


def _memory_tenths_mib() -> int | None:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * 4096 * 10 >> 20
