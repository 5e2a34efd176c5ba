"""Stories of lots that were made of others, and stories as they were known at an earlier time."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.alarms import evaluate
from cloud.lots import (
    EventKind,
    Item,
    LotEvent,
    LotFact,
    Outcome,
    lot_story,
    record_event,
    record_lot,
    record_lot_move,
)
from cloud.lots.stops import mean_kinetic_temperature
from tests.support.measured_plant import SINCE, MeasuredPlant

MINUTE, HOUR = 60_000, 3_600_000
T0 = SINCE + 1000 * HOUR
LATER = T0 + 100 * HOUR


def begin(folder):
    plant = MeasuredPlant(folder)
    with plant.store.write() as connection:
        for key in ("CARCASS", "LEGS", "TRAYS"):
            fact = LotFact(key=key, gtin="9521234543213", name_vi=key, name_en=key, quantity_kg="100", created_at=T0)
            record_lot(connection, fact, now_ms=T0)
    return plant


@pytest.fixture
def plant(tmp_path):
    plant = begin(tmp_path)
    yield plant
    plant.close()


def made(parent, child, at, zone):
    return LotEvent(
        kind=EventKind.CUT, at=at, by="x", inputs=(Item(lot=parent),), outputs=(Item(lot=child),), zone=zone
    )


def warm(from_minute, until_minute):
    return [
        (3, T0 + minute * MINUTE, 14.0 if from_minute <= minute < until_minute else 8.0) for minute in range(0, 240, 2)
    ]


def told(plant, lot="LEGS", known_at=None, now=T0 + 6 * HOUR):
    with plant.store.read() as connection:
        return lot_story(connection, lot, now, known_at=known_at)


def test_what_an_ancestor_went_through_counts_until_the_transformation_and_not_after(plant):
    with plant.store.write() as connection:
        record_lot_move(connection, lot="CARCASS", zone="xuat-hang", at=T0, by="x", now_ms=T0)
        record_event(connection, made("CARCASS", "LEGS", T0 + HOUR, "dong-goi"), T0)
        plant.read(connection, "xuat-hang", warm(10, 40))
        evaluate(connection, T0 + 5 * HOUR)
    story = told(plant)
    [part] = story.inherited
    assert (part.lot.key, part.share, part.until_at) == ("CARCASS", 1, T0 + HOUR)
    assert [(stop.zone, stop.from_at, stop.until_at) for stop in part.stops] == [("xuat-hang", T0, T0 + HOUR)]
    assert [stop.zone for stop in story.stops] == ["dong-goi"]
    assert (story.verdict.outcome, story.verdict.lot) == (Outcome.FAIL, "CARCASS")
    assert (part.stops[0].minutes_above, part.stops[0].degree_minutes_above) == (30, 60)


def test_a_breach_after_the_transformation_is_not_inherited(plant):
    with plant.store.write() as connection:
        record_lot_move(connection, lot="CARCASS", zone="xuat-hang", at=T0, by="x", now_ms=T0)
        half = Item(lot="CARCASS", quantity_kg="50")
        cut = LotEvent(
            kind=EventKind.CUT, at=T0 + HOUR, by="x", inputs=(half,), outputs=(Item(lot="LEGS"),), zone="dong-goi"
        )
        record_event(connection, cut, T0)
        plant.read(connection, "xuat-hang", warm(70, 100))
        evaluate(connection, T0 + 5 * HOUR)
    assert told(plant, "CARCASS").verdict.outcome is Outcome.FAIL
    assert told(plant, "LEGS").verdict.outcome is Outcome.PASS


def test_the_story_as_it_was_known_then(plant):
    with plant.store.write() as connection:
        record_lot_move(connection, lot="LEGS", zone="xuat-hang", at=T0, by="x", now_ms=T0)
        plant.read(connection, "xuat-hang", [row for row in warm(0, 0) if not is_late(row)])
        evaluate(connection, T0 + 5 * HOUR)
    before = told(plant)
    assert before.verdict.outcome is Outcome.INSUFFICIENT_DATA
    with plant.store.write() as connection:
        connection.exec_driver_sql(
            "INSERT INTO batch (id, gateway_id, epoch, seq, hash, boot, entries, received_at, anchored, payload)"
            f" VALUES (2, 1, x'00', 2, x'00', x'00', 0, {LATER}, 1, x'')"
        )
        plant.read(connection, "xuat-hang", [row for row in warm(10, 60) if is_late(row)])
        connection.exec_driver_sql(
            f"UPDATE reading SET batch_id = 2 WHERE observed_at BETWEEN {T0 + 10 * MINUTE} AND {T0 + 59 * MINUTE}"
        )
        evaluate(connection, LATER)
        record_lot_move(connection, lot="LEGS", zone=None, at=T0 + 2 * HOUR, by="x", now_ms=LATER)
        record_event(connection, made("CARCASS", "LEGS", T0, "xuat-hang"), LATER)
    assert told(plant).verdict.outcome is Outcome.FAIL
    then = told(plant, known_at=LATER - 1)
    assert (then.stops, then.verdict, then.inherited) == (before.stops, before.verdict, [])


def is_late(row):
    return T0 + 10 * MINUTE <= row[1] < T0 + 60 * MINUTE


def test_mean_kinetic_temperature_is_the_known_one():
    assert mean_kinetic_temperature([4.0] * 5) == pytest.approx(4.0)
    assert mean_kinetic_temperature([0.0, 4.0, 8.0]) == pytest.approx(4.6409, abs=5e-5)
    assert mean_kinetic_temperature([2.0] * 23 + [15.0]) == pytest.approx(3.2137, abs=5e-5)
    assert mean_kinetic_temperature([]) is None


ticks = st.integers(0, 200)
facts = st.lists(
    st.one_of(
        st.tuples(st.just("move"), st.sampled_from(["CARCASS", "LEGS", "TRAYS"]), ticks),
        st.tuples(st.just("cut"), st.sampled_from(["CARCASS", "LEGS"]), ticks),
        st.tuples(st.just("read"), st.sampled_from([8.0, 14.0]), ticks),
    ),
    max_size=16,
    unique_by=lambda fact: (fact[0], fact[2]),
)


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    plant = begin(tmp_path_factory.mktemp("template"))
    plant.close()
    return plant


@settings(max_examples=20, deadline=None)
@given(facts, st.randoms())
def test_families_in_any_order_repeated_and_late_have_the_same_stories(template, events, chance):
    shuffled = chance.sample(events, len(events)) + chance.sample(events, len(events) // 2)
    assert stories_after(template, events) == stories_after(template, shuffled)


def stories_after(template, events):
    with tempfile.TemporaryDirectory() as folder:
        plant = template.copied_to(Path(folder))
        try:
            for number, (kind, what, tick) in enumerate(events):
                with plant.store.write() as connection:
                    learn(plant, connection, kind, what, T0 + tick * MINUTE)
                    evaluate(connection, T0 + 6 * HOUR + number)
            return [
                (story.inherited, story.stops, story.verdict)
                for story in (told(plant, lot, now=T0 + 12 * HOUR) for lot in ("CARCASS", "LEGS", "TRAYS"))
            ]
        finally:
            plant.close()


def learn(plant, connection, kind, what, at):
    if kind == "read":
        plant.read(connection, "xuat-hang", [(3, at, what)])
    elif kind == "move":
        record_lot_move(connection, lot=what, zone="xuat-hang", at=at, by="x", now_ms=at)
    else:
        child = "LEGS" if what == "CARCASS" else "TRAYS"
        record_event(connection, made(what, child, at, "xuat-hang"), at)
