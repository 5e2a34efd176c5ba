"""The body of a batch: columns, not rows; differences, not values; JSON, deflated.

Readings of one point form a series. Series that were read at the same times (one block of registers) share one column
of times. Times and mantissas are written as differences to the one before, so that a quiet cold room costs a few bits:

    {"r": [[[4,5],            points
            [120,1000,1000],  times: first relative to the batch's first_at, then differences
            [1,1],            decimals of each point
            [[-194,1,0],      mantissas of point 4: first, then differences; null where there was no value
             [870,0,-3]],
            [[0,2,1,2,"timeout"]]   marks, only if some are not good: series, first index, how many, quality, reason
           ], ...],
     "s": sightings, "w": weighings, "g": gaps, "c": clock anchors}

Decoding trusts nothing: the inflated size, the nesting, every type and every range are bounded.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from operator import sub
from typing import Any, NamedTuple, NoReturn, TypeVar

from wire.entries import ClockAnchor, Entry, Gap, Quality, Reading, Sighting, Weighing
from wire.errors import MalformedBody

MAX_INFLATED_BYTES = 16 << 20

_MAX_NUMBER = 1 << 53
_MAX_DECIMALS = 12
_MAX_TEXT = 256
_BOOT_BYTES = 16

T = TypeVar("T")


class Mark(NamedTuple):
    """`length` readings of a series from index `start` on are not good, for this reason."""

    start: int
    length: int
    quality: Quality
    reason: str


class Series(NamedTuple):
    """The readings of one point in one batch, in time order, as columns of equal length."""

    point: int
    decimals: int
    times: Sequence[int]  # boot milliseconds, strictly increasing; shared between series of one block
    mantissas: Sequence[int | None]
    marks: Sequence[Mark]


@dataclass(frozen=True)
class Body:
    """Everything a batch carries."""

    series: list[Series] = field(default_factory=list)
    sightings: list[Sighting] = field(default_factory=list)
    weighings: list[Weighing] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    anchors: list[ClockAnchor] = field(default_factory=list)

    @property
    def count(self) -> int:
        others = len(self.sightings) + len(self.weighings) + len(self.gaps) + len(self.anchors)
        return sum(len(one.times) for one in self.series) + others

    def readings(self) -> Iterable[Reading]:
        """One by one, series after series; for tools and tests, not for the hot path."""
        for one in self.series:
            qualities: list[tuple[Quality, str | None]] = [(Quality.GOOD, None)] * len(one.times)
            for mark in one.marks:
                qualities[mark.start : mark.start + mark.length] = [(mark.quality, mark.reason)] * mark.length
            for at, mantissa, (quality, reason) in zip(one.times, one.mantissas, qualities, strict=True):
                yield Reading(one.point, at, mantissa, one.decimals, quality, reason)


# ---- encode


def encode_body(entries: Iterable[Entry], first_at: int) -> bytes:
    """Pack entries; `first_at` is the header's and not later than any reading."""
    columns = _Columns()
    others: dict[str, list[list[Any]]] = {"s": [], "w": [], "g": [], "c": []}
    for entry in entries:
        if type(entry) is Reading:
            columns.add(entry)
        else:
            key, row = _other_row(entry)
            others[key].append(row)
    raw: dict[str, Any] = {"r": columns.groups(first_at)} | {key: rows for key, rows in others.items() if rows}
    deflate = zlib.compressobj(level=9, wbits=-15)
    return deflate.compress(json.dumps(raw, separators=(",", ":")).encode()) + deflate.flush()


class _Columns:
    """Collects readings into series, then series with equal times into groups."""

    def __init__(self) -> None:
        self._open: dict[int, tuple[int, list[int], list[int | None], list[list[Any]]]] = {}
        self._done: list[tuple[int, tuple[int, list[int], list[int | None], list[list[Any]]]]] = []

    def add(self, reading: Reading) -> None:
        point, at, mantissa, decimals, quality, reason = reading
        series = self._open.get(point)
        if series is None or (decimals != series[0] and mantissa is not None) or at <= series[1][-1]:
            series = self._begin(point, decimals)
        _, times, mantissas, marks = series
        if quality:
            _mark(marks, len(times), quality, reason or "")
        times.append(at)
        mantissas.append(mantissa)

    def _begin(self, point: int, decimals: int) -> tuple[int, list[int], list[int | None], list[list[Any]]]:
        if point in self._open:
            self._done.append((point, self._open[point]))
        series: tuple[int, list[int], list[int | None], list[list[Any]]] = (decimals, [], [], [])
        self._open[point] = series
        return series

    def groups(self, first_at: int) -> list[list[Any]]:
        by_times: dict[tuple[int, ...], list[Any]] = {}
        for point, (decimals, times, mantissas, marks) in (*self._done, *self._open.items()):
            key = tuple(times)
            group = by_times.get(key)
            if group is None:
                group = by_times[key] = [[], _differences(times, first_at), [], [], []]
            position = len(group[0])
            group[0].append(point)
            group[2].append(decimals)
            group[3].append(_differences_with_holes(mantissas))
            group[4].extend([position, *mark] for mark in marks)
        return [group if group[4] else group[:4] for group in by_times.values()]


def _mark(marks: list[list[Any]], index: int, quality: Quality, reason: str) -> None:
    if marks:
        last = marks[-1]
        if last[0] + last[1] == index and last[2] == quality and last[3] == reason:
            last[1] += 1
            return
    marks.append([index, 1, int(quality), reason])


def _differences(values: list[int], start: int) -> list[int]:
    return [values[0] - start, *map(sub, values[1:], values)]


def _differences_with_holes(values: list[int | None]) -> list[int | None]:
    out: list[int | None] = []
    last = 0
    for value in values:
        if value is None:
            out.append(None)
        else:
            out.append(value - last)
            last = value
    return out


def _other_row(entry: Entry) -> tuple[str, list[Any]]:
    match entry:
        case Sighting():
            return "s", [entry.point, entry.at, entry.last_at, entry.epc, entry.reads, entry.rssi_dbm, entry.antenna]
        case Weighing():
            row = [entry.point, entry.at, entry.mantissa, entry.decimals, entry.unit, entry.mode]
            return "w", [*row, int(entry.is_stability_derived)]
        case Gap():
            points = None if entry.points is None else list(entry.points)
            row = [entry.reason, _hex(entry.from_boot), entry.from_at, entry.until_at, points, entry.detail]
            return "g", row
        case ClockAnchor():
            return "c", [_hex(entry.boot), entry.at, entry.utc_ms, entry.error_ms]
        case _:
            raise TypeError(f"{type(entry).__name__} is not an entry")


def _hex(boot: bytes | None) -> str | None:
    return None if boot is None else boot.hex()


# ---- decode


def decode_body(body: bytes, first_at: int, entries: int) -> Body:
    """Read what `encode_body` packed; `first_at` and `entries` are the header's. Raises MalformedBody."""
    raw = _parse(_inflate(body))
    decoded = Body(
        series=[series for group in _rows(raw, "r") for series in _group(group, first_at)],
        sightings=_each(raw, "s", _sighting),
        weighings=_each(raw, "w", _weighing),
        gaps=_each(raw, "g", _gap),
        anchors=_each(raw, "c", _anchor),
    )
    if decoded.count != entries:
        raise MalformedBody("wrong_count", f"the header says {entries}, the body holds {decoded.count}")
    return decoded


def _inflate(body: bytes) -> bytes:
    inflate = zlib.decompressobj(wbits=-15)
    try:
        data = inflate.decompress(body, MAX_INFLATED_BYTES)
    except zlib.error as error:
        raise MalformedBody("not_deflate", str(error)) from error
    if not inflate.eof:
        raise MalformedBody("inflates_too_large" if len(data) >= MAX_INFLATED_BYTES else "truncated_deflate")
    if inflate.unused_data:
        raise MalformedBody("trailing_bytes", f"{len(inflate.unused_data)} after the body")
    return data


def _parse(data: bytes) -> dict[str, Any]:
    try:
        raw = json.loads(data, parse_float=_no_float, parse_constant=_no_float, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise MalformedBody("not_json", str(error)[:_MAX_TEXT]) from error
    if not isinstance(raw, dict) or not raw.keys() <= {"r", "s", "w", "g", "c"}:
        raise MalformedBody("unknown_part", str(raw)[:80])
    return raw


def _no_float(text: str) -> NoReturn:
    raise MalformedBody("float", text[:40])  # exact integers only: no NaN, no infinity, no rounding


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    raw = dict(pairs)
    if len(raw) != len(pairs):
        raise MalformedBody("double_key")
    return raw


def _rows(raw: dict[str, Any], key: str) -> list[Any]:
    rows = raw.get(key, [])
    if type(rows) is not list:
        raise MalformedBody("not_a_list", key)
    return rows


def _each(raw: dict[str, Any], key: str, read: Callable[[Any], T]) -> list[T]:
    return [read(row) for row in _rows(raw, key)]


def _group(group: Any, first_at: int) -> list[Series]:
    if type(group) is not list or len(group) not in {4, 5} or any(type(part) is not list for part in group):
        raise MalformedBody("bad_group")
    points, time_steps, decimals, columns = group[:4]
    marks = group[4] if len(group) == 5 else []
    if not points or not time_steps or not len(points) == len(decimals) == len(columns):
        raise MalformedBody("uneven_columns")
    _ints(points, 0, _MAX_NUMBER)
    _ints(decimals, 0, _MAX_DECIMALS)
    times = _times(time_steps, first_at)
    by_series: list[list[Mark]] = [[] for _ in points]
    for row in marks:
        series, mark = _read_mark(row, len(points), len(times))
        by_series[series].append(mark)
    return [
        Series(point, places, times, _mantissas(column, len(times)), marks_of)
        for point, places, column, marks_of in zip(points, decimals, columns, by_series, strict=True)
    ]


def _times(steps: list[Any], first_at: int) -> list[int]:
    _ints(steps, 0, _MAX_NUMBER)
    if len(steps) > 1 and min(steps[1:]) == 0:
        raise MalformedBody("time_stands_still")
    times = list(accumulate(steps, initial=first_at))[1:]
    if times[-1] > _MAX_NUMBER:
        raise MalformedBody("out_of_range", "time")
    return times


def _mantissas(column: Any, length: int) -> list[int | None]:
    if type(column) is not list or len(column) != length:
        raise MalformedBody("uneven_columns")
    kinds = set(map(type, column))
    if kinds == {int}:
        values: list[int | None] = list(accumulate(column))
        present: list[Any] = values
    elif kinds <= {int, type(None)}:
        values, present, last = [], [], 0
        for step in column:
            if step is not None:
                last += step
                present.append(last)
            values.append(None if step is None else last)
    else:
        raise MalformedBody("not_a_number", "value")
    if present and (max(present) > _MAX_NUMBER or min(present) < -_MAX_NUMBER):
        raise MalformedBody("out_of_range", "value")
    return values


def _read_mark(row: Any, series_count: int, length: int) -> tuple[int, Mark]:
    match row:
        case [int(series), int(start), int(count), 1 | 2 as quality, str(reason)]:
            if 0 <= series < series_count and start >= 0 and 1 <= count <= length - start:
                return series, Mark(start, count, Quality(quality), _text(reason, 1, 64))
    raise MalformedBody("bad_mark", repr(row)[:80])


def _sighting(row: Any) -> Sighting:
    match row:
        case [int(point), int(at), int(last_at), str(epc), int(reads), int() | None as rssi, int() | None as antenna]:
            _ints([point, at, last_at, reads], 0, _MAX_NUMBER)
            if last_at < at or reads < 1 or abs(rssi or 0) > 1000 or not 0 <= (antenna or 0) < 256:
                raise MalformedBody("bad_sighting", repr(row)[:120])
            return Sighting(point, at, last_at, _epc(epc), reads, rssi, antenna)
    raise MalformedBody("bad_sighting", repr(row)[:120])


def _epc(text: str) -> str:
    if not 2 <= len(text) <= 128 or len(text) % 2 or text.strip("0123456789abcdef"):
        raise MalformedBody("bad_epc", text[:140])
    return text


def _weighing(row: Any) -> Weighing:
    match row:
        case [int(point), int(at), int(mantissa), int(decimals), str(unit), str() | None as mode, 0 | 1 as derived]:
            _ints([point, at], 0, _MAX_NUMBER)
            _ints([decimals], 0, _MAX_DECIMALS)
            _ints([mantissa], -_MAX_NUMBER, _MAX_NUMBER)
            if mode in {None, "gross", "net"}:
                return Weighing(point, at, mantissa, decimals, _text(unit, 0, 16), mode, bool(derived))
    raise MalformedBody("bad_weighing", repr(row)[:120])


def _gap(row: Any) -> Gap:
    match row:
        case [str(reason), str() | None as boot, int() | None as start, int() | None as end, points, str(detail)]:
            _ints([at for at in (start, end) if at is not None], 0, _MAX_NUMBER)
            return Gap(_text(reason, 1, 64), _boot(boot), start, end, _gap_points(points), _text(detail, 0, _MAX_TEXT))
    raise MalformedBody("bad_gap", repr(row)[:120])


def _gap_points(points: Any) -> tuple[int, ...] | None:
    if points is None:
        return None
    if type(points) is not list:
        raise MalformedBody("bad_gap", "points")
    _ints(points, 0, _MAX_NUMBER)
    return tuple(points)


def _anchor(row: Any) -> ClockAnchor:
    match row:
        case [str() | None as boot, int(at), int(utc_ms), int(error_ms)]:
            _ints([at, utc_ms, error_ms], 0, _MAX_NUMBER)
            return ClockAnchor(_boot(boot), at, utc_ms, error_ms)
    raise MalformedBody("bad_anchor", repr(row)[:120])


def _boot(text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        boot = bytes.fromhex(text)
    except ValueError as error:
        raise MalformedBody("bad_boot", text[:40]) from error
    if len(boot) != _BOOT_BYTES:
        raise MalformedBody("bad_boot", text[:40])
    return boot


def _text(text: str, least: int, most: int) -> str:
    if not least <= len(text) <= most or not text.isprintable():
        raise MalformedBody("bad_text", repr(text[:80]))
    return text


def _ints(values: list[Any], least: int, most: int) -> None:
    if values and (set(map(type, values)) != {int} or min(values) < least or max(values) > most):
        raise MalformedBody("not_a_number", repr(values)[:80])
