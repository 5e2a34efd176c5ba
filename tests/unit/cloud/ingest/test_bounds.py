"""A boot that never knew the time lies between its neighbours, and says how far off that may be."""

from hypothesis import given
from hypothesis import strategies as st

from cloud.ingest.bounds import SURE_WITHIN_MS, UNKNOWN_ERROR_MS, Bound, bounds

TIMES = st.integers(0, 10**12)
DURATIONS = st.lists(st.integers(0, 10**9), min_size=1, max_size=6)


def test_one_boot_lies_in_the_middle_of_what_is_free():
    assert bounds([10_000], after=100_000, before=130_000) == [Bound(110_000, 10_000)]


def test_two_boots_share_what_is_free():
    assert bounds([1000, 2000], after=0, before=33_000) == [Bound(10_000, 20_000), Bound(21_000, 20_000)]


def test_without_a_boot_before_it_ended_just_before_the_next_for_all_we_know():
    assert bounds([4000], after=None, before=10_000) == [Bound(6000, UNKNOWN_ERROR_MS)]


def test_neighbours_that_leave_no_room_bound_nothing():
    assert bounds([4000], after=8000, before=10_000) == [Bound(6000, UNKNOWN_ERROR_MS)]


def test_however_near_the_neighbours_it_stays_uncertain():
    [bound] = bounds([4000], after=5990, before=10_000)
    assert bound.error_ms > SURE_WITHIN_MS


@given(DURATIONS, st.none() | TIMES, TIMES)
def test_boots_keep_their_order_and_end_before_the_next_begins(durations, after, before):
    found = bounds(durations, after, before)
    ends = [one.began_at + duration for one, duration in zip(found, durations, strict=True)]
    begins = [one.began_at for one in found]
    assert begins == sorted(begins)
    assert all(end <= begin for end, begin in zip(ends, [*begins[1:], before], strict=True))
    if after is not None and found[0].error_ms < UNKNOWN_ERROR_MS:
        assert begins[0] >= after


@given(DURATIONS, TIMES, st.lists(st.integers(0, 10**9), min_size=7, max_size=7))
def test_the_truth_is_within_the_stated_error(durations, after, pauses):
    truth, now = [], after
    for duration, pause in zip(durations, pauses, strict=False):
        now += pause
        truth.append(now)
        now += duration
    found = bounds(durations, after, now + pauses[-1])
    assert all(abs(one.began_at - began) <= one.error_ms for one, began in zip(found, truth, strict=True))
