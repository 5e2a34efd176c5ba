"""Provisional and final: the watermark of the gateways decides, and late data makes versions."""

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
    State,
    digest_of,
    lot_by_key,
    lot_story,
    note_late,
    record_event,
    record_lot,
    record_lot_move,
    settle,
    standings,
    verdicts_of,
)
from cloud.lots.finality import GRACE_MS
from tests.support.measured_plant import SINCE, MeasuredPlant

MINUTE, HOUR = 60_000, 3_600_000
T0 = SINCE + 1000 * HOUR
END = T0 + 2 * HOUR
EPOCH = "x'00'"


def begin(folder):
    plant = MeasuredPlant(folder)
    with plant.store.write() as connection:
        for key in ("LEGS", "TRAYS"):
            fact = LotFact(key=key, gtin="9521234543213", name_vi=key, name_en=key, quantity_kg="100", created_at=T0)
            record_lot(connection, fact, now_ms=T0)
        record_lot_move(connection, lot="LEGS", zone="xuat-hang", at=T0, by="x", now_ms=T0)
    return plant


@pytest.fixture
def plant(tmp_path):
    plant = begin(tmp_path)
    yield plant
    plant.close()


@pytest.fixture
def connection(plant):
    with plant.store.write() as connection:
        yield connection


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    plant = begin(tmp_path_factory.mktemp("template"))
    plant.close()
    return plant


def deliver(connection, through_at, *, is_anchored=True):
    """The gateway's batch that reaches this far has been committed."""
    number = connection.exec_driver_sql("SELECT MAX(seq) + 1 FROM batch").scalar()
    connection.exec_driver_sql(
        "INSERT INTO batch (gateway_id, epoch, seq, hash, boot, entries, last_at, received_at, anchored, payload)"
        f" VALUES (1, {EPOCH}, {number}, x'00', x'00', 0, {through_at}, {through_at}, {int(is_anchored)}, x'')"
    )
    connection.exec_driver_sql(
        f"INSERT INTO cursor (gateway_id, epoch, through, updated_at) VALUES (1, {EPOCH}, {number}, 0)"
        f" ON CONFLICT (gateway_id, epoch) DO UPDATE SET through = {number}"
    )


def leave(connection, at=END):
    record_lot_move(connection, lot="LEGS", zone=None, at=at, by="x", now_ms=at)


def read(plant, connection, value, minutes):
    plant.read(connection, "xuat-hang", [(3, T0 + minute * MINUTE, value) for minute in minutes])


def think(connection, now):
    note_late(connection)
    evaluate(connection, now)
    return settle(connection, now)


def versions(connection, lot="LEGS"):
    return [(each.version, each.outcome.value) for each in verdicts_of(connection, lot_by_key(connection, lot).id)]


def test_a_lot_is_final_when_its_gateways_have_delivered_past_its_last_moment(plant, connection):
    read(plant, connection, 8.0, range(120))
    think(connection, END)
    assert versions(connection) == []  # it is still there
    leave(connection)
    deliver(connection, END + GRACE_MS - 1)
    think(connection, END + HOUR)
    assert versions(connection) == []
    deliver(connection, END + GRACE_MS)
    think(connection, END + HOUR)
    assert versions(connection) == [(1, "pass")]
    think(connection, END + 2 * HOUR)
    assert versions(connection) == [(1, "pass")]


def test_a_batch_whose_time_is_not_known_yet_keeps_it_provisional(plant, connection):
    read(plant, connection, 8.0, range(120))
    leave(connection)
    deliver(connection, END, is_anchored=False)
    deliver(connection, END + HOUR)
    think(connection, END + HOUR)
    assert versions(connection) == []


def test_late_data_that_makes_it_worse_makes_a_version_and_a_hold(plant, connection):
    read(plant, connection, 8.0, [*range(30), *range(60, 120)])
    leave(connection)
    deliver(connection, END + HOUR)
    think(connection, END + HOUR)
    assert versions(connection) == [(1, "insufficient_data")]
    read(plant, connection, 14.0, range(30, 60))
    assert think(connection, END + 7 * HOUR) == ["LEGS"]
    assert versions(connection) == [(1, "insufficient_data"), (2, "fail")]
    [held] = standings(connection, [lot_by_key(connection, "LEGS").id]).values()
    assert held.state is State.HELD
    assert held.reason == "late data changed its final verdict from insufficient_data to fail"


def test_late_data_elsewhere_or_about_another_time_changes_nothing(plant, connection):
    read(plant, connection, 8.0, range(120))
    leave(connection)
    deliver(connection, END + HOUR)
    think(connection, END + HOUR)
    read(plant, connection, 14.0, range(180, 240))
    plant.read(connection, "kho-lanh-b", [(1, T0 + minute * MINUTE, -10.0) for minute in range(120)])
    think(connection, END + 7 * HOUR)
    assert versions(connection) == [(1, "pass")]


def test_what_was_made_of_it_gets_a_new_version_too(plant, connection):
    read(plant, connection, 8.0, [*range(30), *range(60, 120)])
    pack = LotEvent(
        kind=EventKind.PACK,
        at=T0 + HOUR,
        by="x",
        inputs=(Item(lot="LEGS"),),
        outputs=(Item(lot="TRAYS"),),
        zone="dong-goi",
    )
    record_event(connection, pack, T0)
    record_lot_move(connection, lot="TRAYS", zone=None, at=END, by="x", now_ms=END)
    deliver(connection, END + HOUR)
    think(connection, END + HOUR)
    assert versions(connection, "TRAYS") == [(1, "insufficient_data")]
    read(plant, connection, 8.0, range(30, 60))
    think(connection, END + 7 * HOUR)
    assert versions(connection, "TRAYS") == [(1, "insufficient_data"), (2, "pass")]


chunks = st.lists(
    st.tuples(st.integers(0, 11), st.sampled_from([8.0, 11.9, 12.1, 14.0])),
    min_size=1,
    max_size=10,
    unique_by=lambda chunk: chunk[0],
)


def digests_agree_in_any_order(template, parts, chance):
    shuffled = chance.sample(parts, len(parts))
    assert digest_after(template, parts) == digest_after(template, shuffled + shuffled[: len(shuffled) // 2])


def digest_after(template, parts):
    """Readings come in ten-minute parts; half-way the lot leaves, and everything after is late."""
    with tempfile.TemporaryDirectory() as folder:
        plant = template.copied_to(Path(folder))
        try:
            with plant.store.write() as connection:
                for number, (part, value) in enumerate(parts):
                    read(plant, connection, value, range(part * 10, part * 10 + 10))
                    if number == len(parts) // 2:
                        leave(connection)
                        deliver(connection, END + HOUR)
                    think(connection, END + HOUR + number)
                final = verdicts_of(connection, lot_by_key(connection, "LEGS").id)[-1]
                assert final.digest == digest_of(lot_story(connection, "LEGS", END + 9 * HOUR))
                return final.digest
        finally:
            plant.close()


@settings(max_examples=10, deadline=None)
@given(chunks, st.randoms())
def test_the_same_facts_in_any_order_repeated_and_late_have_one_digest(template, parts, chance):
    digests_agree_in_any_order(template, parts, chance)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@settings(max_examples=1000, deadline=None)
@given(chunks, st.randoms())
def test_a_thousand_orders_have_one_digest_each(template, parts, chance):
    digests_agree_in_any_order(template, parts, chance)
