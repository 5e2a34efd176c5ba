"""From the columns of a batch to rows of the database: the hot path, pure."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, repeat
from typing import NamedTuple

from cloud.store.detail import TIME_UNCERTAIN, pack_detail
from cloud.store.readings import ReadingRow
from wire.body import Mark, Series
from wire.entries import Quality

NO_VALUE = "no_value"
PRECISION = "precision"
_EXACT = 10**15  # a double gives back any decimal of 15 digits; IEEE 754


class TimeBase(NamedTuple):
    """How boot time of one boot becomes UTC."""

    offset_ms: int
    is_uncertain: bool = False

    def utc(self, at: int) -> int:
        return at + self.offset_ms


class Column(NamedTuple):
    """The readings of one series, ready to be written; never empty, in time order."""

    series_id: int
    times: Sequence[int]
    values: Sequence[float | None]
    details: Sequence[int]


def columns(
    series: Iterable[Series],
    series_ids: Sequence[int],
    base: TimeBase,
    horizon: int,
    reason_id: Callable[[str], int],
) -> list[Column]:
    """Times after `horizon` (UTC ms) are kept and marked as uncertain."""
    out: list[Column] = []
    boot_times: Sequence[int] | None = None
    times: list[int] = []
    for one in series:
        if one.times is not boot_times:  # the series of one block of registers share their times
            boot_times, times = one.times, [at + base.offset_ms for at in one.times]
        details = _details(one, reason_id)
        if base.is_uncertain:
            details = [detail | TIME_UNCERTAIN for detail in details]
        elif times[-1] > horizon:
            details = [d | TIME_UNCERTAIN if at > horizon else d for at, d in zip(times, details, strict=True)]
        out.append(Column(series_ids[one.point], times, _values(one), details))
    return out


def reading_rows(written: Iterable[Column], clock_id: int, batch_id: int) -> Iterator[ReadingRow]:
    return chain.from_iterable(
        zip(  # the endless ones end with the shortest
            repeat(column.series_id),
            column.times,
            repeat(clock_id),
            column.values,
            column.details,
            repeat(batch_id),
            strict=False,
        )
        for column in written
    )


def newest_index(column: Column, horizon: int) -> int | None:
    """The last reading that is not from the future."""
    index = bisect_right(column.times, horizon) - 1
    return None if index < 0 else index


def _values(series: Series) -> Sequence[float | None]:
    if series.decimals == 0:
        return series.mantissas  # whole numbers up to 2^53, which the database's double holds
    scale = 10**series.decimals
    try:
        return [mantissa / scale for mantissa in series.mantissas]  # None goes the other way
    except TypeError:
        return [None if mantissa is None else mantissa / scale for mantissa in series.mantissas]


def _details(series: Series, reason_id: Callable[[str], int]) -> list[int]:
    details = [pack_detail(series.decimals)] * len(series.times)
    if series.decimals and not _is_exact(series.mantissas):
        _mark_inexact(series, details, reason_id)
    for mark in series.marks:
        marked = pack_detail(series.decimals, mark.quality, reason_id(mark.reason))
        details[mark.start : mark.start + mark.length] = repeat(marked, mark.length)
    if None in series.mantissas:
        _mark_empty(series, details, reason_id)
    return details


def _is_exact(mantissas: Sequence[int | None]) -> bool:
    try:
        return min(mantissas) >= -_EXACT and max(mantissas) <= _EXACT  # type: ignore[type-var,operator]  # see below
    except TypeError:  # a None among them
        return all(mantissa is None or -_EXACT <= mantissa <= _EXACT for mantissa in mantissas)


def _mark_inexact(series: Series, details: list[int], reason_id: Callable[[str], int]) -> None:
    for index, mantissa in enumerate(series.mantissas):
        if mantissa is not None and not -_EXACT <= mantissa <= _EXACT:
            details[index] = pack_detail(series.decimals, Quality.UNCERTAIN, reason_id(PRECISION))


def _mark_empty(series: Series, details: list[int], reason_id: Callable[[str], int]) -> None:
    """No value and yet not bad: a gateway that says so is not believed."""
    unbelieved = pack_detail(series.decimals, Quality.BAD, reason_id(NO_VALUE))
    bad = _bad_places(series.marks)
    for index, mantissa in enumerate(series.mantissas):
        if mantissa is None and index not in bad:
            details[index] = unbelieved


def _bad_places(marks: Sequence[Mark]) -> set[int]:
    return {
        place for mark in marks if mark.quality is Quality.BAD for place in range(mark.start, mark.start + mark.length)
    }
