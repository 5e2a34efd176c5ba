"""Ledger against database: was every value that an instrument gave out stored, once, as it was, where it belongs?

    ledger row                     stored                       verdict
    given out, sound               same value, near in time     stored
    given out, sound               another value                altered
    given out, sound               nothing, but a bad reading   refused      the gateway said that it could not read
    given out, sound               nothing, in a declared gap   unsealed     the agent was killed, or the power cut
                                                                declared     thinned, not kept, buffer corrupt
    given out, sound               nothing                      lost
    spoilt or withheld on purpose  its value                    spoilt
    -                              a value that was not given   invented
    one row                        twice                        duplicated

Pure: columns of numbers in, counts out. Values are compared as exact decimals, packed into integers.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import IntEnum
from typing import NamedTuple

UNSEALED_REASONS = frozenset({"agent_killed", "agent_stopped", "power_off"})
DECLARED_REASONS = frozenset({"not_kept", "thinned", "bus_down", "buffer_corrupt", "disk_full"})
"""Only what the gateway itself declares excuses a missing row; what the cloud made a gap of is lost."""

DEFAULT_TOLERANCE_MS = 1000

MOST_EXAMPLES = 5


class Fate(IntEnum):
    """What must have become of a row of the ledger."""

    MUST = 0
    MAY = 1  # given out but late or noisy: a good reader takes or refuses it
    MUST_NOT = 2


class AuditInputError(Exception):
    """The question cannot be answered as it was put: a file or database that is not one, or not there."""


@dataclass(slots=True)
class LedgerColumn:
    """One point's rows in the order in which they were given out."""

    times: array[int] = field(default_factory=lambda: array("q"))
    values: array[int] = field(default_factory=lambda: array("q"))
    fates: bytearray = field(default_factory=bytearray)

    def add(self, time: int, value: int, fate: Fate) -> None:
        """A clock that was set back moves a row to the time of the one before: order is what happened."""
        if self.times and time < self.times[-1]:
            time = self.times[-1]
        self.times.append(time)
        self.values.append(value)
        self.fates.append(fate)


@dataclass(slots=True)
class StoredColumn:
    """One point's readings in time order; those without a value only say that something could not be read."""

    times: array[int] = field(default_factory=lambda: array("q"))
    values: array[int] = field(default_factory=lambda: array("q"))
    bad_times: array[int] = field(default_factory=lambda: array("q"))


class GapSpan(NamedTuple):
    """A declared gap; None is an end that nobody knows, `point` None means all of the gateway."""

    reason: str
    from_at: int | None
    until_at: int | None
    point: str | None

    def covers(self, point: str, time: int, slack_ms: int) -> bool:
        return (
            self.point in {None, point}
            and (self.from_at is None or self.from_at - slack_ms <= time)
            and (self.until_at is None or time <= self.until_at + slack_ms)
        )


class Mismatch(NamedTuple):
    """One thing that is not as it should be, for a person to look at."""

    what: str
    point: str
    time: int
    value: str


@dataclass(slots=True)
class PointReport:
    """`produced` counts what had to be stored."""

    point: str
    produced: int = 0
    undelivered: int = 0
    doubtful: int = 0
    stored: int = 0
    lost: int = 0
    duplicated: int = 0
    altered: int = 0
    spoilt: int = 0
    invented: int = 0
    out_of_order: int = 0
    refused: int = 0
    unsealed: int = 0
    declared: int = 0


COUNTS = tuple(one.name for one in fields(PointReport) if one.name != "point")
WRONG = ("lost", "duplicated", "altered", "spoilt", "invented", "out_of_order")


@dataclass(slots=True)
class AuditReport:
    points: list[PointReport] = field(default_factory=list)
    tags: list[PointReport] = field(default_factory=list)  # one per reader and EPC; numbers are reads
    gaps: int = 0
    longest_gap_ms: int = 0
    longest_unsealed_ms: int = 0  # between the first and the last value that one kill cost
    points_not_in_ledger: int = 0
    examples: list[Mismatch] = field(default_factory=list)

    @property
    def total(self) -> PointReport:
        return _sum("all points", self.points)

    @property
    def tag_total(self) -> PointReport:
        return _sum("all tags", self.tags)

    @property
    def is_clean(self) -> bool:
        return not any(getattr(part, name) for part in (self.total, self.tag_total) for name in WRONG)


def compare(
    ledger: Mapping[str, LedgerColumn],
    stored: Iterable[tuple[str, StoredColumn]],
    gaps: Iterable[GapSpan],
    tolerance_ms: int = DEFAULT_TOLERANCE_MS,
) -> AuditReport:
    """`stored` gives one point at a time, so that it need not all be in memory; points are `device/point`."""
    spans = list(gaps)
    report = AuditReport()
    unsealed: dict[GapSpan, tuple[int, int]] = {}
    missing = dict(ledger)
    for point, column in stored:
        if point in ledger:
            comparison = _Comparison(point, missing.pop(point), column, tolerance_ms)
            report.points.append(comparison.run(spans, unsealed, report.examples))
        else:
            report.points_not_in_ledger += 1
    for point, rows in missing.items():
        comparison = _Comparison(point, rows, StoredColumn(), tolerance_ms)
        report.points.append(comparison.run(spans, unsealed, report.examples))
    report.points.sort(key=lambda one: one.point)
    known = [gap for gap in spans if gap.reason in UNSEALED_REASONS]
    report.gaps = len(known)
    report.longest_gap_ms = max(
        (gap.until_at - gap.from_at for gap in known if gap.from_at is not None and gap.until_at is not None), default=0
    )
    report.longest_unsealed_ms = max((last - first for first, last in unsealed.values()), default=0)
    return report


def compare_tags(
    read_times: Mapping[str, LedgerColumn],
    stored_reads: Mapping[str, int],
    gaps: Iterable[GapSpan],
    tolerance_ms: int = DEFAULT_TOLERANCE_MS,
) -> list[PointReport]:
    """Sightings are sums of reads: per `device/epc` the sums are compared. Values in the columns are not looked at."""
    spans = list(gaps)
    reports = []
    for name in sorted({*read_times, *stored_reads}):
        rows, stored = read_times.get(name, LedgerColumn()), stored_reads.get(name, 0)
        one = PointReport(name, stored=stored)
        _count_fates(one, rows)
        if not rows.times:
            one.invented = stored
        one.duplicated = max(0, stored - one.produced - one.doubtful - one.invented)
        missing = max(0, one.produced - stored)
        excused = Counter(
            _excuse(spans, name, time, tolerance_ms)
            for time, fate in zip(rows.times, rows.fates, strict=True)
            if fate == Fate.MUST
        )
        one.unsealed = min(missing, excused["unsealed"])
        one.declared = min(missing - one.unsealed, excused["declared"])
        one.lost = missing - one.unsealed - one.declared
        reports.append(one)
    return reports


def pack_decimal(text: str) -> int:
    """An exact decimal as one integer, equal for equal numbers: "-19.40" and "-19.4" are the same."""
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0")
    try:
        mantissa = int(whole + fraction)
    except ValueError:
        raise AuditInputError(f"{text!r} is not a decimal number") from None
    return mantissa << 4 | len(fraction) if len(fraction) < 16 else _refuse(text)


def unpack_decimal(packed: int) -> str:
    places, mantissa = packed & 15, packed >> 4
    digits = str(abs(mantissa)).rjust(places + 1, "0")
    sign = "-" if mantissa < 0 else ""
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"


def _refuse(text: str) -> int:
    raise AuditInputError(f"{text!r} has more than 15 decimals")


def _sum(name: str, parts: Iterable[PointReport]) -> PointReport:
    total = PointReport(name)
    for part in parts:
        for count in COUNTS:
            setattr(total, count, getattr(total, count) + getattr(part, count))
    return total


def _count_fates(report: PointReport, rows: LedgerColumn) -> None:
    report.produced = rows.fates.count(Fate.MUST)
    report.doubtful = rows.fates.count(Fate.MAY)
    report.undelivered = rows.fates.count(Fate.MUST_NOT)


def _excuse(gaps: Iterable[GapSpan], point: str, time: int, slack_ms: int) -> str | None:
    gap = _gap_of(gaps, point, time, slack_ms)
    if gap is None:
        return None
    return "unsealed" if gap.reason in UNSEALED_REASONS else "declared"


def _gap_of(gaps: Iterable[GapSpan], point: str, time: int, slack_ms: int) -> GapSpan | None:
    """The one that it lies in, else one that it lies near: after a kill follows another."""
    near = [
        gap for gap in gaps if gap.reason in UNSEALED_REASONS | DECLARED_REASONS and gap.covers(point, time, slack_ms)
    ]
    return next((gap for gap in near if gap.covers(point, time, 0)), near[0] if near else None)


class _Comparison:
    """One point. Each stored value takes at most one row of the ledger, each row is taken at most once."""

    def __init__(self, point: str, ledger: LedgerColumn, stored: StoredColumn, tolerance_ms: int) -> None:
        self._ledger, self._stored, self._tolerance_ms = ledger, stored, tolerance_ms
        self._row_of = array("q", [-1]) * len(stored.times)
        self._is_taken = bytearray(len(ledger.times))
        self._point = point
        self._report = PointReport(point, stored=len(stored.times))
        _count_fates(self._report, ledger)

    def run(
        self, gaps: list[GapSpan], unsealed: dict[GapSpan, tuple[int, int]], examples: list[Mismatch]
    ) -> PointReport:
        # First the near ones: a value that stays the same for hours fits its neighbours' rows as well.
        for tolerance_ms in (self._tolerance_ms // 20, self._tolerance_ms // 4, self._tolerance_ms):
            self._match(tolerance_ms)
        self._report.out_of_order = self._count_inversions()
        for index in self._left_over():
            what = self._judge_surplus(index)
            setattr(self._report, what, getattr(self._report, what) + 1)
            self._show(examples, what, self._stored.times[index], self._stored.values[index])
        self._judge_missing(gaps, unsealed, examples)
        return self._report

    def _match(self, tolerance_ms: int) -> None:
        """Earliest fitting row first: with windows of equal width no other choice takes more rows."""
        for index in self._left_over():
            for row in self._rows_near(self._stored.times[index], tolerance_ms):
                if self._is_free(row) and self._ledger.values[row] == self._stored.values[index]:
                    self._row_of[index] = row
                    self._is_taken[row] = 1
                    break

    def _left_over(self) -> list[int]:
        return [index for index, row in enumerate(self._row_of) if row < 0]

    def _rows_near(self, time: int, tolerance_ms: int) -> Iterator[int]:
        times = self._ledger.times
        row = bisect_left(times, time - tolerance_ms)
        while row < len(times) and times[row] <= time + tolerance_ms:
            yield row
            row += 1

    def _is_free(self, row: int) -> bool:
        return not self._is_taken[row] and self._ledger.fates[row] != Fate.MUST_NOT

    def _count_inversions(self) -> int:
        """Values that stand in the database in another order than they were given out."""
        inversions, furthest = 0, -1
        for row in self._row_of:
            if 0 <= row < furthest and self._ledger.values[row] != self._ledger.values[furthest]:
                inversions += 1
            furthest = max(furthest, row)
        return inversions

    def _judge_surplus(self, index: int) -> str:
        near = list(self._rows_near(self._stored.times[index], self._tolerance_ms))
        same = [row for row in near if self._ledger.values[row] == self._stored.values[index]]
        if any(self._ledger.fates[row] == Fate.MUST_NOT for row in same):
            return "spoilt"
        if same:
            return "duplicated"
        free = next((row for row in near if self._is_free(row)), None)
        if free is None:
            return "invented"
        self._is_taken[free] = 1
        return "altered"

    def _judge_missing(
        self, gaps: list[GapSpan], unsealed: dict[GapSpan, tuple[int, int]], examples: list[Mismatch]
    ) -> None:
        refusals = _Refusals(self._stored.bad_times, self._tolerance_ms)
        for row, fate in enumerate(self._ledger.fates):
            if fate != Fate.MUST or self._is_taken[row]:
                continue
            time = self._ledger.times[row]
            gap = _gap_of(gaps, self._point, time, self._tolerance_ms)
            if refusals.take(time):
                self._report.refused += 1
            elif gap is None:
                self._report.lost += 1
                self._show(examples, "lost", time, self._ledger.values[row])
            elif gap.reason in UNSEALED_REASONS:
                self._report.unsealed += 1
                first, last = unsealed.get(gap, (time, time))
                unsealed[gap] = (min(first, time), max(last, time))
            else:
                self._report.declared += 1

    def _show(self, examples: list[Mismatch], what: str, time: int, value: int) -> None:
        if sum(one.what == what for one in examples) < MOST_EXAMPLES:
            examples.append(Mismatch(what, self._point, time, unpack_decimal(value)))


class _Refusals:
    """Bad readings, each of which explains one row that was given out and not read."""

    def __init__(self, times: array[int], tolerance_ms: int) -> None:
        self._times, self._tolerance_ms = times, tolerance_ms
        self._next = 0

    def take(self, time: int) -> bool:
        """Asked in time order."""
        while self._next < len(self._times) and self._times[self._next] < time - self._tolerance_ms:
            self._next += 1
        if self._next < len(self._times) and self._times[self._next] <= time + self._tolerance_ms:
            self._next += 1
            return True
        return False
