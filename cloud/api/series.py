"""One zone's temperature over a time range in buckets, with its holes; what a chart or a sparkline draws."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from cloud.store.queries import load_queries

_queries = load_queries("cloud.api")

STEPS_S = (10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400)
"""Widths that divide a day, so that buckets of different ranges share their borders."""


@dataclass(frozen=True, slots=True)
class Bucket:
    at: int
    low: float
    mean: float
    high: float
    count: int
    is_time_uncertain: bool = False  # for some of its readings


@dataclass(frozen=True, slots=True)
class Hole:
    from_at: int
    until_at: int


def step_for(from_ms: int, until_ms: int, buckets: int) -> int:
    """The narrowest width, in ms, that needs no more than about `buckets`."""
    wanted = (until_ms - from_ms) / max(1, buckets) / 1000
    return next((step for step in STEPS_S if step * 1.01 >= wanted), STEPS_S[-1]) * 1000


def read_buckets(
    connection: Connection, series_ids: Iterable[int], from_ms: int, until_ms: int, step_ms: int
) -> list[Bucket]:
    """Filled buckets only, in order; several points of one zone are merged by `merge`."""
    found: dict[int, Bucket] = {}
    for series_id in series_ids:
        rows = connection.execute(
            _queries.buckets,
            {"series_id": series_id, "from_at": from_ms, "until_at": until_ms, "step_ms": step_ms},
        )
        for row in rows:
            bucket = Bucket(
                row.number * step_ms, row.low, row.mean, row.high, row.readings, bool(row.is_time_uncertain)
            )
            found[bucket.at] = merge(found[bucket.at], bucket) if bucket.at in found else bucket
    return [found[at] for at in sorted(found)]


def merge(one: Bucket, other: Bucket) -> Bucket:
    """The warmer mean stands: a zone is as good as its worst place."""
    return Bucket(
        one.at,
        min(one.low, other.low),
        max(one.mean, other.mean),
        max(one.high, other.high),
        one.count + other.count,
        one.is_time_uncertain or other.is_time_uncertain,
    )


def uncertain_stretches(buckets: Sequence[Bucket], step_ms: int) -> list[Hole]:
    """Where measured values stand at times that are only bounded, neighbours joined."""
    found: list[Hole] = []
    for bucket in buckets:
        if not bucket.is_time_uncertain:
            continue
        begin = bucket.at
        if found and found[-1].until_at == begin:
            begin = found.pop().from_at
        found.append(Hole(begin, bucket.at + step_ms))
    return found


def holes(buckets: Sequence[Bucket], step_ms: int, from_ms: int, until_ms: int, max_gap_ms: int) -> list[Hole]:
    """Times without any reading longer than a value may be carried; `until_ms` is now at the latest."""
    ends = [from_ms, *(bucket.at + step_ms for bucket in buckets)]
    begins = [*(bucket.at for bucket in buckets), until_ms]
    return [Hole(max(from_ms, end), begin) for end, begin in zip(ends, begins, strict=True) if begin - end > max_gap_ms]
