"""Contexts: a defrost excuses what it causes, for so long and no longer."""

from dataclasses import replace
from decimal import Decimal

import pytest

from rules import (
    ContextKind,
    ContextMark,
    Daily,
    Limit,
    LimitKind,
    Observation,
    Signal,
    Trigger,
    WatchState,
    advance,
    pending_until,
    settle,
    with_marks,
)

MINUTE = 60_000
HOUR = 60 * MINUTE
STORE = Limit(
    zone="kho-lanh-b",
    key="high",
    kind=LimitKind.ABOVE,
    quantity="air_temperature",
    setpoint=Decimal(-18),
    on_delay_s=1800,
    context_delays_s={ContextKind.DEFROST: 4800},
    off_delay_s=300,
)


def air(*stretches):
    """(minutes, value) one after the other, a reading a minute."""
    values = [value for minutes, value in stretches for _ in range(minutes)]
    return [Observation(minute * MINUTE, 1, value) for minute, value in enumerate(values)]


def defrost(from_minute, until_minute, source=9):
    return [
        *(ContextMark(m * MINUTE, source, ContextKind.DEFROST, (m + 5) * MINUTE) for m in range(from_minute, until_minute)),
        ContextMark(until_minute * MINUTE, source, ContextKind.DEFROST, until_minute * MINUTE),
    ]  # fmt: skip


def confirmed(limit, *entries):
    """Minutes at which breaches were confirmed."""
    ordered = sorted((entry for part in entries for entry in part), key=lambda entry: entry.at)
    _, changes = advance(limit, WatchState(), ordered)
    return [change.breach.confirmed_at / MINUTE for change in changes if change.kind == "confirmed"]


def test_a_defrost_spike_longer_than_the_short_delay_is_no_breach():
    spike = air((60, -21), (10, -19), (50, -15), (60, -20))
    assert confirmed(STORE, spike) == [100]
    assert confirmed(STORE, spike, defrost(60, 85)) == []


def test_a_room_that_does_not_come_back_after_a_defrost_is_known_80_minutes_after_its_start():
    assert confirmed(STORE, air((60, -21), (10, -19), (200, -15)), defrost(60, 85)) == [140]


def test_once_the_air_was_within_the_limit_the_short_delay_counts_again():
    room = air((70, -21), (20, -15), (5, -19), (100, -15))
    assert confirmed(STORE, room, defrost(65, 88)) == [125]


def test_a_defrost_does_not_excuse_a_breach_that_was_there_before():
    assert confirmed(STORE, air((60, -21), (200, -17)), defrost(70, 95)) == [90]


def test_a_switch_that_always_says_defrost_excuses_nothing_after_its_delay():
    assert confirmed(STORE, air((600, -21), (100, -15)), defrost(0, 690)) == [630]


def test_a_switch_that_flickers_cannot_put_a_breach_off_for_ever():
    flicker = [mark for minute in range(60, 400, 10) for mark in defrost(minute, minute + 2)]
    assert confirmed(STORE, air((60, -21), (300, -15)), flicker) == [140]


def test_a_context_that_nobody_renews_ends_with_its_hold():
    lost = [ContextMark(60 * MINUTE, 9, ContextKind.DEFROST, 65 * MINUTE)]
    assert confirmed(STORE, air((70, -21), (100, -15)), lost) == [100], (
        "over since minute 65, and within the limit then"
    )


def test_a_kind_for_which_the_limit_has_no_delay_changes_nothing():
    door = [ContextMark(60 * MINUTE, 9, ContextKind.DOOR, 500 * MINUTE)]
    assert confirmed(STORE, air((60, -21), (100, -15)), door) == [90]


def test_degree_minutes_confirm_whatever_explains_the_room():
    limit = replace(STORE, degree_minutes=Decimal(300))
    hot = air((60, -21), (100, 2))
    assert confirmed(limit, hot, defrost(59, 150)) == [75], "20 K for 15 min"
    _, changes = advance(limit, WatchState(), hot)
    assert [change.breach.confirmed_by for change in changes] == [None, Trigger.DEGREE_MINUTES]


def test_the_foretold_time_knows_the_grace():
    entries = sorted([*air((60, -21), (30, -15)), *defrost(60, 85)], key=lambda entry: entry.at)
    state, _ = advance(STORE, WatchState(), entries)
    foretold = pending_until(STORE, state)
    assert foretold == 140 * MINUTE
    keeps = [Observation(minute * MINUTE, 1, -15) for minute in range(90, 141)]
    state, _ = advance(STORE, state, keeps)
    assert settle(STORE, state, foretold)[0].breach.confirmed_at == foretold


def test_the_state_with_a_grace_survives_being_written_down():
    entries = sorted([*air((60, -21), (20, -15)), *defrost(60, 85)], key=lambda entry: entry.at)
    state, _ = advance(replace(STORE, degree_minutes=Decimal(300)), WatchState(), entries[:-6])
    assert state.is_excused and state.grace.marks and state.heat
    assert WatchState.from_json(state.to_json()) == state


def test_a_state_of_the_version_before_contexts_is_understood():
    old = '{"at":5,"known":[[1,5,-17.0]],"breach":{"key":"k","onset_at":5,"extreme":-17.0,"extreme_at":5,'
    old += '"confirmed_at":null,"ended_at":null},"held_ms":0,"calm_at":null}'
    assert WatchState.from_json(old).breach.confirmed_by is None


def test_an_instruments_value_becomes_a_mark():
    coil = Signal(ContextKind.DEFROST, above=2.0)
    assert coil.mark(Observation(10, 3, 4.5), 300) == ContextMark(10, 3, ContextKind.DEFROST, 310)
    assert coil.mark(Observation(10, 3, 2.0), 300) == ContextMark(10, 3, ContextKind.DEFROST, 10)


def test_a_daily_defrost_begins_at_its_minute_each_day():
    daily = Daily(ContextKind.DEFROST, -1, at_minute=120, minutes=25)
    marks = list(daily.marks(3 * HOUR, 51 * HOUR))
    assert [(mark.at // HOUR, (mark.until_at - mark.at) // MINUTE) for mark in marks] == [(26, 25), (50, 25)]


def test_planned_marks_never_run_ahead_of_the_data():
    planned = [ContextMark(at, -1, ContextKind.MAINTENANCE, at + 5) for at in (10, 20, 30)]
    joined = list(with_marks([Observation(5, 1, 0.0), Observation(20, 1, 0.0)], planned))
    assert [entry.at for entry in joined] == [5, 10, 20, 20]


@pytest.mark.parametrize("wrong", [{"context_delays_s": {ContextKind.DOOR: -1}}, {"degree_minutes": Decimal(0)}])
def test_an_impossible_delay_is_refused(wrong):
    with pytest.raises(ValueError, match="limit kho-lanh-b/high"):
        replace(STORE, **wrong)
