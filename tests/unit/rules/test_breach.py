"""Breaches: the machine of states, event time, and the same answer whatever the order."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import (
    Breach,
    BreachStatus,
    ChangeKind,
    Limit,
    LimitKind,
    Observation,
    OutOfOrderError,
    WatchState,
    advance,
    pending_until,
    retire,
    settle,
)
from tests.unit.rules import plain
from tests.unit.rules.worlds import LAST_TICK, TICK_MS, limits, marks, observations

HORIZON = (LAST_TICK + 12) * TICK_MS
FREEZER = Limit(
    zone="kho-lanh-b",
    key="air",
    kind=LimitKind.ABOVE,
    quantity="air_temperature",
    setpoint=Decimal(-18),
    deadband=Decimal("0.5"),
    on_delay_s=10,
    off_delay_s=5,
    max_gap_s=20,
)


def minute_by_minute(*values, start=0, step=5000):
    return [Observation(start + i * step, 1, value) for i, value in enumerate(values)]


def breaches(limit, entries, until=HORIZON):
    state, changes = advance(limit, WatchState(), in_order(entries))
    state, later = settle(limit, state, until)
    return standing(state, [*changes, *later])


def in_order(entries):
    return sorted(entries, key=lambda entry: entry.at)


def standing(state, changes):
    ended = [change.breach for change in changes if change.kind is ChangeKind.ENDED]
    return [*ended, state.breach] if state.breach else ended


def test_a_breach_begins_with_the_first_moment_beyond_and_ends_with_the_first_calm_one():
    [breach] = breaches(FREEZER, minute_by_minute(-20, -17, -16, -15, -19, -19, -19))
    assert (breach.onset_at, breach.confirmed_at, breach.ended_at) == (5000, 15000, 20000)
    assert (breach.extreme, breach.extreme_at) == (-15, 15000)
    assert breach.status is BreachStatus.ENDED
    assert breach.minutes(until=0) == 0.25


def test_exactly_at_the_setpoint_is_not_beyond_it():
    assert breaches(FREEZER, minute_by_minute(-18.0, -18.0, -18.0, -18.0)) == []


def test_a_short_excursion_is_dropped():
    state, changes = advance(FREEZER, WatchState(), minute_by_minute(-20, -17, -19, -19))
    assert [change.kind for change in changes] == [ChangeKind.OPENED, ChangeKind.DROPPED]
    assert state.breach is None


def test_within_the_deadband_a_breach_goes_on():
    state, _ = advance(FREEZER, WatchState(), minute_by_minute(-17, -17, -17, -18.2, -18.2, -18.2, -18.2))
    assert state.breach.status is BreachStatus.ACTIVE


def test_a_lower_limit_is_the_mirror_of_an_upper_one():
    limit = Limit(
        zone="be-1", key="low", kind=LimitKind.BELOW, quantity="air_temperature", setpoint=Decimal(0), on_delay_s=5
    )
    [breach] = breaches(limit, minute_by_minute(1, -1, -2, 1, 1))
    assert (breach.onset_at, breach.ended_at, breach.extreme) == (5000, 15000, -2)


def test_silence_neither_confirms_nor_ends_a_breach():
    state, _ = advance(FREEZER, WatchState(), minute_by_minute(-17))
    state, _ = settle(FREEZER, state, 9_000)
    assert state.breach.status is BreachStatus.PENDING
    state, changes = settle(FREEZER, state, 3_600_000)
    assert [change.breach.confirmed_at for change in changes] == [10_000], "carried for the max gap of 20 s, no longer"
    state, changes = settle(FREEZER, state, 7_200_000)
    assert changes == []
    assert state.breach.status is BreachStatus.ACTIVE


def test_the_time_at_which_a_pending_breach_is_confirmed_is_foretold():
    state, _ = advance(FREEZER, WatchState(), minute_by_minute(-20, -17, -17))
    foretold = pending_until(FREEZER, state)
    assert foretold == 15_000
    assert settle(FREEZER, state, foretold - 1)[0].breach.confirmed_at is None
    assert settle(FREEZER, state, foretold)[0].breach.confirmed_at == foretold
    assert pending_until(FREEZER, WatchState()) is None


def test_the_limits_end_ends_its_breach():
    state, _ = advance(FREEZER, WatchState(), minute_by_minute(-17, -17, -17, -17))
    state, changes = retire(FREEZER, state, 16_000)
    assert changes[-1].breach.ended_at == 16_000
    assert state.breach is None


def test_the_limits_end_drops_what_was_only_pending():
    state, _ = advance(FREEZER, WatchState(), minute_by_minute(-17, -17))
    state, changes = retire(FREEZER, state, 6_000)
    assert [change.kind for change in changes] == [ChangeKind.DROPPED]
    assert state.breach is None


def test_going_back_in_time_is_refused():
    state, _ = advance(FREEZER, WatchState(), minute_by_minute(-20, -20))
    with pytest.raises(OutOfOrderError) as refusal:
        advance(FREEZER, state, [Observation(1000, 1, -20)])
    assert (refusal.value.at, refusal.value.reached) == (1000, 5000)


@settings(max_examples=300, deadline=None)
@given(limits, observations, marks)
def test_breaches_are_those_of_the_plain_rules(limit, entries, marked):
    assert breaches(limit, [*entries, *marked]) == plain.breaches(limit, entries, HORIZON, marked)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@settings(max_examples=1000, deadline=None)
@given(limits, observations, marks, st.randoms())
def test_a_thousand_shuffled_and_repeated_worlds_are_those_of_the_plain_rules(limit, entries, marked, random):
    everything = [*entries, *marked]
    everything += random.sample(everything, len(everything) // 2)
    random.shuffle(everything)
    assert breaches(limit, everything) == plain.breaches(limit, entries, HORIZON, marked)


@settings(max_examples=200, deadline=None)
@given(limits, observations, marks, st.lists(st.integers(0, LAST_TICK * TICK_MS), max_size=8), st.randoms())
def test_pieces_repeats_pauses_and_restarts_change_nothing(limit, entries, marked, cuts, random):
    entries = [*entries, *marked]
    ordered = in_order(entries + random.sample(entries, len(entries) // 2))
    state, changes = WatchState(), []
    for begin, end in pairwise([0, *sorted(cuts), HORIZON]):
        state, found = advance(limit, state, [entry for entry in ordered if begin <= entry.at < end])
        state, paused = settle(limit, state, end)
        changes += found + paused
        state = WatchState.from_json(state.to_json())
    assert standing(state, changes) == breaches(limit, entries)


@settings(max_examples=200, deadline=None)
@given(limits, observations)
def test_every_breach_opens_once_and_confirms_before_it_ends(limit, entries):
    _, changes = advance(limit, WatchState(), sorted(entries))
    stories: dict[str, list[ChangeKind]] = {}
    for kind, breach in changes:
        stories.setdefault(breach.key, []).append(kind)
    whole = [ChangeKind.OPENED, ChangeKind.CONFIRMED, ChangeKind.ENDED]
    for story in stories.values():
        assert story in ([ChangeKind.OPENED, ChangeKind.DROPPED], whole[:1], whole[:2], whole)


def test_the_state_survives_being_written_down():
    state, _ = advance(FREEZER, WatchState(), minute_by_minute(-17, -16.9, -17, -17))
    assert WatchState.from_json(state.to_json()) == state
    assert isinstance(state.breach, Breach)
