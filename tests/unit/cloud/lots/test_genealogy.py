"""Shares, origins and balances of families small and random."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.lots import Balance, EventKind, Transformation, generations, origins
from cloud.lots.genealogy import affected, affected_kilograms, edges_of, shares_of_ancestors, used_until


def made(number, inputs, outputs, kind=EventKind.CUT):
    return Transformation(f"e{number}", kind, number, _weights(inputs), _weights(outputs))


def _weights(side):
    return {lot: None if weight is None else Decimal(weight) for lot, weight in side.items()}


POULTRY = [
    made(1, {"flock-1": 2000}, {"carcass-1": 1400}, EventKind.SLAUGHTER),
    made(2, {"flock-2": 1000}, {"carcass-2": 700}, EventKind.SLAUGHTER),
    made(3, {"carcass-1": 600, "carcass-2": 200}, {"legs": 400, "breast": 380}),
    made(4, {"legs": 100, "breast": 100}, {"mixed": 200}, EventKind.PACK),
]


def test_a_mixed_tray_is_of_both_flocks_by_weight():
    edges = edges_of(POULTRY)
    assert origins("mixed", edges) == [("flock-1", Decimal("0.75")), ("flock-2", Decimal("0.25"))]
    assert origins("flock-1", edges_of([])) == [("flock-1", 1)]


def test_what_was_not_weighed_is_in_there_by_an_unknown_share():
    edges = edges_of([made(1, {"a": None, "b": 10}, {"c": 20})])
    assert origins("c", edges) == [("a", None), ("b", None)]


def test_generations_count_from_the_lot_both_ways():
    depth = generations("legs", edges_of(POULTRY))
    assert depth == {"legs": 0, "carcass-1": -1, "carcass-2": -1, "flock-1": -2, "flock-2": -2, "mixed": 1}


def test_only_what_was_made_after_the_touch_is_touched():
    edges = edges_of(POULTRY)
    assert affected({"carcass-1": 3}, edges) == {"carcass-1": 3, "legs": 3, "breast": 3, "mixed": 4}
    assert affected({"carcass-1": 4}, edges) == {"carcass-1": 4}


def test_the_touched_weight_follows_the_shares():
    edges = edges_of(POULTRY)
    touched = affected({"carcass-2": 0}, edges)
    weights = {"carcass-2": Decimal(700), "legs": Decimal(400), "breast": Decimal(380), "mixed": Decimal(200)}
    assert affected_kilograms(["carcass-2"], edges, touched, weights) == {
        "carcass-2": 700,
        "legs": 100,
        "breast": 95,
        "mixed": 50,
    }


def test_an_ancestors_story_counts_until_its_last_part_went_in():
    edges = edges_of([made(1, {"a": 1}, {"b": 1}), made(5, {"a": 1}, {"b": 1}), made(9, {"b": 2}, {"c": 2})])
    assert used_until("c", edges) == {"a": 5, "b": 9}


@pytest.mark.parametrize(
    ("inputs", "outputs", "kind", "balance"),
    [
        ({"a": 2000}, {"b": 1400}, EventKind.SLAUGHTER, Balance.BALANCED),
        ({"a": 2000}, {"b": 2000}, EventKind.SLAUGHTER, Balance.TOO_MUCH),
        ({"a": 100}, {"b": 40, "c": 30}, EventKind.CUT, Balance.TOO_LITTLE),
        ({"a": 100}, {"b": None}, EventKind.CUT, Balance.UNKNOWN),
        ({"a": 0}, {"b": 1}, EventKind.CUT, Balance.UNKNOWN),
    ],
)
def test_what_comes_out_is_weighed_against_what_went_in(inputs, outputs, kind, balance):
    assert made(1, inputs, outputs, kind).balance is balance


@st.composite
def plants(draw):
    """Lots numbered so that parents come first; each lot but the first few is made once of one to three older ones."""
    count = draw(st.integers(3, 9))
    events = []
    for number in range(2, count):
        parents = draw(st.lists(st.integers(0, number - 1), min_size=1, max_size=3, unique=True))
        inputs = {str(parent): draw(st.integers(1, 50)) for parent in parents}
        events.append(made(number, inputs, {str(number): draw(st.integers(1, 100))}))
    return events, str(count - 1)


@given(plants(), st.randoms())
def test_shares_agree_with_following_every_path_by_hand_in_any_order(plant, chance):
    events, lot = plant
    shuffled = chance.sample(events, len(events))
    told = shares_of_ancestors(lot, edges_of(shuffled))
    by_hand = {}
    _follow(lot, Fraction(1), {each: event for event in events for each in event.outputs}, by_hand)
    del by_hand[lot]
    assert set(told) == set(by_hand)
    for key, share in by_hand.items():
        assert float(told[key]) == pytest.approx(float(share))
    assert sum(float(origin.share) for origin in origins(lot, edges_of(shuffled))) == pytest.approx(1)


def _follow(lot, share, makers, found):
    found[lot] = found.get(lot, 0) + share
    if lot in makers:
        event = makers[lot]
        for parent, weight in event.inputs.items():
            _follow(parent, share * Fraction(weight) / Fraction(event.in_kg), makers, found)
