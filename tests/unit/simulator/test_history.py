"""Histories: the running plant's rooms and lots in the past, point by point, in order of time."""

from pathlib import Path

import pytest

from simulator import history
from simulator.plan import load_plan

PLANTS = Path(__file__).parents[3] / "firmware-config" / "plants"
UNTIL = 1_795_246_320_000
HOUR = 3_600_000


@pytest.fixture(scope="module")
def plan():
    return load_plan(PLANTS / "binh-minh.yaml")


@pytest.fixture(scope="module")
def six_hours(plan):
    return list(history.readings(plan, 1, UNTIL - 6 * HOUR, UNTIL))


def test_every_probe_and_controller_speaks_once_a_minute(plan, six_hours):
    points = {(one.device, one.point) for one in six_hours}
    assert len(points) == 11 * 2 + 2 * 4
    times = [one.utc_ms for one in six_hours if (one.device, one.point) == ("kho-lanh-b-probe", "temperature")]
    assert times == list(range(UNTIL - 6 * HOUR, UNTIL, 60_000))


def test_readings_come_in_order_of_time(six_hours):
    times = [one.utc_ms for one in six_hours]
    assert times == sorted(times)


def test_the_same_seed_tells_the_same_story(plan, six_hours):
    assert list(history.readings(plan, 1, UNTIL - 6 * HOUR, UNTIL)) == six_hours


def test_a_cold_store_shows_its_defrosts(plan, six_hours):
    air = [one.mantissa / 10 for one in six_hours if (one.device, one.point) == ("kho-lanh-b-probe", "temperature")]
    assert min(air) < -20.5
    assert -18.5 < max(air) < -12
    coil = [one.mantissa for one in six_hours if one.point == "evaporator_temperature"]
    assert max(coil) > 0
    defrost = [one.mantissa for one in six_hours if one.point == "status.defrost"]
    assert 20 < sum(defrost) < 80, "minutes of one defrost in each of two stores"


def test_lots_move_in_order_of_time_and_arrive_where_they_left_to(plan):
    moves = list(history.moves(plan, 1, UNTIL - 72 * HOUR, UNTIL))
    assert [move.at_ms for move in moves] == sorted(move.at_ms for move in moves)
    where: dict[str, str | None] = {}
    for move in moves:
        if move.epc and move.epc in where:
            assert where[move.epc] == move.before
        if move.epc:
            where[move.epc] = move.to
    assert {move.to for move in moves} >= {"be-1", "dong-goi", "kho-lanh-b", "xuat-hang", None}


def test_the_lots_of_a_time_are_those_that_were_here(plan):
    lots = list(history.lots(plan, 1, UNTIL - 24 * HOUR, UNTIL))
    assert lots
    for lot in lots:
        assert lot.created_ms < UNTIL
        assert lot.stops[-1].at_ms > UNTIL - 24 * HOUR
    assert {move.lot for move in history.moves(plan, 1, UNTIL - 24 * HOUR, UNTIL)} <= {lot.number for lot in lots}


def test_something_went_wrong_now_and_then_but_not_lately(plan):
    troubles = history.incidents(plan, 1, UNTIL - 30 * 24 * HOUR, UNTIL)
    assert troubles
    assert all(one.span.from_s < UNTIL / 1000 - 2 * 86_400 for one in troubles)
    assert history.incidents(plan, 1, UNTIL - HOUR, UNTIL) == []


def test_sightings_and_scans_together_tell_every_arrival(plan):
    span = (plan, 1, UNTIL - 72 * HOUR, UNTIL)
    seen = {(one.epc, one.at_ms) for one in history.sightings(*span)}
    scanned = {(one.lot, one.zone) for one in history.scans(*span)}
    for move in history.moves(*span):
        assert ((move.epc, move.at_ms) in seen) != ((move.lot, move.to) in scanned)
    assert {one.device for one in history.sightings(*span)} == {"kho-lanh-rfid", "xuat-hang-rfid"}
