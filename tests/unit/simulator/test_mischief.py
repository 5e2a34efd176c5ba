"""What the bad line does to messages: framing that any split survives, and injections that are all written down."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.mischief import MessageSpoiler, Mischief, Past
from simulator.mqtt_packets import NotMqtt, PacketSplitter, Publish, read_publish

PING = bytes([0xC0, 0])
messages = st.builds(
    Publish,
    st.sampled_from(["coldlink/v1/s0/gw-01/batch", "coldlink/v1/s0/gw-02/batch", "coldlink/v1/s0/gw-01/live"]),
    st.binary(max_size=300),
    st.one_of(st.none(), st.integers(1, 65535)),
    st.booleans(),
)


def spoiler(past, mischief, seed=1):
    one = MessageSpoiler("/batch", past, random.Random(seed))
    one.mischief = mischief
    return one


def read_all(stream):
    return [read_publish(packet) for packet in PacketSplitter().feed(stream)]


@given(st.lists(messages, max_size=8), st.integers(1, 50))
def test_any_split_of_the_stream_gives_the_same_packets(sent, size):
    stream = PING + b"".join(message.encode() for message in sent)
    splitter = PacketSplitter()
    packets = [one for at in range(0, len(stream), size) for one in splitter.feed(stream[at : at + size])]
    assert b"".join(packets) == stream
    assert [read_publish(packet) for packet in packets] == [None, *sent]


def test_what_cannot_be_a_length_is_refused():
    with pytest.raises(NotMqtt):
        PacketSplitter().feed(b"\x30\xff\xff\xff\xff\xff")


@given(st.lists(messages, max_size=8))
def test_a_line_without_mischief_changes_nothing(sent):
    stream = b"".join(message.encode() for message in sent)
    assert MessageSpoiler("/batch", Past(), random.Random(1)).feed(stream) == stream


def test_a_corrupt_message_differs_in_one_bit_and_is_written_down():
    past, good = Past(), Publish("x/batch", bytes(100), 7)
    [bad] = read_all(spoiler(past, Mischief(corrupt=1)).feed(good.encode()))
    assert (bad.topic, bad.packet_id) == (good.topic, good.packet_id)
    assert sum(byte.bit_count() for byte in bad.payload) == 1
    assert [(one.kind, one.payload) for one in past.injections] == [("corrupt", bad.payload)]


def test_a_truncated_message_is_still_a_whole_packet():
    past, good = Past(), Publish("x/batch", bytes(range(100)), 7)
    [bad] = read_all(spoiler(past, Mischief(truncate=1)).feed(good.encode()))
    assert good.payload.startswith(bad.payload) and 0 < len(bad.payload) < 100


def test_copies_travel_beside_the_good_message_and_are_never_acknowledged():
    past = Past()
    first = Publish("a/batch", b"first", 1)
    spoiler(past, Mischief()).feed(first.encode())
    busy = spoiler(past, Mischief(duplicate=1, stale=1, foreign=1))
    busy.feed(Publish("b/batch", b"other", 2).encode())
    seen = read_all(busy.feed(Publish("a/batch", b"second", 3).encode()))
    assert seen[0] == Publish("a/batch", b"second", 3)
    assert [(one.payload, one.packet_id) for one in seen[1:]] == [(b"second", None), (b"first", None), (b"other", None)]
    assert {one.topic for one in seen} == {"a/batch"}


def test_other_lanes_are_left_alone():
    past, live = Past(), Publish("x/live", b"now", None)
    assert spoiler(past, Mischief(corrupt=1, truncate=1, duplicate=1)).feed(live.encode()) == live.encode()


def test_the_same_seed_does_the_same():
    stream = b"".join(Publish("x/batch", bytes(50), n).encode() for n in range(1, 60))
    mischief = Mischief(corrupt=0.2, truncate=0.2, duplicate=0.2, stale=0.2)
    assert spoiler(Past(), mischief, 5).feed(stream) == spoiler(Past(), mischief, 5).feed(stream)
    assert spoiler(Past(), mischief, 5).feed(stream) != spoiler(Past(), mischief, 6).feed(stream)
