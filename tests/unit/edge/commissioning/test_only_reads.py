"""What commissioning may send without consent: questions, and no frame that could change anything."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.drivers.modbus import (
    read_request,
    with_crc,
    write_coil_request,
    write_coils_request,
    write_register_request,
    write_registers_request,
)
from edge.lines.only_reads import only_reads

WRITES = [
    write_coil_request(1, 0, on=True),
    write_register_request(1, 0, 1),
    write_coils_request(1, 0, [True]),
    write_registers_request(1, 0, [1]),
]


@pytest.mark.parametrize("function", [1, 2, 3, 4])
def test_reads_are_reads(function):
    assert only_reads(read_request(7, function, 0, 1).rtu, is_tcp=False)


@pytest.mark.parametrize("write", WRITES, ids=lambda one: str(one.function))
def test_writes_are_not(write):
    assert not only_reads(write.rtu, is_tcp=False)
    assert not only_reads(bytes(6) + bytes((write.unit,)) + write.pdu, is_tcp=True)


@pytest.mark.parametrize(
    ("pdu", "is_read"),
    [
        (b"\x11", True),  # report server id
        (b"\x2b\x0e\x01\x00", True),  # device identification
        (b"\x2b\x0d\x01\x00", False),  # CANopen, which can write
        (b"\x08\x00\x01\x00\x00", False),  # diagnostics: restart communications
        (b"\x16\x00\x00\x00\x00\x00\x00", False),  # mask write
        (b"\x17\x00\x00\x00\x01\x00\x00\x00\x01\x02\x00\x00", False),  # read and write
    ],
)
def test_the_rest_by_its_function(pdu, is_read):
    assert only_reads(with_crc(b"\x01" + pdu), is_tcp=False) is is_read


def test_a_broadcast_is_never_a_question():
    assert not only_reads(read_request(0, 3, 0, 1).rtu, is_tcp=False)


@given(st.binary(max_size=40), st.booleans())
def test_whatever_comes_gets_a_verdict(frame, is_tcp):
    assert only_reads(frame, is_tcp=is_tcp) in (True, False)
