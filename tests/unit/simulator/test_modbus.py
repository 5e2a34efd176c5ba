"""Requests found in a stream, and refused where an instrument would refuse them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.modbus import ReadRequest, Refusal, RtuRequests, crc16, parse_read, rtu_frame

READ = bytes.fromhex("0400010002")


def test_the_published_frame_has_this_crc():
    assert rtu_frame(7, READ) == bytes.fromhex("070400010002206d")


def test_the_check_value_of_the_crc():
    assert crc16(b"123456789") == (0x4B37).to_bytes(2, "little")


def test_a_read_is_taken_apart():
    assert parse_read(READ) == ReadRequest(4, 1, 2)


@pytest.mark.parametrize(
    ("pdu", "code"),
    [
        ("0500010000", 1),
        ("04000100", 1),
        ("0400010000", 3),
        ("040001007e", 3),
        ("04ffff0002", 2),
    ],
)
def test_what_cannot_be_read_is_refused(pdu, code):
    with pytest.raises(Refusal) as refusal:
        parse_read(bytes.fromhex(pdu))
    assert refusal.value.code == code


@given(st.lists(st.tuples(st.integers(1, 247), st.integers(0, 0xFFFF)), max_size=5), st.integers(1, 9))
def test_requests_are_found_however_they_are_cut(asked, size):
    frames = [(unit, bytes((4,)) + address.to_bytes(2) + b"\0\1") for unit, address in asked]
    stream = b"".join(rtu_frame(unit, pdu) for unit, pdu in frames)
    requests = RtuRequests()
    found = [one for at in range(0, len(stream), size) for one in requests.feed(stream[at : at + size])]
    assert found == frames


def test_a_request_after_noise_is_found():
    requests = RtuRequests()
    damaged = bytes((7, 4, 0, 1, 0, 2, 0x20, 0x6E))
    assert requests.feed(b"\xff\x00\x04" + damaged + rtu_frame(7, READ)) == [(7, READ)]


@given(st.binary(max_size=2000))
def test_noise_is_never_held_beyond_one_frame(noise):
    requests = RtuRequests()
    requests.feed(noise)
    assert len(requests._held) <= 264


def test_a_write_of_many_registers_is_skipped_as_one_frame():
    write = bytes.fromhex("10000100020400010002")
    requests = RtuRequests()
    assert requests.feed(rtu_frame(3, write) + rtu_frame(7, READ)) == [(3, write), (7, READ)]


def test_silence_ends_what_was_begun():
    requests = RtuRequests()
    requests.feed(rtu_frame(7, READ)[:4])
    requests.forget()
    assert requests.feed(rtu_frame(7, READ)) == [(7, READ)]
