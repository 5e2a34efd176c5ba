"""What lots were made of: told alike by every lot of a flock, in balance, before and after cutting."""

from pathlib import Path

import pytest

from simulator.ancestry import carcass_of, cut_posts, flocks_of, ship_posts, slaughter_posts
from simulator.announce import lot_posts, move_posts
from simulator.flow import lots_of_day
from simulator.plan import load_plan

PLANTS = Path(__file__).parents[3] / "firmware-config" / "plants"
DAYS = range(20_770, 20_779)


@pytest.fixture(scope="module")
def lots():
    flow = load_plan(PLANTS / "binh-minh.yaml").flow
    return [lot for day in DAYS for lot in lots_of_day(flow, 1, day)]


def test_every_lot_of_a_flock_tells_the_same_of_it(lots):
    told = {}
    for lot in lots:
        for post in slaughter_posts(lot):
            key = (post.path, post.body.get("key") or (post.body["kind"], str(post.body)))
            assert told.setdefault(key, post) == post
    assert len({flock for lot in lots for flock in flocks_of(lot)}) < len(lots)
    assert any(len(flocks_of(lot)) == 2 for lot in lots)


def test_it_is_the_carcasses_that_move_up_to_the_cutting_room(lots):
    for lot in lots:
        paths = [move_posts(lot, stop.zone, stop.at_ms)[-1].path for stop in lot.stops]
        assert [carcass_of(lot) in path for path in paths] == [stop.at_ms < lot.cut_ms for stop in lot.stops]
        assert [post.body.get("kind") for post in cut_posts(lot)] == ["measure", None, "cut"]
        assert lot.created_ms < lot.cut_ms <= lot.loaded_ms


def test_a_plant_that_does_not_cut_tells_of_the_lot_alone(lots):
    plain = lots[0]._replace(cut_ms=None)
    assert [post.body["key"] for post in lot_posts(plain)] == [plain.number]
    assert cut_posts(plain) == ship_posts(plain, plain.created_ms) == []
