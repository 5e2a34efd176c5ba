"""What an event must say, and what it says about where goods are."""

import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.lots import BadEventError, BadQuantityError, EventKind, Item, LotEvent
from cloud.lots.balance import gone_at, left_of, moves_of_events
from cloud.lots.events import MEANINGS, checked, digest


def cut(at=10, **facts):
    told = {
        "kind": EventKind.CUT,
        "at": at,
        "by": "Võ Thị Hạnh",
        "inputs": (Item(lot="A", quantity_kg="60"),),
        "outputs": (Item(lot="B", quantity_kg="40.50"),),
    }
    return LotEvent(**{**told, **facts})


def test_an_event_without_an_id_gets_the_same_one_whenever_it_is_told():
    assert checked(cut()).event_id == checked(cut()).event_id
    assert checked(cut()).event_id != checked(cut(at=11)).event_id
    assert digest(checked(cut())) == digest(checked(cut(event_id=checked(cut()).event_id)))


def test_every_kind_has_its_words():
    assert set(MEANINGS) == set(EventKind)
    assert "killing" not in {meaning.biz_step for meaning in MEANINGS.values()}


@pytest.mark.parametrize(
    "wrong",
    [
        cut(outputs=()),
        cut(subjects=(Item(lot="C"),)),
        cut(inputs=(Item(lot="A"), Item(lot="A"))),
        cut(by=" "),
        cut(corrects="urn:x"),
        cut(core_celsius="4"),
        cut(outputs=(Item(lot="B", pieces=-1),)),
        LotEvent(kind=EventKind.HOLD, at=1, by="x", subjects=(Item(lot="A"),)),
        LotEvent(kind=EventKind.SHIP, at=1, by="x"),
        LotEvent(kind=EventKind.SHIP, at=1, by="x", inputs=(Item(lot="A"),)),
        LotEvent(kind=EventKind.CORRECTION, at=1, by="x"),
        LotEvent(kind=EventKind.AGGREGATE, at=1, by="x", subjects=(Item(lot="A"),)),
        LotEvent(kind=EventKind.MEASURE, at=1, by="x", subjects=(Item(lot="A"),)),
    ],
)
def test_an_event_that_does_not_say_what_its_kind_must_say_is_refused(wrong):
    with pytest.raises(BadEventError):
        checked(wrong)


@pytest.mark.parametrize("quantity", ["-1", "NaN", "many", "1e99"])
def test_a_wrong_quantity_is_refused(quantity):
    with pytest.raises(BadQuantityError):
        checked(cut(inputs=(Item(lot="A", quantity_kg=quantity),)))


def ship(at, quantity=None):
    return checked(LotEvent(kind=EventKind.SHIP, at=at, by="x", subjects=(Item(lot="A", quantity_kg=quantity),)))


def test_a_lot_is_gone_when_the_last_of_it_is_used_up():
    events = [checked(cut()), ship(20, "30"), ship(30, "9.5")]
    assert left_of("A", "100", events) == Decimal("0.5")
    assert gone_at("A", "100", events) == 30
    assert gone_at("A", "200", events) is None
    assert gone_at("A", None, events) is None
    assert gone_at("A", None, [ship(20)]) == 20


def test_what_is_made_is_where_it_was_made():
    events = [checked(cut(zone="pha-loc"))]
    assert [move.zone_id for move in moves_of_events("B", None, events, {"pha-loc": 7})] == [7]
    assert moves_of_events("A", "100", events, {"pha-loc": 7}) == []
    assert [move.zone_id for move in moves_of_events("A", "60", events, {"pha-loc": 7})] == [None]


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 40)), max_size=8), st.randoms())
def test_the_order_of_arrival_does_not_matter(parts, chance):
    events = [ship(at, str(kilograms)) for at, kilograms in parts]
    shuffled = random.Random(chance.random()).sample(events, len(events))
    assert gone_at("A", "100", events) == gone_at("A", "100", shuffled)
    assert left_of("A", "100", events) == left_of("A", "100", shuffled)
