"""Decisions without a database: verdicts, ranges, the handover, live values."""

import threading
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.ingest.flight import Flight
from cloud.ingest.handover import Handover
from cloud.ingest.live_lane import live_values
from cloud.ingest.verdict import Cursor, Verdict, judge
from cloud.ingest.worklists import join_ranges
from tests.support.sending_gateway import OFFSET, POINTS, SendingGateway, reading
from wire.messages import Live
from wire.topics import Lane, Topic

BATCHES = (_GATEWAY := SendingGateway()) and [_GATEWAY.seal([reading(1000 * n)]) for n in range(1, 4)]
FLIGHT = Flight(Topic("s0", "gw-01", Lane.BATCH), b"x" * 100)


@pytest.mark.parametrize(
    ("batch", "cursor", "stored", "verdict"),
    [
        (BATCHES[0], Cursor(), None, Verdict.TAKE),
        (BATCHES[1], Cursor(), None, Verdict.HOLE),
        (BATCHES[1], Cursor(1, BATCHES[0].hash), None, Verdict.TAKE),
        (BATCHES[1], Cursor(1, b"another"), None, Verdict.CHAIN_BROKEN),
        (BATCHES[1], Cursor(1, None), None, Verdict.TAKE),
        (BATCHES[1], Cursor(2, BATCHES[1].hash), BATCHES[1].hash, Verdict.REPEATED),
        (BATCHES[1], Cursor(2, b"another"), b"another", Verdict.CONFLICT),
        (BATCHES[0], Cursor(2, BATCHES[1].hash), None, Verdict.REPEATED),
        (BATCHES[2], Cursor(1, BATCHES[0].hash), None, Verdict.HOLE),
    ],
)
def test_verdicts(batch, cursor, stored, verdict):
    assert judge(batch, cursor, stored) is verdict


@given(st.lists(st.tuples(st.integers(0, 10**7), st.integers(1, 10**6)), max_size=20))
def test_joined_ranges_cover_what_went_in_and_stay_apart(spans):
    ranges = [(start, start + length) for start, length in spans]
    joined = join_ranges(ranges)
    assert all(any(a <= start and end <= b for a, b in joined) for start, end in ranges)
    assert all(later[0] - earlier[1] > 60_000 for earlier, later in pairwise(joined))


def test_a_full_handover_blocks_until_there_is_room():
    handover = Handover(max_flights=2, patience_s=30)
    assert handover.put(FLIGHT)
    assert handover.put(FLIGHT)
    taken = threading.Event()

    def put():
        assert handover.put(FLIGHT)
        taken.set()

    thread = threading.Thread(target=put)
    thread.start()
    assert not taken.wait(0.05)
    assert len(handover.collect(1, 1 << 20, 1)) == 1
    assert taken.wait(5)
    thread.join()


def test_a_handover_that_stays_full_drops_rather_than_lose_the_connection():
    handover = Handover(max_bytes=50, patience_s=0.01)
    assert handover.put(FLIGHT)  # larger than the bound, but alone
    assert not handover.put(FLIGHT)


def test_closing_the_handover_lets_the_network_thread_go():
    handover = Handover(max_flights=1, patience_s=30)
    handover.put(FLIGHT)
    thread = threading.Thread(target=lambda: handover.put(FLIGHT))
    thread.start()
    handover.close()
    thread.join(5)
    assert not thread.is_alive()


@given(mantissa=st.integers(-(2**53), 2**53), decimals=st.integers(0, 12))
def test_a_live_value_is_the_exact_decimal(mantissa, decimals):
    live = Live(POINTS.digest, OFFSET, (reading(1000, mantissa)._replace(decimals=decimals),))
    [value] = live_values("gw-01", live, POINTS.points)
    assert Decimal(value.value) == Decimal(mantissa).scaleb(-decimals)
    assert "E" not in value.value
    assert (value.point, value.observed_at) == ("gw-01/probe-a/temperature", OFFSET + 1000)
