"""What stays of readings for which there is no room: of each point and five minutes the lowest, the highest, the mean.

Pure. The lowest and the highest are readings as they were, with their own times. The mean is a computed value and says
so: UNCERTAIN, `thinned_mean`. Of everything that was not good the first and the last of each kind stay. Sightings,
weighings, gaps and anchors stay as they are.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from edge.buffer.contract import Draft
from wire.batch import MAX_BODY_BYTES, MAX_ENTRIES, SealedBatch
from wire.body import Body, Mark, Series, decode_body, encode_body
from wire.entries import Entry, Gap, Quality, Reading

BUCKET_MS = 300_000
MEAN = "thinned_mean"
REASON = "thinned"
_WORTH_IT = 0.9


def alike(batches: Sequence[SealedBatch | None]) -> Sequence[SealedBatch | None]:
    """The longest beginning that can become one batch: of one boot, one offset, one point table. None: unreadable."""
    kinds = [
        None if batch is None else (batch.header.boot, batch.header.offset_ms, batch.header.points) for batch in batches
    ]
    kind = next((one for one in kinds if one is not None), None)
    length = next((place for place, one in enumerate(kinds) if one not in {None, kind}), len(kinds))
    return batches[:length]


def thinned(run: Sequence[SealedBatch]) -> Draft | None:
    """One batch in the place of several; None when it would hardly be smaller: it was thinned before."""
    if not run:
        return None
    headers = [batch.header for batch in run]
    first_at, last_at = min(one.first_at for one in headers), max(one.last_at for one in headers)
    kept = thin(decode_body(batch.body, batch.header.first_at, batch.header.entries) for batch in run)
    entries = [entry for entry in kept if not (isinstance(entry, Gap) and entry.reason == REASON)]
    came = sum(one.entries for one in headers)
    told = f"batches {headers[0].seq} to {headers[-1].seq}: {came} entries kept as {len(entries)}"
    entries.append(Gap(REASON, None, first_at, last_at, None, told))
    body = encode_body(entries, first_at)
    is_smaller = len(body) < _WORTH_IT * sum(len(batch.body) for batch in run)
    if not is_smaller or len(body) > MAX_BODY_BYTES or len(entries) > MAX_ENTRIES:
        return None
    return Draft(headers[0].boot, headers[0].offset_ms, first_at, last_at, len(entries), headers[0].points, body)


def thin(bodies: Iterable[Body]) -> list[Entry]:
    """Bodies of one boot and one point table, in time order. What `thin` made comes out of it again as it was."""
    buckets: dict[tuple[int, int, int], _Bucket] = {}
    others: list[Entry] = []
    for body in bodies:
        for series in body.series:
            _fold(series, buckets)
        others += (*body.sightings, *body.weighings, *body.gaps, *body.anchors)
    readings = [reading for (point, _, decimals), one in buckets.items() for reading in one.readings(point, decimals)]
    return [*sorted(readings, key=lambda reading: reading.at), *others]


def _fold(series: Series, buckets: dict[tuple[int, int, int], _Bucket]) -> None:
    for number, start, end in _parts(series.times):
        key = (series.point, number, series.decimals)
        bucket = buckets.get(key)
        if bucket is None:
            bucket = buckets[key] = _Bucket()
        bucket.add(series, start, end)


def _parts(times: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Bucket number, and where in the column it begins and ends."""
    first, last = times[0] // BUCKET_MS, times[-1] // BUCKET_MS
    borders = [0, *(bisect_left(times, number * BUCKET_MS) for number in range(first + 1, last + 1)), len(times)]
    for number, (start, end) in enumerate(pairwise(borders), start=first):
        if start < end:
            yield number, start, end


@dataclass(slots=True)
class _Bucket:
    """One point's readings of five minutes, folded as they come."""

    count: int = 0
    total: int = 0
    low: tuple[int, int] = (0, 0)  # mantissa, at
    high: tuple[int, int] = (0, 0)
    span: tuple[int, int] = (0, 0)
    troubles: dict[tuple[Quality, str], list[Reading]] | None = None  # the first and the last of each kind

    def add(self, series: Series, start: int, end: int) -> None:
        marked: set[int] = set()
        for mark in series.marks:
            places = range(max(start, mark.start), min(end, mark.start + mark.length))
            marked.update(places)
            if places:
                self._add_trouble(series, mark, places)
        values, times = series.mantissas, series.times
        good = [
            (mantissa, at)
            for place, mantissa, at in zip(range(start, end), values[start:end], times[start:end], strict=True)
            if mantissa is not None and place not in marked
        ]
        if good:
            self._add_good(good)

    def readings(self, point: int, decimals: int) -> Iterator[Reading]:
        for kinds in (self.troubles or {}).values():
            yield from kinds
        if not self.count:
            return
        for mantissa, at in dict.fromkeys((self.low, self.high)):
            yield Reading(point, at, mantissa, decimals, Quality.GOOD, None)
        if self.count > 2:
            mean = round(self.total / self.count)
            yield Reading(point, self._free_instant(), mean, decimals, Quality.UNCERTAIN, MEAN)

    def _add_good(self, good: list[tuple[int, int]]) -> None:
        low, high = min(good), max(good)
        self.low = low if not self.count else min(self.low, low)
        self.high = high if not self.count else max(self.high, high)
        self.span = (self.span[0] if self.count else good[0][1], good[-1][1])
        self.count += len(good)
        self.total += sum(mantissa for mantissa, _ in good)

    def _add_trouble(self, series: Series, mark: Mark, places: range) -> None:
        if self.troubles is None:
            self.troubles = {}
        kept = self.troubles.setdefault((mark.quality, mark.reason), [])
        for place in dict.fromkeys((places[0], places[-1])):
            at, mantissa = series.times[place], series.mantissas[place]
            kept[1:] = [Reading(series.point, at, mantissa, series.decimals, mark.quality, mark.reason)]

    def _free_instant(self) -> int:
        """The middle, or as near as it is not taken: one point has one reading at a time."""
        taken = {self.low[1], self.high[1]}
        taken |= {reading.at for kinds in (self.troubles or {}).values() for reading in kinds}
        middle = sum(self.span) // 2
        return next(at for at in range(middle, middle + len(taken) + 1) if at not in taken)
