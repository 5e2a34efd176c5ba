"""A food plan over real data: bands for stays, deadlines for what was slaughtered, and a plan that changes."""

import pytest

from cloud.lots import (
    EventKind,
    Item,
    LotEvent,
    LotFact,
    Outcome,
    lot_story,
    plan_at,
    record_event,
    record_lot,
    record_lot_move,
)
from cloud.lots.packs import apply_food_plan, read_food_plan
from tests.support.measured_plant import SINCE, MeasuredPlant

MINUTE, HOUR = 60_000, 3_600_000
T0 = SINCE + 1000 * HOUR
PACK = """
pack: own
edition: "1"
name: {vi: a, en: a}
citation: HACCP plan
checked: 2026-01-01
certainty: own
rules:
  - key: packing
    name: {vi: a, en: a}
    stages: [packing]
    band: {high: 10}
    tolerance: {high: 12, max_min: 30}
    max_gap_min: 5
  - {key: core, name: {vi: a, en: a}, deadline: {after: slaughter, reach_celsius: 4, within_h: 6}}
"""
PLAN = "plan: small\nsince: 2026-01-01\npacks: [own.yaml]\nstages: {xuat-hang: packing}\n"


@pytest.fixture
def plant(tmp_path):
    plant = MeasuredPlant(tmp_path)
    (tmp_path / "own.yaml").write_text(PACK)
    (tmp_path / "plan.yaml").write_text(PLAN)
    with plant.store.write() as connection:
        for key in ("FLOCK", "CARCASS", "LEGS"):
            fact = LotFact(key=key, gtin="9521234543213", name_vi=key, name_en=key, quantity_kg="100", created_at=T0)
            record_lot(connection, fact, now_ms=T0)
        assert apply_food_plan(connection, read_food_plan(tmp_path / "plan.yaml"), T0)
        assert not apply_food_plan(connection, read_food_plan(tmp_path / "plan.yaml"), T0 + 5)
        for kind, parent, child, at in (
            (EventKind.SLAUGHTER, "FLOCK", "CARCASS", T0),
            (EventKind.CUT, "CARCASS", "LEGS", T0 + 5 * HOUR),
        ):
            sides = {"inputs": (Item(lot=parent),), "outputs": (Item(lot=child),)}
            record_event(connection, LotEvent(kind=kind, at=at, by="x", zone="dong-goi", **sides), T0)
        record_lot_move(connection, lot="LEGS", zone="xuat-hang", at=T0 + 6 * HOUR, by="x", now_ms=T0)
    yield plant
    plant.close()


def measure(plant, hours, celsius):
    event = LotEvent(
        kind=EventKind.MEASURE,
        at=T0 + round(hours * HOUR),
        by="x",
        subjects=(Item(lot="CARCASS"),),
        core_celsius=celsius,
    )
    with plant.store.write() as connection:
        record_event(connection, event, T0 + 9 * HOUR)


def read(plant, value, minutes=60):
    with plant.store.write() as connection:
        rows = [(3, T0 + 6 * HOUR + minute * MINUTE, value) for minute in range(minutes)]
        plant.read(connection, "xuat-hang", rows)


def told(plant, minutes=60, known_at=None):
    with plant.store.read() as connection:
        return lot_story(connection, "LEGS", T0 + 6 * HOUR + minutes * MINUTE, known_at=known_at)


def test_a_stay_and_a_deadline_are_judged_by_the_pack(plant):
    read(plant, 8.0)
    measure(plant, 4.5, "3.1")
    story = told(plant)
    assert [(each.rule, each.lot, each.zone, each.met.value) for each in story.findings] == [
        ("packing", "LEGS", "xuat-hang", "pass"),
        ("core", "CARCASS", None, "pass"),
    ]
    assert story.verdict.outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("air", "core", "outcome", "rule"),
    [
        (11.0, "3.1", Outcome.FAIL, "own/packing"),  # an hour in a tolerance of half an hour
        (8.0, "4.1", Outcome.INSUFFICIENT_DATA, "own/core"),  # too warm before it was due, never measured again
        (8.0, None, Outcome.INSUFFICIENT_DATA, "own/core"),
    ],
)
def test_the_verdict_names_the_rule_that_decided(plant, air, core, outcome, rule):
    read(plant, air)
    if core is not None:
        measure(plant, 4.5, core)
    verdict = told(plant).verdict
    assert (verdict.outcome, verdict.rule) == (outcome, rule)


def test_a_short_time_in_the_tolerance_is_a_remark(plant):
    measure(plant, 4.5, "3.1")
    read(plant, 8.0)
    with plant.store.write() as connection:
        plant.read(connection, "xuat-hang", [(3, T0 + 6 * HOUR + 60 * MINUTE, 11.0)])
    verdict = told(plant, 61).verdict
    assert (verdict.outcome, verdict.rule) == (Outcome.WARN, "own/packing")


def test_a_changed_plan_holds_for_what_is_made_from_then_on(plant, tmp_path):
    (tmp_path / "plan.yaml").write_text(PLAN.replace("stages: {xuat-hang: packing}", "stages: {}"))
    with plant.store.write() as connection:
        assert apply_food_plan(connection, read_food_plan(tmp_path / "plan.yaml"), T0 + HOUR)
        assert plan_at(connection, T0).stages == {"xuat-hang": "packing"}
        assert plan_at(connection, T0 + HOUR).stages == {}
        assert plan_at(connection, T0 + HOUR, known_at=T0).stages == {"xuat-hang": "packing"}
        assert plan_at(connection, SINCE - 1) is None
