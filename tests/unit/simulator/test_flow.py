"""Lots on their way: the same for the same day and seed, each with carriers of its own and a way that ends outside."""

import itertools
from pathlib import Path

import pytest

from simulator.epc import gtin_14
from simulator.flow import live_lots, longest_way_s, lots_of_day
from simulator.operations import day_begins, site_day
from simulator.plan import load_plan

PLANTS = Path(__file__).parents[3] / "firmware-config" / "plants"
DAY = 20_778


@pytest.fixture(scope="module")
def flow():
    return load_plan(PLANTS / "binh-minh.yaml").flow


def test_a_day_brings_the_same_lots_again(flow):
    assert lots_of_day(flow, 1, DAY) == lots_of_day(flow, 1, DAY)
    assert lots_of_day(flow, 1, DAY) != lots_of_day(flow, 2, DAY)
    assert len(lots_of_day(flow, 1, DAY)) == flow.lots_per_day


def test_numbers_follow_the_day_and_gtins_their_product(flow):
    lots = lots_of_day(flow, 1, DAY)
    assert [lot.number for lot in lots] == [f"BM261121-{n:02d}" for n in range(1, 7)]
    assert all(gtin_14(lot.gtin[:13]) == lot.gtin for lot in lots)
    assert len({(lot.gtin, lot.product) for lot in lots}) == len({lot.gtin for lot in lots})


def test_every_way_begins_in_the_chiller_and_ends_outside(flow):
    for lot in lots_of_day(flow, 1, DAY):
        assert lot.stops[0].zone == "be-1" and lot.stops[0].at_ms == lot.created_ms
        assert lot.stops[-1].zone is None
        times = [stop.at_ms for stop in lot.stops]
        assert times == sorted(times)
        assert lot.stops[-1].at_ms - lot.created_ms <= longest_way_s(flow) * 1000
        assert lot.loaded_ms in times


def test_no_two_lots_share_a_carrier(flow):
    soon = itertools.islice(live_lots(flow, 1, day_begins(DAY)), 500)
    lots = [lot for day in range(DAY - 30, DAY + 1) for lot in lots_of_day(flow, 1, day)] + list(soon)
    epcs = [carrier.epc for lot in lots for carrier in lot.carriers]
    assert len(epcs) == len(set(epcs))
    assert all(len(epc) == 24 and epc == epc.lower() for epc in epcs)
    assert len({lot.number for lot in lots}) == len(lots)


def test_live_lots_depend_on_the_time_of_day_alone(flow):
    early = itertools.islice(live_lots(flow, 1, day_begins(DAY) + 100), 20)
    later = itertools.islice(live_lots(flow, 1, day_begins(DAY) + 1000), 5)
    known = {lot.number: lot for lot in early}
    assert all(known[lot.number] == lot for lot in later)


def test_live_lots_go_on_over_midnight(flow):
    lots = list(itertools.islice(live_lots(flow, 1, day_begins(DAY + 1) - 400), 6))
    begins = [lot.created_ms for lot in lots]
    assert begins == sorted(begins) and len(set(begins)) == 6
    assert {site_day(at / 1000) for at in begins} == {DAY, DAY + 1}
    assert lots[-1].number.startswith("BM261122-")
