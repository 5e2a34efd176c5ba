"""States of alarms, and what is written after thinking over."""

import pytest

from cloud.alarms.lifecycle import AlarmState, is_detected_late, needs_alarm, state_of
from cloud.alarms.revise import StatedBreach, heir, revise
from rules import Breach, BreachStatus

ACTIVE = Breach("a", onset_at=100, extreme=-17.0, extreme_at=110, confirmed_at=150)
ENDED = Breach("a", onset_at=100, extreme=-17.0, extreme_at=110, confirmed_at=150, ended_at=200)
PENDING = Breach("a", onset_at=100, extreme=-17.0, extreme_at=110)


@pytest.mark.parametrize(
    ("is_true", "is_acknowledged", "state"),
    [
        (True, False, AlarmState.UNACKNOWLEDGED),
        (True, True, AlarmState.ACKNOWLEDGED),
        (False, False, AlarmState.RETURNED_UNACKNOWLEDGED),
        (False, True, AlarmState.NORMAL),
    ],
)
def test_two_facts_make_the_state(is_true, is_acknowledged, state):
    assert state_of(is_true=is_true, is_acknowledged=is_acknowledged) is state


@pytest.mark.parametrize(
    ("breach", "since", "needs"),
    [(PENDING, 0, False), (ACTIVE, 999, True), (ENDED, 0, True), (ENDED, 201, False)],
)
def test_only_what_was_confirmed_and_not_long_over_alarms(breach, since, needs):
    assert needs_alarm(breach, breach.status, since) is needs


def test_minutes_after_the_confirmation_it_is_late():
    assert not is_detected_late(ACTIVE, 150 + 300_000)
    assert is_detected_late(ACTIVE, 150 + 300_001)


@pytest.mark.parametrize(
    ("stated", "computed", "written"),
    [
        (None, PENDING, ("pending", 1, True)),
        (PENDING, PENDING, None),
        (PENDING, ACTIVE, ("active", 2, True)),
        (ACTIVE, ENDED, ("ended", 2, True)),
        (ENDED, ACTIVE, ("active", 2, True)),
        (ACTIVE, Breach("a", 100, -15.0, 160, 150), ("active", 1, False)),
        (ENDED, Breach("a", 100, -15.0, 160, 150, 200), ("ended", 2, True)),
        (ACTIVE, None, ("withdrawn", 2, True)),
    ],
)
def test_every_correction_is_a_new_version_and_growth_is_not(stated, computed, written):
    books = {} if stated is None else {"a": StatedBreach(stated, stated.status, 1)}
    revisions = revise(books, [] if computed is None else [computed])
    told = [(revision.status, revision.version, revision.is_new_version) for revision in revisions]
    assert told == ([] if written is None else [written])


def test_what_was_withdrawn_is_not_withdrawn_again_and_can_come_back():
    books = {"a": StatedBreach(ENDED, BreachStatus.WITHDRAWN, 2)}
    assert revise(books, []) == []
    assert [revision.version for revision in revise(books, [ENDED])] == [3]


def test_the_nearest_overlapping_breach_inherits():
    early = Breach("e", 0, -17.0, 0, 10, 120)
    near = Breach("n", 90, -17.0, 0, 95, None)
    apart = Breach("x", 300, -17.0, 300, 310, None)
    assert heir(ENDED, [early, near, apart]) is near
    assert heir(ENDED, [apart]) is None
    assert heir(ENDED, [PENDING]) is None
