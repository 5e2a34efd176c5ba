"""A verdict has a named reason, and unknown is never a pass."""

import pytest

from cloud.lots.verdict import Conditions, Outcome, Reason, judge
from rules import Severity

HOUR = 3_600_000


def stay(zone="kho", *, is_limited=True, is_measured=True, known=10 * HOUR, unknown=0, breaches=()):
    return Conditions(zone, is_limited, is_measured, known, unknown, breaches)


@pytest.mark.parametrize(
    ("stays", "outcome", "reason", "zone"),
    [
        ([], Outcome.INSUFFICIENT_DATA, Reason.NO_RESIDENCE, None),
        ([stay()], Outcome.PASS, Reason.WITHIN_LIMITS, None),
        ([stay(is_limited=False)], Outcome.INSUFFICIENT_DATA, Reason.NO_LIMIT, None),
        ([stay(), stay("hall", is_limited=False, is_measured=False)], Outcome.PASS, Reason.WITHIN_LIMITS, None),
        ([stay("a", is_measured=False)], Outcome.INSUFFICIENT_DATA, Reason.NO_INSTRUMENT, "a"),
        ([stay("a", unknown=HOUR)], Outcome.INSUFFICIENT_DATA, Reason.UNKNOWN_TIME, "a"),
        ([stay("a", known=0, unknown=300_000)], Outcome.PASS, Reason.WITHIN_LIMITS, None),
        ([stay("a", unknown=HOUR), stay("b", breaches=[Severity.HIGH])], Outcome.FAIL, Reason.BREACH, "b"),
        ([stay("a", breaches=[Severity.LOW])], Outcome.PASS, Reason.WITHIN_LIMITS, None),
    ],
)
def test_the_verdict_and_its_reason(stays, outcome, reason, zone):
    verdict = judge(stays)
    assert (verdict.outcome, verdict.reason, verdict.zone) == (outcome, reason, zone)
