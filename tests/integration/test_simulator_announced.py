"""What the plant announces is what the cloud's interface takes: every fact once, and again without harm."""

import itertools
import sys
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from cloud.api.app import create_api
from cloud.api.context import ApiContext
from cloud.live import LiveHub
from cloud.store.engine import open_store
from simulator.ancestry import carcass_of, cut_posts, flocks_of
from simulator.announce import load_posts, lot_posts, move_posts
from simulator.flow import live_lots
from simulator.plan import load_plan

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from small_plant import NOW, SmallPlant  # noqa: E402  the path to it is set just above


@pytest.fixture
def plan():
    return load_plan(ROOT / "firmware-config" / "plants" / "binh-minh.yaml")


@pytest.fixture
def api(plan, tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/coldlink.db")
    plant = SmallPlant(store)
    for zone in plan.zones:
        plant.zone(zone.id, zone.name.vi, zone.name.en)
    context = ApiContext(store=store, hub=LiveHub(lambda: NOW), now_ms=lambda: NOW)
    with TestClient(create_api(context)) as client:
        yield client
    store.close()


def test_the_cloud_takes_each_fact_once_and_again_without_harm(plan, api):
    lots = list(itertools.islice(live_lots(plan.flow, 1, NOW / 1000 - 7200), 3))
    posts = []
    for lot in lots:
        posts += lot_posts(lot)
        for stop in lot.stops[:-1]:
            posts += cut_posts(lot) if stop.at_ms == lot.cut_ms else []
            posts += move_posts(lot, stop.zone, stop.at_ms)
        posts += [post for carrier in lot.carriers for post in load_posts(lot, carrier)]
    said = set()
    for _ in range(2):
        for post in posts:
            expected = 200 if str(post) in said else 201  # lots of one flock tell of it each
            said.add(str(post))
            assert api.post(post.path, json=dict(post.body)).status_code == expected, post
    for lot in lots:
        told = api.get(f"/api/v1/lots/{lot.number}").json()
        assert told["name"] == {"vi": lot.product.vi, "en": lot.product.en}
        assert {one["epc"] for one in told["carriers"]} == {one.epc for one in lot.carriers}
        assert told["place"]["zone"] == lot.stops[-2].zone
        family = api.get(f"/api/v1/lots/{lot.number}/genealogy").json()
        assert {one["key"] for one in family["lots"]} >= {lot.number, carcass_of(lot), *flocks_of(lot)}
        assert {one["balance"] for one in family["transformations"]} == {"balanced"}
        for gone in move_posts(lot, None, lot.stops[-1].at_ms):
            assert api.post(gone.path, json=dict(gone.body)).status_code == 201
        assert api.get(f"/api/v1/lots/{lot.number}").json()["place"] is None
