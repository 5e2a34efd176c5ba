"""Foretelling: the range holds what comes, if nothing changes."""

import math
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from rules import Limit, LimitKind, foretell

LIMIT = Limit(zone="z", key="high", kind=LimitKind.ABOVE, quantity="air_temperature", setpoint=Decimal(-18))
MINUTE = 60_000


def warming(rest, tau_min, begin=-22.0):
    return lambda m: rest + (begin - rest) * math.exp(-m / tau_min)


@settings(max_examples=100, deadline=None)
@given(st.floats(-15, 25), st.floats(20, 400))
def test_a_room_that_follows_the_law_comes_within_the_range(rest, tau_min):
    curve = warming(rest, tau_min)
    told = foretell(LIMIT, [(m * MINUTE, round(curve(m), 1)) for m in range(31)])
    if told is not None:
        assert told.low <= curve(90) <= told.high


def test_the_time_of_the_breach_is_a_range_around_the_true_one():
    curve = warming(25, 300, begin=-24.0)
    told = foretell(LIMIT, [(m * MINUTE, round(curve(m), 1)) for m in range(31)])
    true_min = next(m for m in range(200) if curve(30 + m) > -18)
    assert told.earliest_min <= true_min <= told.latest_min + 1
    assert told.latest_min - told.earliest_min < 15


def test_a_room_that_is_steady_or_cools_foretells_nothing():
    assert foretell(LIMIT, [(m * MINUTE, -20.0) for m in range(31)]) is None
    assert foretell(LIMIT, [(m * MINUTE, -18.5 - m / 20) for m in range(31)]) is None


def test_too_few_minutes_foretell_nothing():
    assert foretell(LIMIT, []) is None
    assert foretell(LIMIT, [(m * MINUTE, -20.0 + m) for m in range(5)]) is None


def test_one_odd_reading_bends_nothing():
    curve = warming(25, 300)
    said = [(m * MINUTE, round(curve(m), 1)) for m in range(31)]
    odd = [*said[:15], (15 * MINUTE, 10.0), *said[16:]]
    assert abs(foretell(LIMIT, odd).high - foretell(LIMIT, said).high) < 1
