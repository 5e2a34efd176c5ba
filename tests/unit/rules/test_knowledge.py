"""What is known of a zone: worst of the fresh points, and unknown when none is."""

from decimal import Decimal

import pytest
from hypothesis import given, settings

from rules import Limit, LimitKind, Observation, Segment, exposure, segments, unknown_spans
from tests.unit.rules import plain
from tests.unit.rules.worlds import LAST_TICK, TICK_MS, limits, observations

END = (LAST_TICK + 10) * TICK_MS


def walk(entries, from_at, until_at, sign=1, max_gap_ms=300):
    return list(segments(entries, sign=sign, max_gap_ms=max_gap_ms, from_at=from_at, until_at=until_at))


def test_the_worst_fresh_point_speaks_for_the_zone():
    entries = [Observation(0, 1, -20.0), Observation(100, 2, -17.0), Observation(200, 1, -21.0)]
    assert walk(entries, 0, 600) == [
        Segment(0, 100, -20.0),
        Segment(100, 200, -17.0),
        Segment(200, 400, -17.0),
        Segment(400, 500, -21.0),
        Segment(500, 600, None),
    ]


def test_the_last_value_before_the_window_reaches_into_it():
    assert walk([Observation(0, 1, 2.0)], 100, 400) == [Segment(100, 300, 2.0), Segment(300, 400, None)]


def test_a_window_without_observations_is_unknown_from_end_to_end():
    assert unknown_spans(walk([], 100, 400)) == [(100, 400)]


def test_unknown_spans_that_touch_are_one():
    assert unknown_spans([Segment(0, 1, None), Segment(1, 2, None), Segment(2, 3, 1.0), Segment(3, 4, None)]) == [
        (0, 2),
        (3, 4),
    ]


@settings(max_examples=200, deadline=None)
@given(limits, observations)
def test_every_moment_shows_what_the_plain_rules_say(limit, entries):
    parts = walk(sorted(entries), 0, END, limit.sign, limit.max_gap_ms)
    assert sum(part.until_at - part.from_at for part in parts) == END
    for part in parts:
        for at in range(part.from_at, part.until_at, TICK_MS):
            assert plain.known_at(limit, entries, at) == part.value


def test_exposure_counts_known_unknown_and_beyond():
    limit = Limit(zone="z", key="k", kind=LimitKind.ABOVE, quantity="air_temperature", setpoint=Decimal(-18))
    told = exposure(limit, [Segment(0, 60, -20.0), Segment(60, 90, -17.0), Segment(90, 100, None)])
    assert (told.known_ms, told.unknown_ms, told.beyond_ms, told.coverage) == (90, 10, 30, 0.9)


@pytest.mark.parametrize("wrong", [{"deadband": Decimal(-1)}, {"on_delay_s": -1}, {"max_gap_s": 0}])
def test_an_impossible_limit_is_refused(wrong):
    with pytest.raises(ValueError, match="limit z/k"):
        Limit(zone="z", key="k", kind=LimitKind.ABOVE, quantity="air_temperature", setpoint=Decimal(0), **wrong)
