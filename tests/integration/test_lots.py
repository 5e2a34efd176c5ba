"""Lots through a real database: facts in, residences and stories out, the same in any order."""

import tempfile
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.alarms import evaluate
from cloud.lots import (
    BadEpcError,
    BadGtinError,
    BadQuantityError,
    ConflictingFactError,
    LotFact,
    Outcome,
    OverlappingLoadError,
    Reason,
    UnknownCarrierError,
    UnknownLotError,
    UnknownZoneError,
    UnloadBeforeLoadError,
    count_lots,
    find_lots,
    loads_of_lot,
    lot_story,
    lots_of_breach,
    reading_ranges,
    recompute,
    record_carrier,
    record_carrier_move,
    record_load,
    record_lot,
    record_lot_move,
    record_unload,
    residences_of_lot,
)
from tests.support.measured_plant import SINCE, MeasuredPlant

MINUTE = 60_000
HOUR = 60 * MINUTE
T0 = SINCE + 1000 * HOUR
CRATE = "306f8c040400fbffffffffff"
LOT = LotFact(
    key="BM261120-03",
    gtin="9521234543213",
    name_vi="Đùi góc tư",
    name_en="Leg quarters",
    quantity_kg="1248.6",
    created_at=T0,
)


@pytest.fixture
def plant(tmp_path):
    plant = MeasuredPlant(tmp_path)
    yield plant
    plant.close()


def enter(connection, lot=LOT, epc=CRATE, at=T0):
    record_lot(connection, lot, now_ms=at)
    record_carrier(connection, epc=epc, kind="crate", name="TH-1", now_ms=at)
    record_load(connection, epc=epc, lot=lot.key, at=at, now_ms=at)


def stays(plant, connection, lot=LOT.key):
    names = {number: key for key, number in plant.zone_ids.items()}
    lot_id = connection.exec_driver_sql("SELECT id FROM lot WHERE key = ?", (lot,)).scalar()
    return [
        (
            names[stay.zone_id],
            (stay.from_at - T0) // 1000,
            None if stay.until_at is None else (stay.until_at - T0) // 1000,
        )
        for stay in residences_of_lot(connection, lot_id)
    ]


def test_a_crate_that_passes_the_door_takes_its_lot_along(plant):
    with plant.store.write() as connection:
        enter(connection)
        record_lot_move(connection, lot=LOT.key, zone="dong-goi", at=T0, by="scan", now_ms=T0)
        plant.see(connection, CRATE, antenna=1, at=T0 + 60_000)
        plant.see(connection, CRATE, antenna=2, at=T0 + 63_000)
        assert recompute(connection) == [1]
        assert stays(plant, connection) == [("dong-goi", 0, 63), ("kho-lanh-b", 63, None)]
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM dirty_carrier").scalar() == 0


def test_what_is_understood_otherwise_becomes_a_new_version(plant):
    with plant.store.write() as connection:
        enter(connection)
        plant.see(connection, CRATE, antenna=2, at=T0 + 60_000)
        recompute(connection)
        plant.see(connection, CRATE, antenna=2, at=T0 + 30_000)
        assert recompute(connection) == [1]
        rows = connection.exec_driver_sql("SELECT from_at, version, current FROM residence ORDER BY id").all()
        assert rows == [(T0 + 60_000, 1, 0), (T0 + 30_000, 2, 1)]
        plant.see(connection, CRATE, antenna=2, at=T0 + 90_000)
        assert recompute(connection) == []


def test_a_crate_seen_before_anyone_said_what_it_holds_counts_from_its_load_on(plant):
    with plant.store.write() as connection:
        plant.see(connection, CRATE, antenna=2, at=T0 - 60_000)
        recompute(connection)
        enter(connection)
        assert stays(plant, connection) == [("kho-lanh-b", 0, None)]


def test_the_same_facts_again_change_nothing(plant):
    with plant.store.write() as connection:
        enter(connection)
        assert not record_lot(connection, LOT, now_ms=T0 + 9)
        assert not record_carrier(connection, epc=CRATE.upper(), kind="crate", name="TH-1", now_ms=T0 + 9)
        assert not record_load(connection, epc=CRATE, lot=LOT.key, at=T0, now_ms=T0 + 9)
        for expected in (True, False):
            assert record_carrier_move(connection, epc=CRATE, zone=None, at=T0 + 5, by="Tám", now_ms=T0 + 9) is expected
            assert record_unload(connection, epc=CRATE, at=T0 + 7, now_ms=T0 + 9) is expected


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        (lambda c: record_lot(c, LotFact(**{**FACTS, "key": "x", "gtin": "9521234543214"}), T0), BadGtinError),
        (lambda c: record_lot(c, LotFact(**{**FACTS, "key": "x", "quantity_kg": "-1"}), T0), BadQuantityError),
        (lambda c: record_lot(c, LotFact(**{**FACTS, "key": "x", "quantity_kg": "many"}), T0), BadQuantityError),
        (lambda c: record_lot(c, LotFact(**{**FACTS, "quantity_kg": "7"}), T0), ConflictingFactError),
        (lambda c: record_carrier(c, epc=CRATE, kind="pallet", name="TH-1", now_ms=T0), ConflictingFactError),
        (lambda c: record_carrier(c, epc="crate 1", kind="crate", name="", now_ms=T0), BadEpcError),
        (lambda c: record_load(c, epc=CRATE, lot="BM0", at=T0, now_ms=T0), UnknownLotError),
        (lambda c: record_load(c, epc="00" * 12, lot=LOT.key, at=T0, now_ms=T0), UnknownCarrierError),
        (lambda c: record_load(c, epc=CRATE, lot=LOT.key, at=T0 + 5, now_ms=T0), OverlappingLoadError),
        (lambda c: record_unload(c, epc=CRATE, at=T0 - 5, now_ms=T0), UnloadBeforeLoadError),
        (lambda c: record_lot_move(c, lot=LOT.key, zone="moon", at=T0, by="Tám", now_ms=T0), UnknownZoneError),
    ],
)
def test_a_wrong_fact_is_refused_with_its_reason(plant, wrong, refusal):
    with plant.store.write() as connection:
        enter(connection)
        with pytest.raises(refusal):
            wrong(connection)


FACTS = {name: getattr(LOT, name) for name in LotFact.__slots__}


def test_lots_are_found_by_number_name_and_gtin(plant):
    with plant.store.write() as connection:
        record_lot(connection, LOT, now_ms=T0)
        record_lot(connection, LotFact(**{**FACTS, "key": "BM_100%", "name_en": "Wings"}), now_ms=T0)
        assert [lot.key for lot in find_lots(connection, "wing")] == ["BM_100%"]
        assert [lot.key for lot in find_lots(connection, "_1")] == ["BM_100%"]
        assert count_lots(connection, "09521234543213") == 2
        assert len(find_lots(connection, count=1, offset=1)) == 1


def cold(minutes, value=-20.0, start=0):
    return [(1, T0 + (start + minute) * MINUTE, value) for minute in range(minutes)]


def test_the_story_tells_every_zone_on_one_axis(plant):
    with plant.store.write() as connection:
        enter(connection)
        record_lot_move(connection, lot=LOT.key, zone="xuat-hang", at=T0, by="scan", now_ms=T0)
        plant.see(connection, CRATE, antenna=2, at=T0 + 30 * MINUTE)
        recompute(connection)
        plant.read(connection, "xuat-hang", [(3, T0 + minute * MINUTE, 8.0) for minute in range(30)])
        plant.read(connection, "kho-lanh-b", cold(90, start=30))
        story = lot_story(connection, LOT.key, T0 + 120 * MINUTE, buckets=12)
    assert [stop.zone for stop in story.stops] == ["xuat-hang", "kho-lanh-b"]
    assert [(stop.minimum, stop.maximum, stop.mean) for stop in story.stops] == [(8.0, 8.0, 8.0), (-20.0, -20.0, -20.0)]
    assert [stop.coverage for stop in story.stops] == [1.0, 1.0]
    assert story.bucket_ms == 10 * MINUTE
    assert all(bucket.at % story.bucket_ms == 0 for stop in story.stops for bucket in stop.buckets)
    assert [step.setpoint for stop in story.stops for step in stop.limits] == [Decimal(12), Decimal(-18)]
    assert (story.verdict.outcome, story.verdict.reason) == (Outcome.PASS, Reason.WITHIN_LIMITS)


def test_a_breach_fails_the_lots_that_were_there_and_no_others(plant):
    later = LotFact(**{**FACTS, "key": "BM261121-01"})
    with plant.store.write() as connection:
        enter(connection)
        enter(connection, later, epc="30" * 12, at=T0 + 60 * MINUTE)
        plant.see(connection, CRATE, antenna=2, at=T0)
        plant.see(connection, "30" * 12, antenna=2, at=T0 + 60 * MINUTE)
        recompute(connection)
        plant.read(connection, "kho-lanh-b", cold(10) + cold(20, -15.0, start=10) + cold(60, start=30))
        evaluate(connection, T0 + 90 * MINUTE)
        now = T0 + 90 * MINUTE
        failed, passed = (lot_story(connection, key, now) for key in (LOT.key, later.key))
        [breach] = failed.stops[0].breaches
        present = lots_of_breach(connection, breach.key, now)
    assert (failed.verdict.outcome, failed.verdict.reason, failed.verdict.zone) == (
        Outcome.FAIL,
        Reason.BREACH,
        "kho-lanh-b",
    )
    assert failed.stops[0].minutes_above == breach.exposed_minutes == 20
    assert passed.verdict.outcome is Outcome.PASS
    assert [lot.key for lot in present] == [LOT.key]


def test_time_without_knowledge_is_told_and_never_passes(plant):
    with plant.store.write() as connection:
        enter(connection)
        plant.see(connection, CRATE, antenna=2, at=T0)
        recompute(connection)
        plant.read(connection, "kho-lanh-b", cold(20) + cold(20, start=60))
        story = lot_story(connection, LOT.key, T0 + 80 * MINUTE)
    [stop] = story.stops
    assert stop.unknown == [(T0 + 24 * MINUTE, T0 + 60 * MINUTE)]
    assert (stop.unknown_minutes, stop.coverage) == (36.0, 0.55)
    assert (story.verdict.outcome, story.verdict.reason) == (Outcome.INSUFFICIENT_DATA, Reason.UNKNOWN_TIME)


def test_a_lot_that_was_nowhere_has_a_story_without_stops(plant):
    with plant.store.write() as connection:
        record_lot(connection, LOT, now_ms=T0)
        story = lot_story(connection, LOT.key, T0 + HOUR)
    assert story.stops == []
    assert story.verdict.reason is Reason.NO_RESIDENCE


def test_a_lot_binds_to_the_readings_of_its_zones(plant):
    with plant.store.write() as connection:
        enter(connection)
        plant.see(connection, CRATE, antenna=2, at=T0)
        recompute(connection)
        ranges = reading_ranges(connection, 1)
        assert [(one.series_id, one.from_at, one.until_at) for one in ranges] == [(1, T0, None), (2, T0, None)]
        assert [load.epc for load in loads_of_lot(connection, 1)] == [CRATE]


ticks = st.integers(0, 600)
facts = st.lists(
    st.one_of(
        st.tuples(st.just("see"), st.sampled_from([1, 2]), ticks),
        st.tuples(st.just("move_lot"), st.sampled_from(["xuat-hang", "dong-goi", None]), ticks),
        st.tuples(st.just("move_crate"), st.sampled_from(["xuat-hang", "kho-lanh-b", None]), ticks),
        st.tuples(st.just("read"), st.sampled_from([-20.0, -15.0]), ticks),
    ),
    max_size=30,
    unique_by=lambda fact: (fact[0], fact[2]),
)


@settings(max_examples=40, deadline=None)
@given(facts, st.randoms())
def test_in_order_shuffled_repeated_and_six_hours_late_give_the_same_lot_history(events, random):
    ordered = sorted(events, key=lambda event: event[2])
    late = random.sample(ordered, len(ordered) // 2)
    shuffled = [event for event in ordered if event not in late]
    random.shuffle(shuffled)
    assert history_after(ordered) == history_after(shuffled + late + random.sample(ordered, len(ordered) // 3))


def history_after(events):
    with tempfile.TemporaryDirectory() as folder:
        plant = MeasuredPlant(Path(folder))
        try:
            with plant.store.write() as connection:
                enter(connection)
            for number, event in enumerate(events):
                with plant.store.write() as connection:
                    learn(plant, connection, *event)
                    recompute(connection)
                    evaluate(connection, T0 + 6 * HOUR + number)
            with plant.store.write() as connection:
                story = lot_story(connection, LOT.key, T0 + 12 * HOUR)
                return stays(plant, connection), story.stops, story.verdict
        finally:
            plant.close()


def learn(plant, connection, kind, what, tick):
    at = T0 + tick * 5000
    if kind == "see":
        plant.see(connection, CRATE, antenna=what, at=at)
    elif kind == "read":
        plant.read(connection, "kho-lanh-b", [(1, at, what)])
    elif kind == "move_lot":
        record_lot_move(connection, lot=LOT.key, zone=what, at=at, by="Tám", now_ms=at)
    else:
        record_carrier_move(connection, epc=CRATE, zone=what, at=at, by="Tám", now_ms=at)
