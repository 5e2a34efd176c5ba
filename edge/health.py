"""The gateway's own state, as readings like any other: what it stores, whether it is heard, how warm it runs."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.buffer.contract import Fill
from edge.clock import Clock
from wire.entries import Entry, Quality, Reading
from wire.points import Point

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
)


@dataclass(frozen=True)
class HealthSources:
    """Where the numbers come from."""

    fill: Callable[[], Fill]
    missed_cycles: Callable[[], int]
    data_dir: Path


async def report(
    sources: HealthSources, clock: Clock, first_point: int, sink: Callable[[Sequence[Entry]], None]
) -> None:
    """Until cancelled: one reading of each health point every 10 s. `first_point` is the index of POINTS[0]."""
    while True:
        values = await asyncio.to_thread(lambda: list(_values(sources, clock)))
        at = clock.now_ms()
        sink([_reading(first_point + index, at, *value) for index, value in enumerate(values)])
        await asyncio.sleep(EVERY_S)


def _reading(point: int, at: int, mantissa: int | None, decimals: int) -> Reading:
    if mantissa is None:
        return Reading(point, at, None, 0, Quality.BAD, "not_available")
    return Reading(point, at, mantissa, decimals, Quality.GOOD, None)


def _values(sources: HealthSources, clock: Clock) -> Iterator[tuple[int | None, int]]:
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
