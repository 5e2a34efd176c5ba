"""Breaches and alarms through a real database: the same facts in any order give the same books."""

import tempfile
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.alarms import (
    AlarmEventKind,
    AlarmState,
    UnknownAlarmError,
    acknowledge,
    alarms,
    evaluate,
    record_of,
    set_alarms_since,
    watch_silence,
)
from rules import Limit, LimitKind, Observation, Severity
from tests.support.measured_plant import SINCE, SITE, MeasuredPlant
from tests.unit.rules import plain
from wire.entries import Quality

MINUTE = 60_000
HOUR = 60 * MINUTE
T0 = SINCE + 1000 * HOUR
LIMIT = Limit(
    zone="kho-lanh-b",
    key="high",
    kind=LimitKind.ABOVE,
    quantity="air_temperature",
    setpoint=Decimal(-18),
    deadband=Decimal("0.5"),
    on_delay_s=600,
    off_delay_s=120,
    severity=Severity.HIGH,
    valid_from=SINCE,
)


@pytest.fixture
def plant(tmp_path):
    plant = MeasuredPlant(tmp_path)
    yield plant
    plant.close()


def each_minute(value, count, start=0, series=1):
    return [(series, T0 + (start + i) * MINUTE, value) for i in range(count)]


def deliver(plant, readings, now_ms, **how):
    with plant.store.write() as connection:
        plant.read(connection, "kho-lanh-b", readings, **how)
    with plant.store.write() as connection:
        return evaluate(connection, now_ms)


def current(plant):
    with plant.store.read() as connection:
        rows = connection.exec_driver_sql(
            "SELECT key, status, onset_at, confirmed_at, ended_at, extreme, extreme_at FROM breach"
            " WHERE current = 1 AND status <> 'withdrawn' ORDER BY onset_at"
        )
        return [tuple(row) for row in rows]


def open_alarms(plant):
    with plant.store.read() as connection:
        return alarms(connection)


def versions(plant):
    with plant.store.read() as connection:
        return [tuple(row) for row in connection.exec_driver_sql("SELECT status, version FROM breach ORDER BY id")]


def test_a_breach_opens_is_confirmed_and_ends_with_its_alarm(plant):
    deliver(plant, each_minute(-20.0, 5), T0 + 5 * MINUTE)
    assert deliver(plant, each_minute(-17.0, 5, start=5), T0 + 10 * MINUTE) == []
    assert [row[1] for row in current(plant)] == ["pending"]
    [event] = deliver(plant, each_minute(-16.0, 7, start=10), T0 + 17 * MINUTE)
    assert (event.kind, event.state, event.is_late) == (AlarmEventKind.RAISED, AlarmState.UNACKNOWLEDGED, False)
    [event] = deliver(plant, each_minute(-20.0, 5, start=17), T0 + 22 * MINUTE)
    assert (event.kind, event.state) == (AlarmEventKind.RETURNED, AlarmState.RETURNED_UNACKNOWLEDGED)
    [(_, status, onset, confirmed, ended, extreme, extreme_at)] = current(plant)
    assert (status, onset, confirmed, ended) == (
        "ended",
        T0 + 5 * MINUTE,
        T0 + 15 * MINUTE,
        T0 + 17 * MINUTE,
    )
    assert (extreme, extreme_at) == (-16.0, T0 + 10 * MINUTE)


def test_an_acknowledged_alarm_goes_to_normal_when_its_breach_ends(plant):
    deliver(plant, each_minute(-17.0, 15), T0 + 15 * MINUTE)
    [alarm] = open_alarms(plant)
    with plant.store.write() as connection:
        event = acknowledge(connection, alarm.id, by="Tám", note="gọi thợ", now_ms=T0 + 16 * MINUTE)
    assert event.state is AlarmState.ACKNOWLEDGED
    deliver(plant, each_minute(-20.0, 5, start=15), T0 + 20 * MINUTE)
    assert open_alarms(plant) == []
    with plant.store.read() as connection:
        record = record_of(connection, alarm.id)
    assert [(row.kind, row.by, row.note) for row in record] == [
        (AlarmEventKind.RAISED, None, None),
        (AlarmEventKind.ACKNOWLEDGED, "Tám", "gọi thợ"),
        (AlarmEventKind.RETURNED, None, None),
    ]


def test_an_alarm_is_acknowledged_once_and_an_unknown_one_never(plant):
    deliver(plant, each_minute(-17.0, 15), T0 + 15 * MINUTE)
    [alarm] = open_alarms(plant)
    with plant.store.write() as connection:
        acknowledge(connection, alarm.id, by="Tám", note=None, now_ms=T0)
        assert acknowledge(connection, alarm.id, by="Hạnh", note=None, now_ms=T0) is None
        with pytest.raises(UnknownAlarmError):
            acknowledge(connection, 999, by="Tám", note=None, now_ms=T0)
    assert open_alarms(plant)[0].ack_by == "Tám"


def test_a_breach_that_was_over_before_anyone_heard_of_it_asks_for_no_hurry(plant):
    readings = each_minute(-17.0, 15) + each_minute(-20.0, 10, start=15)
    [event] = deliver(plant, readings, T0 + 6 * HOUR)
    assert (event.state, event.is_late) == (AlarmState.RETURNED_UNACKNOWLEDGED, True)
    assert open_alarms(plant)[0].is_detected_late


def test_the_past_that_was_brought_in_alarms_nobody(plant):
    with plant.store.write() as connection:
        set_alarms_since(connection, T0 + HOUR)
    assert deliver(plant, each_minute(-17.0, 15) + each_minute(-20.0, 10, start=15), T0 + 6 * HOUR) == []
    assert [row[1] for row in current(plant)] == ["ended"]


def test_late_data_withdraws_a_breach_and_its_alarm_but_deletes_nothing(plant):
    deliver(plant, [(1, T0 + i * 4 * MINUTE, -17.0) for i in range(6)], T0 + 20 * MINUTE)
    assert [row[1] for row in current(plant)] == ["active"]
    cold = [(1, T0 + i * MINUTE, -20.0) for i in range(20) if i % 4]
    [event] = deliver(plant, cold, T0 + 6 * HOUR)
    assert event.kind is AlarmEventKind.WITHDRAWN
    assert open_alarms(plant) == []
    assert versions(plant)[:2] == [("active", 1), ("withdrawn", 2)]


def test_an_alarm_follows_a_breach_whose_onset_moves(plant):
    deliver(plant, each_minute(-17.0, 15, start=10), T0 + 25 * MINUTE)
    [alarm] = open_alarms(plant)
    with plant.store.write() as connection:
        acknowledge(connection, alarm.id, by="Tám", note=None, now_ms=T0 + 26 * MINUTE)
    [event] = deliver(plant, each_minute(-17.0, 5, start=6), T0 + 30 * MINUTE)
    [moved] = open_alarms(plant)
    assert event.kind is AlarmEventKind.MOVED
    assert (moved.id, moved.onset_at, moved.ack_by) == (alarm.id, T0 + 6 * MINUTE, "Tám")


def test_bad_readings_neither_open_nor_close(plant):
    deliver(plant, each_minute(-17.0, 15), T0 + 15 * MINUTE)
    deliver(plant, each_minute(None, 30, start=15), T0 + 45 * MINUTE, quality=Quality.BAD)
    assert [row[1] for row in current(plant)] == ["active"]


def test_nothing_dirty_is_nothing_to_do(plant):
    deliver(plant, each_minute(-17.0, 15), T0 + 15 * MINUTE)
    with plant.store.write() as connection:
        assert evaluate(connection, T0 + 16 * MINUTE) == []
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM dirty_zone").scalar() == 0


def test_a_crash_in_the_middle_leaves_the_work_to_do(plant):
    with plant.store.write() as connection:
        plant.read(connection, "kho-lanh-b", each_minute(-17.0, 15))
    with pytest.raises(RuntimeError), plant.store.write() as connection:
        evaluate(connection, T0 + 15 * MINUTE)
        raise RuntimeError("the power went")
    assert current(plant) == []
    assert len(deliver(plant, [], T0 + 15 * MINUTE)) == 1


def test_a_new_limit_version_judges_from_its_time_on(plant, tmp_path):
    from cloud.site import apply_site, read_site

    deliver(plant, each_minute(-19.0, 20), T0 + 20 * MINUTE)
    stricter = tmp_path / "stricter.site.yaml"
    stricter.write_text(SITE.replace("setpoint: -18", "setpoint: -19.5"), "utf-8")
    with plant.store.write() as connection:
        apply_site(connection, read_site(stricter), T0 + 20 * MINUTE)
    deliver(plant, each_minute(-19.0, 20, start=20), T0 + 40 * MINUTE)
    [(_, status, onset, *_)] = current(plant)
    assert (status, onset) == ("active", T0 + 20 * MINUTE)


def test_a_silent_zone_alarms_once_and_data_ends_it(plant):
    deliver(plant, each_minute(-20.0, 3), T0 + 3 * MINUTE)
    with plant.store.write() as connection:
        assert watch_silence(connection, T0 + 7 * MINUTE) == []
        [raised] = watch_silence(connection, T0 + 8 * MINUTE)
        assert raised.kind is AlarmEventKind.RAISED
        assert watch_silence(connection, T0 + 9 * MINUTE) == []
        assert alarms(connection)[0].onset_at == T0 + 2 * MINUTE
        plant.read(connection, "kho-lanh-b", each_minute(-20.0, 1, start=9))
        [returned] = watch_silence(connection, T0 + 10 * MINUTE)
        assert (returned.kind, returned.state) == (AlarmEventKind.RETURNED, AlarmState.RETURNED_UNACKNOWLEDGED)
        assert alarms(connection)[0].returned_at == T0 + 9 * MINUTE


def test_a_probe_that_only_fails_is_silent(plant):
    deliver(plant, each_minute(-20.0, 1), T0)
    deliver(plant, each_minute(None, 10, start=1), T0 + 10 * MINUTE, quality=Quality.BAD)
    with plant.store.write() as connection:
        assert [event.kind for event in watch_silence(connection, T0 + 10 * MINUTE)] == [AlarmEventKind.RAISED]


def test_a_zone_whose_past_is_still_arriving_is_not_called_silent(plant):
    deliver(plant, each_minute(-20.0, 1), T0)
    late = T0 + 600 * MINUTE
    with plant.store.write() as connection:
        connection.exec_driver_sql("UPDATE batch SET received_at = ?, last_at = ?", (late - 5000, T0 + 5 * MINUTE))
        assert watch_silence(connection, late) == []
        connection.exec_driver_sql("UPDATE batch SET last_at = ?", (late - 5000,))
        assert [event.kind for event in watch_silence(connection, late)] == [AlarmEventKind.RAISED]


readings = st.lists(
    st.tuples(
        st.integers(1, 2),
        st.integers(0, 480).map(lambda tick: T0 + tick * 20_000),
        st.sampled_from([-21.0, -18.2, -17.9, -15.0]),
    ),
    min_size=1,
    max_size=120,
    unique_by=lambda reading: reading[:2],
)


@settings(max_examples=40, deadline=None)
@given(readings, st.integers(5, 60), st.randoms())
def test_in_order_shuffled_repeated_and_six_hours_late_give_the_same_breaches(measured, size, random):
    ordered = sorted(measured, key=lambda reading: reading[1])
    batches = [ordered[i : i + size] for i in range(0, len(ordered), size)]
    late = random.sample(batches, len(batches) // 2)
    shuffled = [batch for batch in batches if batch not in late]
    random.shuffle(shuffled)
    shuffled += late + random.sample(batches, len(batches) // 2)
    books = [books_after(deliveries) for deliveries in (batches, shuffled, [ordered])]
    assert books[0] == books[1] == books[2]
    observed = [Observation(at, series, value) for series, at, value in measured]
    expected = plain_books(observed, ordered[-1][1])
    assert books[0] == expected


def books_after(deliveries):
    with tempfile.TemporaryDirectory() as folder:
        plant = MeasuredPlant(Path(folder))
        try:
            for number, batch in enumerate(deliveries):
                deliver(plant, batch, T0 + 6 * HOUR + number * MINUTE)
            return current(plant)
        finally:
            plant.close()


def plain_books(observed, horizon):
    ticks = [entry._replace(at=entry.at - T0) for entry in observed]
    found = plain.breaches(LIMIT, ticks, horizon - T0)
    return [
        (
            plain.breach_key(LIMIT, breach.onset_at + T0),
            str(breach.status),
            breach.onset_at + T0,
            None if breach.confirmed_at is None else breach.confirmed_at + T0,
            None if breach.ended_at is None else breach.ended_at + T0,
            breach.extreme,
            breach.extreme_at + T0,
        )
        for breach in found
    ]
