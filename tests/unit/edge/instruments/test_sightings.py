"""Many reads of a tag become few facts, and no read is lost or counted twice."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edge.instruments.sightings import GONE_AFTER_MS, SightingWindow
from wire.entries import Sighting


def test_the_first_read_is_a_sighting_at_once():
    window = SightingWindow(4)
    assert window.see("e200", 1, -54, 1000) == Sighting(4, 1000, 1000, "e200", 1, -54, 1)
    assert window.see("e200", 1, -54, 1040) is None
    assert window.see("e201", 1, -54, 1040) is not None
    assert window.see("e200", 2, -54, 1040) is not None


def test_the_reads_of_a_pass_are_summed_up_when_the_tag_is_gone():
    window = SightingWindow(4)
    window.see("e200", 1, -60, 1000)
    for at, rssi in ((1040, -50), (1080, -44), (1120, -52)):
        window.see("e200", 1, rssi, at)
    assert window.due(1120 + GONE_AFTER_MS - 1) == []
    assert window.due(1120 + GONE_AFTER_MS) == [Sighting(4, 1040, 1120, "e200", 3, -44, 1)]
    assert len(window) == 0
    assert window.see("e200", 1, -60, 9000) is not None  # a new presence


def test_a_tag_that_was_read_once_needs_no_summary():
    window = SightingWindow(4)
    window.see("e200", None, None, 1000)
    assert window.due(1000 + GONE_AFTER_MS) == []
    assert len(window) == 0


def test_a_tag_that_stays_is_told_at_each_flush():
    window = SightingWindow(4)
    told = []
    for at in range(0, 20_001, 500):
        window.see("e200", 1, -60, at)
        told += window.due(at)
        if at % 5000 == 0:
            told += window.held()
    assert [(sighting.at, sighting.last_at) for sighting in told] == [
        (500, 5000),
        (5500, 10_000),
        (10_500, 15_000),
        (15_500, 20_000),
    ]


READS = st.lists(
    st.tuples(st.integers(0, 3000), st.sampled_from(["e200", "e201"]), st.sampled_from([1, 2]), st.integers(-80, -30)),
    max_size=60,
)


@given(READS)
def test_every_read_is_in_exactly_one_sighting_and_times_never_overlap(reads):
    window = SightingWindow(4)
    now, told = 0, []
    for step, epc, antenna, rssi in reads:
        now += step
        told += window.due(now)
        first = window.see(epc, antenna, rssi, now)
        told += [first] if first else []
        if step % 7 == 0:
            told += window.held()
    told += window.due(now + GONE_AFTER_MS)
    assert sum(sighting.reads for sighting in told) == len(reads)
    assert len(window) == 0
    for epc in ("e200", "e201"):
        for antenna in (1, 2):
            own = [sighting for sighting in told if (sighting.epc, sighting.antenna) == (epc, antenna)]
            assert all(a.last_at < b.at for a, b in pairwise(own))
            seen = [r for _, e, n, r in reads if (e, n) == (epc, antenna)]
            assert max((sighting.rssi_dbm for sighting in own), default=None) == max(seen, default=None)
