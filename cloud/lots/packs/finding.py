"""What one rule says of one lot. Pure: values in, finding with a named reason out. Unknown is never good."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from cloud.lots.packs.pack_file import Band, Rule
from rules import Segment

_MINUTE_MS = 60_000
_HOUR_MS = 3_600_000


class Met(StrEnum):
    PASS = "pass"  # noqa: S105  a verdict, no password
    WARN = "warn"
    FAIL = "fail"
    INSUFFICIENT_DATA = "insufficient_data"


class PackReason(StrEnum):
    WITHIN_BAND = "within_band"
    WITHIN_TOLERANCE = "within_tolerance"
    SHORTLY_OUT = "shortly_out"
    TOLERANCE_USED_UP = "tolerance_used_up"
    OUT_OF_BAND = "out_of_band"
    COVERAGE_TOO_LOW = "coverage_too_low"
    DEADLINE_MET = "deadline_met"
    DEADLINE_MISSED = "deadline_missed"
    DEADLINE_RUNNING = "deadline_running"
    NOT_MEASURED = "not_measured"
    CORE_IN_BAND = "core_in_band"
    CORE_OUT_OF_BAND = "core_out_of_band"


class Core(NamedTuple):
    """A temperature in the thickest part, taken by hand."""

    at: int
    celsius: float


@dataclass(frozen=True, slots=True)
class Finding:
    """`zone` None: it is not about one stay. `counts`: whether the lot's verdict listens to it."""

    pack: str
    rule: str
    met: Met
    reason: PackReason
    lot: str
    zone: str | None = None
    out_min: float = 0
    tolerated_min: float = 0
    unknown_min: float = 0
    degree_min: float = 0
    coverage: float | None = None
    worst: float | None = None
    due_at: int | None = None
    reached_at: int | None = None
    counts: bool = True


class Measured(NamedTuple):
    """Minutes of a stay by what was known of them."""

    out: float
    tolerated: float
    unknown: float
    known: float
    degree: float
    worst: float | None

    @property
    def coverage(self) -> float:
        total = self.known + self.unknown
        return self.known / total if total else 1.0


class Subject(NamedTuple):
    """What a finding is about."""

    pack: str
    lot: str
    zone: str | None = None


def judge_band(subject: Subject, rule: Rule, band: Band, high: Sequence[Segment], low: Sequence[Segment]) -> Finding:
    """`high` shows the warmest, `low` the coldest of what counts at each moment; they cover the same time."""
    warm, cold = measure(rule, band, high, is_upper=True), measure(rule, band, low, is_upper=False)
    total = Measured(
        warm.out + cold.out,
        warm.tolerated + cold.tolerated,
        warm.unknown,
        warm.known,
        warm.degree,
        warm.worst if warm.out + warm.tolerated or not cold.out + cold.tolerated else cold.worst,
    )
    met, reason = _verdict(rule, total)
    return Finding(
        subject.pack,
        rule.key,
        met,
        reason,
        subject.lot,
        subject.zone,
        out_min=round(total.out, 3),
        tolerated_min=round(total.tolerated, 3),
        unknown_min=round(total.unknown, 3),
        degree_min=round(total.degree, 3),
        coverage=round(total.coverage, 4),
        worst=total.worst,
    )


def measure(rule: Rule, band: Band, parts: Iterable[Segment], *, is_upper: bool) -> Measured:
    """Minutes beyond one end of the band."""
    end = band.high if is_upper else band.low
    limit = None if end is None else float(end)
    wide = None if rule.tolerance is None else rule.tolerance.high if is_upper else rule.tolerance.low
    out = tolerated = unknown = known = degree = 0.0
    worst: float | None = None
    for begin, until, value in parts:
        minutes = (until - begin) / _MINUTE_MS
        if value is None:
            unknown += minutes
            continue
        known += minutes
        worst = value if worst is None else max(worst, value) if is_upper else min(worst, value)
        beyond = 0.0 if limit is None else value - limit if is_upper else limit - value
        if beyond <= 0:
            continue
        degree += beyond * minutes if is_upper else 0.0
        is_tolerated = wide is not None and (value <= float(wide) if is_upper else value >= float(wide))
        tolerated, out = (tolerated + minutes, out) if is_tolerated else (tolerated, out + minutes)
    return Measured(out, tolerated, unknown, known, degree, worst)


def judge_cores(subject: Subject, rule: Rule, band: Band, cores: Sequence[Core]) -> Finding:
    """Every measurement during the stay counts; none at all is no proof of anything."""
    if not cores:
        met, reason = Met.INSUFFICIENT_DATA, PackReason.NOT_MEASURED
        return Finding(subject.pack, rule.key, met, reason, subject.lot, subject.zone, counts=rule.must_measure)
    warmest = max(core.celsius for core in cores)
    is_good = all(band.holds(core.celsius) for core in cores)
    met, reason = (Met.PASS, PackReason.CORE_IN_BAND) if is_good else (_severity(rule), PackReason.CORE_OUT_OF_BAND)
    return Finding(subject.pack, rule.key, met, reason, subject.lot, subject.zone, worst=warmest)


def judge_deadline(  # noqa: PLR0917  the facts of one deadline
    subject: Subject, rule: Rule, began_at: int, piece_kg: float | None, cores: Sequence[Core], now_ms: int
) -> Finding:
    """Met by the first measurement that is cold enough, if it was in time; a warm one says nothing about later."""
    assert rule.deadline is not None
    due_at = began_at + round(rule.deadline.hours_for(piece_kg) * _HOUR_MS)
    goal = float(rule.deadline.reach_celsius)
    after = sorted(core for core in cores if core.at >= began_at)
    reached_at = next((core.at for core in after if core.celsius <= goal), None)
    if reached_at is not None and reached_at <= due_at:
        met, reason = Met.PASS, PackReason.DEADLINE_MET
    elif any(core.at >= due_at and core.celsius > goal for core in after):
        met, reason = _severity(rule), PackReason.DEADLINE_MISSED
    elif now_ms < due_at:
        met, reason = Met.INSUFFICIENT_DATA, PackReason.DEADLINE_RUNNING
    else:
        met, reason = Met.INSUFFICIENT_DATA, PackReason.NOT_MEASURED
    worst = after[-1].celsius if after else None
    return Finding(
        subject.pack,
        rule.key,
        met,
        reason,
        subject.lot,
        subject.zone,
        worst=worst,
        due_at=due_at,
        reached_at=reached_at,
        counts=reason is not PackReason.DEADLINE_RUNNING,
    )


def _verdict(rule: Rule, total: Measured) -> tuple[Met, PackReason]:
    if total.out > rule.max_out_min:
        return _severity(rule), PackReason.OUT_OF_BAND
    if rule.tolerance is not None and total.tolerated > rule.tolerance.max_min:
        return _severity(rule), PackReason.TOLERANCE_USED_UP
    if total.coverage < rule.min_coverage:
        return Met.INSUFFICIENT_DATA, PackReason.COVERAGE_TOO_LOW
    if total.out > 0:
        return Met.WARN, PackReason.SHORTLY_OUT
    if total.tolerated > 0:
        return Met.WARN, PackReason.WITHIN_TOLERANCE
    return Met.PASS, PackReason.WITHIN_BAND


def _severity(rule: Rule) -> Met:
    return Met.FAIL if rule.severity == "fail" else Met.WARN
