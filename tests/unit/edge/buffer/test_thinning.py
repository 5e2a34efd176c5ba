"""What stays when there is no room: extremes as they were measured, a mean that says what it is, every event."""

from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from edge.buffer.thinning import BUCKET_MS, MEAN, thin
from wire.body import decode_body, encode_body
from wire.entries import ClockAnchor, Gap, Quality, Reading, Sighting, Weighing


def body(entries, first_at=0):
    return decode_body(encode_body(entries, first_at), first_at, len(entries))


def good(at, mantissa, point=0):
    return Reading(point, at, mantissa, 1, Quality.GOOD, None)


def test_of_five_minutes_the_lowest_the_highest_and_the_mean_stay():
    minutes = [good(at * 1000, 100 + at % 7) for at in range(300)]
    kept = thin([body(minutes)])
    assert kept[0] == good(0, 100)
    assert [(r.mantissa, r.quality, r.reason) for r in kept] == [
        (100, Quality.GOOD, None),
        (103, Quality.UNCERTAIN, MEAN),
        (106, Quality.GOOD, None),
    ]


def test_batches_of_five_seconds_are_thinned_together():
    batches = [body([good(n * 5000 + i * 1000, n) for i in range(5)], n * 5000) for n in range(120)]
    kept = thin(batches)
    assert [(r.mantissa, r.reason) for r in kept] == [
        (0, None),
        (30, MEAN),
        (59, None),
        (60, None),
        (90, MEAN),
        (119, None),
    ]


def test_failures_keep_their_first_and_last_and_are_never_averaged():
    bad = [Reading(0, at * 1000, None, 1, Quality.BAD, "timeout") for at in range(10, 20)]
    kept = thin([body([good(0, 10), *bad, good(30_000, 20)])])
    assert [(r.at, r.mantissa, r.reason) for r in kept] == [
        (0, 10, None),
        (10_000, None, "timeout"),
        (19_000, None, "timeout"),
        (30_000, 20, None),
    ]


def test_events_stay_as_they_are():
    events = [
        Sighting(1, 5, 9, "3034", 2, -50, 1),
        Weighing(2, 7, 485, 3, "kg", "net", is_stability_derived=False),
        Gap("bus_down", None, 1, 2, (0,), ""),
        ClockAnchor(None, 3, 1_800_000_000_000, 20),
    ]
    assert thin([body(events)]) == events


READINGS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 3 * BUCKET_MS), st.integers(-500, 500), st.booleans()), max_size=60
)


def made(rows):
    by_key = {(point, at): (mantissa, is_good) for point, at, mantissa, is_good in rows}
    return [
        good(at, mantissa, point) if is_good else Reading(point, at, None, 1, Quality.BAD, "crc")
        for (point, at), (mantissa, is_good) in sorted(by_key.items(), key=lambda item: item[0][1])
    ]


@given(READINGS)
def test_the_extremes_of_every_bucket_survive_and_nothing_is_invented(rows):
    readings = made(rows)
    kept = thin([body(readings)])
    assert {r for r in kept if r.reason != MEAN} <= set(readings)

    def extremes(some):
        some = [r for r in some if r.quality is Quality.GOOD]
        keyed = sorted(some, key=lambda r: (r.point, r.at // BUCKET_MS))
        groups = groupby(keyed, key=lambda r: (r.point, r.at // BUCKET_MS))
        return {key: (min(values), max(values)) for key, group in groups if (values := [r.mantissa for r in group])}

    assert extremes(kept) == extremes(readings)


@given(READINGS)
def test_a_point_has_one_reading_at_a_time(rows):
    kept = thin([body(made(rows))])
    assert len({(r.point, r.at) for r in kept}) == len(kept)


@given(READINGS)
def test_what_was_thinned_comes_out_as_it_was(rows):
    once = thin([body(made(rows))])
    assert sorted(thin([body(once)])) == sorted(once)
