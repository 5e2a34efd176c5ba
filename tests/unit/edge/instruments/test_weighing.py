"""One weighing for each thing that was put on the scale and came to rest."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.instruments.mass import weight_in
from edge.instruments.weighing import WeighingJudge


def weighings(shown, min_weight=None):
    judge = WeighingJudge(min_weight)
    return [value for value, stable in shown if judge.observe(Decimal(value), stable=stable)]


def test_a_placement_is_weighed_once_when_it_rests():
    shown = [("0.000", True), ("4.120", False), ("12.480", False), ("12.485", True), ("12.485", True), ("12.490", True)]
    assert weighings(shown) == ["12.485"]


def test_back_to_zero_arms_it_again():
    shown = [("0.000", True), ("12.485", True), ("3.1", False), ("0.005", False), ("9.000", True), ("9.000", True)]
    assert weighings(shown) == ["12.485", "9.000"]


def test_what_lies_there_at_the_start_is_not_weighed():
    assert weighings([("5.000", True)] * 3) == []


def test_a_load_below_the_smallest_is_no_placement():
    assert weighings([("0.000", True), ("0.019", True)]) == []
    assert weighings([("0.000", True), ("0.020", True)]) == ["0.020"]
    assert weighings([("0.000", True), ("0.020", True), ("1.5", True)], Decimal(1)) == ["1.5"]


def test_a_scale_without_a_stable_flag_rests_when_it_shows_the_same_three_times():
    judge = WeighingJudge()
    shown = ["0.0", "4.9", "5.0", "5.0", "5.0", "5.0"]
    outcome = [judge.observe(Decimal(value), stable=None) for value in shown]
    assert [result is not None for result in outcome] == [False, False, False, False, True, False]
    assert outcome[4].is_stability_derived


def test_a_negative_weight_is_never_weighed():
    assert weighings([("0.000", True), ("-5.000", True)]) == []


PLACEMENTS = st.lists(
    st.tuples(st.integers(20, 60_000), st.lists(st.integers(1, 60_000), max_size=4), st.integers(1, 5)), max_size=10
)


@given(PLACEMENTS)
def test_as_many_weighings_as_placements_whatever_the_swinging(placements):
    """A placement: some unstable values, then the weight at rest for a while, then empty."""
    shown = [(0, True)]
    for grams, swings, rests in placements:
        shown += [(swing, False) for swing in swings] + [(grams, True)] * rests + [(0, True)]
    judge = WeighingJudge(Decimal(20))
    taken = [value for value, stable in shown if judge.observe(Decimal(value), stable=stable)]
    assert taken == [grams for grams, _, _ in placements]


@pytest.mark.parametrize(
    ("value", "shown", "wanted", "expected"),
    [
        ("12.485", "kg", "kg", (12485, 3)),
        ("12.485", None, "kg", (12485, 3)),
        ("485", "g", "kg", (485, 3)),
        ("485.5", "g", "kg", (4855, 4)),
        ("1.234", "t", "kg", (1234, 0)),
        ("1.2345", "t", "kg", (12345, 1)),
        ("2", "kg", "g", (2000, 0)),
        ("1.0", "lb", "kg", (453592370, 9)),
        ("-0.05", "kg", "kg", (-5, 2)),
        ("3", "pcs", "kg", None),
    ],
)
def test_units_are_converted_exactly(value, shown, wanted, expected):
    assert weight_in(value, shown, wanted) == expected
