"""The rooms: bounded by what surrounds them, and warm when they should."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.thermal import CLIMATES, Influences, Room, is_defrosted, step, take_in

STORE = CLIMATES["cold_store"]
CALM = Influences(outside_celsius=28)
MINUTE = 60

influences = st.builds(
    Influences,
    outside_celsius=st.floats(15, 40),
    door_open=st.booleans(),
    defrost=st.booleans(),
    compressor_works=st.booleans(),
)


def after(minutes, acting=CALM, climate=STORE, room=None):
    room = room or Room.at_rest(climate)
    for _ in range(minutes):
        room = step(room, climate, acting, MINUTE)
    return room


@given(
    name=st.sampled_from(sorted(CLIMATES)),
    start=st.floats(-40, 30),
    course=st.lists(st.tuples(influences, st.floats(0.1, 7200)), min_size=1, max_size=40),
)
def test_no_room_leaves_the_range_of_its_surroundings(name, start, course):
    climate = CLIMATES[name]
    lowest = min(climate.evaporator_celsius, climate.door_air_celsius, start, 15)
    highest = max(8.0, climate.door_air_celsius, start, 40)
    room = Room(start, start, start)
    for acting, dt_s in course:
        room = step(room, climate, acting, dt_s)
        for celsius in (room.air_celsius, room.coil_celsius, room.goods_celsius):
            assert lowest - 1e-9 <= celsius <= highest + 1e-9


@pytest.mark.parametrize("name", sorted(CLIMATES))
def test_every_room_holds_its_setpoint_when_nothing_happens(name):
    climate = CLIMATES[name]
    room = after(12 * 60, climate=climate)
    for _ in range(6 * 60):
        room = step(room, climate, CALM, MINUTE)
        assert abs(room.air_celsius - climate.setpoint_celsius) < climate.differential_kelvin + 0.5


def test_the_compressor_goes_on_and_off():
    room, states = Room.at_rest(STORE), set()
    for _ in range(120):
        room = step(room, STORE, CALM, MINUTE)
        states.add(room.compressor_on)
    assert states == {True, False}


def test_a_dead_compressor_warms_a_cold_store_over_its_limit_within_two_hours():
    assert after(20, replace(CALM, compressor_works=False)).air_celsius < -18
    assert after(120, replace(CALM, compressor_works=False)).air_celsius > -18


def test_an_open_door_warms_faster_than_a_dead_compressor():
    door = after(30, replace(CALM, door_open=True)).air_celsius
    dead = after(30, replace(CALM, compressor_works=False)).air_celsius
    assert door > dead > -20.5


def test_a_defrost_is_a_warm_spike_that_passes():
    room = after(25, replace(CALM, defrost=True))
    assert room.coil_celsius > 0 and room.air_celsius > -19
    assert not room.compressor_on
    assert after(60, room=room).air_celsius < -19.5


def test_a_defrost_ends_by_its_coil():
    room = Room.at_rest(STORE)
    assert not is_defrosted(room)
    assert is_defrosted(after(60, replace(CALM, defrost=True)))


def test_warm_goods_warm_the_air():
    assert after(20, room=take_in(Room.at_rest(STORE), 10, 0.5)).goods_celsius > -20
    warm = after(20, replace(CALM, compressor_works=False), room=take_in(Room.at_rest(STORE), 10, 0.5))
    cold = after(20, replace(CALM, compressor_works=False))
    assert warm.air_celsius > cold.air_celsius
