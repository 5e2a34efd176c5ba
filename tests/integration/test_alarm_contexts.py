"""Contexts through a real database: late or early, in whatever order, the books say what a replay of all of it says."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.alarms import evaluate
from cloud.alarms.replay import ReplayRow, ReplaySpan, replay
from cloud.site import Span, read_site, record_span
from rules import ContextKind
from tests.support.measured_plant import SINCE, MeasuredPlant

MINUTE = 60_000
HOUR = 60 * MINUTE
T0 = SINCE + 1000 * HOUR
SITE = """
key: small
name: {vi: Nhỏ, en: Small}
since: 2026-01-01
zones:
  - key: kho-lanh-b
    name: {vi: Kho lạnh B, en: Cold store B}
    points:
      - {point: gw-01/b-1/temperature}
      - {point: gw-01/b-2/temperature, quantity: evaporator_temperature}
      - {point: gw-01/dock/temperature, quantity: defrost}
    contexts:
      - {kind: defrost, quantity: evaporator_temperature, above: 2}
      - {kind: defrost, daily_at: ["02:00", "23:00"], minutes: 30}
    limits:
      - {key: high, kind: above, setpoint: -18, deadband: "0.5", on_delay_s: 1800, context_delays_s: {defrost: 4800, maintenance: 7200}, degree_minutes: 300, off_delay_s: 300, severity: high}
      - {key: defrost-too-long, kind: above, quantity: defrost, setpoint: "0.5", on_delay_s: 2700}
  - {key: xuat-hang, name: {vi: Sảnh, en: Dock}}
  - {key: dong-goi, name: {vi: Gói, en: Pack}}
"""
NAMES = {1: "gw-01/b-1/temperature", 2: "gw-01/b-2/temperature", 3: "gw-01/dock/temperature"}
AIR, COIL, DEFROST = NAMES


@pytest.fixture
def plant(tmp_path):
    plant = MeasuredPlant(tmp_path, SITE)
    yield plant
    plant.close()


def deliver(plant, readings, now_ms):
    with plant.store.write() as connection:
        plant.read(connection, "kho-lanh-b", readings)
    with plant.store.write() as connection:
        return evaluate(connection, now_ms)


def spike(first, minutes, value=-15.0, before=60):
    """An hour of cold, then warm."""
    cold = [(AIR, T0 + minute * MINUTE, -20.0) for minute in range(first - before, first)]
    return [*cold, *((AIR, T0 + minute * MINUTE, value) for minute in range(first, first + minutes))]


def defrost(from_minute, until_minute):
    during = [(DEFROST, T0 + m * MINUTE, 1.0) for m in range(from_minute, until_minute)]
    return [*during, (DEFROST, T0 + until_minute * MINUTE, 0.0)]


def confirmed(plant):
    with plant.store.read() as connection:
        rows = connection.exec_driver_sql(
            "SELECT (confirmed_at - :t0) / 60000, confirmed_by FROM breach"
            " WHERE current = 1 AND status IN ('active', 'ended')", {"t0": T0}
        )  # fmt: skip
        return [tuple(row) for row in rows]


def test_a_defrost_that_is_told_late_takes_its_alarm_back(plant):
    [event] = deliver(plant, spike(60, 40), T0 + 100 * MINUTE)
    assert (event.kind, confirmed(plant)) == ("raised", [(90, "delay")])
    [event] = deliver(plant, defrost(55, 80), T0 + 101 * MINUTE)
    assert (event.kind, confirmed(plant)) == ("returned", []), "pending again: it is not over the limit for long enough"
    cold = [(AIR, T0 + minute * MINUTE, -20.0) for minute in range(100, 110)]
    [event] = deliver(plant, cold, T0 + 110 * MINUTE)
    assert (event.kind, confirmed(plant)) == ("withdrawn", [])


def test_heat_is_not_excused_by_a_defrost(plant):
    deliver(plant, [*defrost(55, 80), *spike(60, 40, value=-3.0)], T0 + 100 * MINUTE)
    assert confirmed(plant) == [(80, "degree_minutes")]


def test_a_warm_coil_is_a_defrost_too(plant):
    coil = [(COIL, T0 + m * MINUTE, 6.0 if 55 <= m < 80 else -25.0) for m in range(100)]
    deliver(plant, [*coil, *spike(60, 40)], T0 + 100 * MINUTE)
    assert confirmed(plant) == []


def test_a_persons_word_counts_also_when_it_comes_late(plant):
    deliver(plant, spike(60, 40), T0 + 100 * MINUTE)
    assert confirmed(plant) == [(90, "delay")]
    said = Span(ContextKind.MAINTENANCE, T0 + 50 * MINUTE, T0 + 120 * MINUTE, "Tám")
    with plant.store.write() as connection:
        zone = plant.zone_ids["kho-lanh-b"]
        assert record_span(connection, zone, said, T0 + 101 * MINUTE)
        assert not record_span(connection, zone, said, T0 + 102 * MINUTE)
        evaluate(connection, T0 + 102 * MINUTE)
    assert confirmed(plant) == []


def test_a_timetable_runs_in_site_time(plant):
    at_23 = (16 * HOUR - T0) % (24 * HOUR) // MINUTE  # 23:00 at the site is 16:00 UTC
    deliver(plant, spike(at_23 + 5, 40), T0 + 48 * HOUR)
    assert confirmed(plant) == []
    deliver(plant, spike(at_23 + 300, 40), T0 + 48 * HOUR)
    assert confirmed(plant) == [(at_23 + 330, "delay")]


air = st.lists(st.tuples(st.integers(0, 71), st.sampled_from([-21.0, -18.2, -17.0, -10.0])), max_size=60)
bits = st.lists(st.tuples(st.integers(0, 71), st.sampled_from([0.0, 1.0])), max_size=30)
coils = st.lists(st.tuples(st.integers(0, 71), st.sampled_from([-25.0, 5.0])), max_size=10)
words = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30)), max_size=2)


@settings(max_examples=25, deadline=None)
@given(air, bits, coils, words, st.integers(1, 9), st.randoms())
def test_any_order_gives_what_a_replay_of_all_gives(airs, defrosts, warm, said, size, random):
    told = {(series, T0 + n * 4 * MINUTE): value
            for series, points in ((AIR, airs), (DEFROST, defrosts), (COIL, warm)) for n, value in points}  # fmt: skip
    readings = [(series, at, value) for (series, at), value in told.items()]
    random.shuffle(readings)
    spans = [(T0 + n * 4 * MINUTE, T0 + (n + length) * 4 * MINUTE) for n, length in said]
    until = T0 + 6 * HOUR
    with tempfile.TemporaryDirectory() as folder:
        plant = MeasuredPlant(Path(folder), SITE)
        try:
            batches = [readings[i : i + size] for i in range(0, len(readings), size)]
            for number, batch in enumerate(batches):
                if number == len(batches) // 2:
                    say(plant, spans, until)
                deliver(plant, batch, until)
            say(plant, spans, until)
            deliver(plant, [], until)
            assert books(plant) == replayed(Path(folder) / "small.site.yaml", told, spans)
        finally:
            plant.close()


def say(plant, spans, now_ms):
    with plant.store.write() as connection:
        for begin, end in spans:
            record_span(
                connection, plant.zone_ids["kho-lanh-b"], Span(ContextKind.MAINTENANCE, begin, end, "T"), now_ms
            )


def books(plant):
    with plant.store.read() as connection:
        rows = connection.exec_driver_sql(
            "SELECT limit_rule.key, onset_at, confirmed_at, confirmed_by, ended_at, extreme FROM breach"
            " JOIN limit_rule ON limit_rule.id = limit_id WHERE current = 1 AND status IN ('active', 'ended')"
        )
        return {tuple(row) for row in rows}


def replayed(site, told, spans):
    """Without the carry to the end: the live machine moves with its data only."""
    rows = [ReplayRow(at, NAMES[series], value) for (series, at), value in told.items()]
    outcome = replay(
        read_site(site), rows, [ReplaySpan("kho-lanh-b", ContextKind.MAINTENANCE, *span) for span in spans]
    )
    return {
        (limit.key, b.onset_at, b.confirmed_at, b.confirmed_by, b.ended_at, b.extreme)
        for limit, b in outcome.breaches
        if b.confirmed_at is not None
    }
