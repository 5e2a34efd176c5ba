"""Thirty days that this gateway would have measured, sealed into its buffer: they travel the real way to the cloud."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from edge.agent import BUFFER_NAME, point_table
from edge.buffer.contract import Draft
from edge.buffer.sqlite import SqliteBuffer
from edge.config import Gateway
from edge.identity import load_or_make_key
from simulator.history import PastReading
from wire.body import encode_body
from wire.entries import Quality, Reading

_BATCH_MS = 6 * 3_600_000


def seal_past(gateway: Gateway, readings: Iterator[PastReading], from_ms: int, progress: Callable[[int], None]) -> int:
    """Fills the buffer of a gateway that has never run; gives the number of readings."""
    config = gateway.config
    data_dir = Path(config.data_dir)
    data_dir.mkdir(parents=True, exist_ok=True)
    table = point_table(gateway)
    index_of = {(point.device, point.key): index for index, point in enumerate(table.points)}
    buffer = SqliteBuffer(
        data_dir / BUFFER_NAME, config.gateway, load_or_make_key(data_dir), config.buffer.max_mb << 20
    )
    boot, total = os.urandom(16), 0
    try:
        buffer.keep_points(table)
        for batch in _in_batches(_as_readings(readings, index_of, from_ms)):
            first_at, last_at = batch[0].at, batch[-1].at
            body = encode_body(batch, first_at)
            buffer.append(Draft(boot, from_ms, first_at, last_at, len(batch), table.digest, body))
            total += len(batch)
            progress(from_ms + last_at)
    finally:
        buffer.close(is_clean=True)
    return total


def _as_readings(past: Iterator[PastReading], index_of: dict[tuple[str, str], int], from_ms: int) -> Iterator[Reading]:
    for device, point, utc_ms, mantissa, decimals in past:
        index = index_of.get((device, point))
        if index is not None:
            yield Reading(index, utc_ms - from_ms, mantissa, decimals, Quality.GOOD, None)


def _in_batches(readings: Iterator[Reading]) -> Iterator[list[Reading]]:
    batch: list[Reading] = []
    for reading in readings:
        if batch and reading.at - batch[0].at >= _BATCH_MS:
            yield batch
            batch = []
        batch.append(reading)
    if batch:
        yield batch
