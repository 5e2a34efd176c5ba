"""Hello, acknowledgement, live values, point tables and topics: read back as written, anything else refused."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.entries import Quality, Reading
from wire.errors import MalformedMessage
from wire.messages import Ack, Gone, Hello, Live, read_ack, read_hello, read_live
from wire.points import Point, PointTable, read_point_table
from wire.topics import Lane, Topic, parse_topic

HELLO = Hello(epoch=bytes(16), next=5, oldest=2, points=bytes(16), key=bytes(32), agent="coldlink 0.1")
ACK = Ack(epoch=bytes(16), through=4, hash=bytes(32), want_points=bytes(16))
LIVE = Live(
    bytes(16), None, (Reading(0, 5, None, 0, Quality.BAD, "timeout"), Reading(1, 5, -194, 1, Quality.GOOD, None))
)
TABLE = PointTable(
    (Point("kho-lanh-a-probe", "temperature", "Cel", "air_temperature"), Point("rfid", "tag", "", "tag"))
)


def test_each_message_is_read_as_it_was_written():
    assert read_hello(HELLO.encode()) == HELLO
    assert read_ack(ACK.encode()) == ACK
    assert read_live(LIVE.encode()) == LIVE
    assert read_point_table(TABLE.data) == TABLE


@pytest.mark.parametrize("read", [read_hello, read_ack, read_live, read_point_table])
@given(noise=st.binary(max_size=300) | st.text(max_size=100).map(str.encode) | st.just(b"[" * 4000))
def test_noise_is_refused_and_nothing_else_happens(read, noise):
    with pytest.raises(MalformedMessage):
        read(noise)


def test_a_hello_that_keeps_batches_from_the_future_is_refused():
    with pytest.raises(MalformedMessage, match="oldest"):
        read_hello(HELLO.encode().replace(b'"oldest":2', b'"oldest":6'))


def test_what_is_gone_is_read_as_it_was_written_and_may_be_absent():
    told = replace(HELLO, gone=Gone(3, 4, "buffer_corrupt"))
    assert read_hello(told.encode()) == told
    assert read_hello(HELLO.encode().replace(b',"gone":null', b"")) == HELLO


@pytest.mark.parametrize("row", [b'[0,2,"thinned"]', b'[3,2,"thinned"]', b'[3,5,"thinned"]', b'[3,4,"lost"]', b"[3]"])
def test_what_cannot_be_gone_is_refused(row):
    with pytest.raises(MalformedMessage):
        read_hello(HELLO.encode().replace(b'"gone":null', b'"gone":' + row))


def test_a_point_table_is_known_by_its_digest():
    other = PointTable((*TABLE.points, Point("rfid", "health", "1", "health")))
    assert other.digest != TABLE.digest == read_point_table(TABLE.data).digest


def test_a_point_that_stands_twice_is_refused():
    with pytest.raises(MalformedMessage, match="twice"):
        read_point_table(PointTable((TABLE.points[0], TABLE.points[0])).data)


def test_a_topic_is_read_as_it_was_written():
    topic = Topic("s0", "gw-01", Lane.BATCH)
    assert parse_topic(str(topic)) == topic == parse_topic("coldlink/v1/s0/gw-01/batch")


@pytest.mark.parametrize(
    "text",
    ["", "coldlink/v1/s0/gw-01", "coldlink/v2/s0/gw-01/batch", "coldlink/v1/s0/gw-01/x", "coldlink/v1/S0/gw-01/ack"],
)
def test_a_topic_that_is_not_ours_is_nothing(text):
    assert parse_topic(text) is None
