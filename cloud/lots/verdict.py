"""What can be said of a lot so far. Pure. Unknown is not OK: too little knowledge is never a pass."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from cloud.lots.packs.finding import Finding, Met
from rules import Severity

TOLERATED_UNKNOWN_SHARE = 0.05
TOLERATED_UNKNOWN_MS = 5 * 60_000

# Failing weighs most, then not knowing: neither is ever covered up by something better.
_WEIGHT = {Met.PASS: 0, Met.WARN: 1, Met.INSUFFICIENT_DATA: 2, Met.FAIL: 3}

# Colder than planned does goods no harm that a person has to decide on; such limits are of low severity.
_FAILING = {Severity.MEDIUM, Severity.HIGH}


class Outcome(StrEnum):
    PASS = "pass"  # noqa: S105  a verdict, no password
    WARN = "warn"
    FAIL = "fail"
    INSUFFICIENT_DATA = "insufficient_data"


class Reason(StrEnum):
    WITHIN_LIMITS = "within_limits"
    BREACH = "breach"
    NO_RESIDENCE = "no_residence"
    NO_LIMIT = "no_limit"
    NO_INSTRUMENT = "no_instrument"
    UNKNOWN_TIME = "unknown_time"
    RULE = "rule"  # a rule of a limit pack; which one stands beside it


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the verdict needs to know of one stay in a zone."""

    zone: str
    is_limited: bool
    is_measured: bool
    known_ms: int
    unknown_ms: int
    breaches: Sequence[Severity]  # of the confirmed breaches that overlap the stay
    lot: str = ""  # whose stay it was: the lot's own, or an ancestor's


@dataclass(frozen=True, slots=True)
class Verdict:
    outcome: Outcome
    reason: Reason
    zone: str | None = None  # where the reason is found first
    lot: str | None = None  # whose stay that was
    rule: str | None = None  # pack/rule, where a pack decided


def judge(stays: Sequence[Conditions]) -> Verdict:
    if not stays:
        return Verdict(Outcome.INSUFFICIENT_DATA, Reason.NO_RESIDENCE)
    for stay in stays:
        if _FAILING.intersection(stay.breaches):
            return Verdict(Outcome.FAIL, Reason.BREACH, stay.zone, stay.lot)
    limited = [stay for stay in stays if stay.is_limited]
    if not limited:
        return Verdict(Outcome.INSUFFICIENT_DATA, Reason.NO_LIMIT)
    for stay in limited:
        if not stay.is_measured:
            return Verdict(Outcome.INSUFFICIENT_DATA, Reason.NO_INSTRUMENT, stay.zone, stay.lot)
        if is_too_unknown(stay):
            return Verdict(Outcome.INSUFFICIENT_DATA, Reason.UNKNOWN_TIME, stay.zone, stay.lot)
    return Verdict(Outcome.PASS, Reason.WITHIN_LIMITS)


def with_findings(verdict: Verdict, findings: Sequence[Finding]) -> Verdict:
    """What the packs of the food plan say counts like the zones' own limits, which are asked first: the worst decides.

    Where no zone had a limit, the packs decide alone.
    """
    counting = [finding for finding in findings if finding.counts]
    worst = max(counting, key=lambda finding: _WEIGHT[finding.met], default=None)
    if worst is None:
        return verdict
    said = Verdict(Outcome(worst.met.value), Reason.RULE, worst.zone, worst.lot, f"{worst.pack}/{worst.rule}")
    if verdict.reason is Reason.NO_LIMIT:
        return said
    return said if _WEIGHT[worst.met] > _WEIGHT[Met(verdict.outcome.value)] else verdict


def is_too_unknown(stay: Conditions) -> bool:
    tolerated = max(TOLERATED_UNKNOWN_MS, TOLERATED_UNKNOWN_SHARE * (stay.known_ms + stay.unknown_ms))
    return stay.unknown_ms > tolerated
