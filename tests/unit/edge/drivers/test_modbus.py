"""The answer to the request in flight is found in whatever the line delivers, and nothing else is taken for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.drivers.modbus import (
    Fault,
    Request,
    Response,
    RtuMatcher,
    TcpMatcher,
    parse_rtu_request,
    parse_tcp_request,
    read_request,
    with_crc,
    write_coil_request,
    write_coils_request,
    write_register_request,
    write_registers_request,
)

READ = read_request(7, 4, 1, 2)
ANSWER = bytes.fromhex("070404FF4203668D5E")  # -19.0 and 87.0, golden frame of the profile schema
PAYLOAD = bytes.fromhex("FF420366")


def rtu(request: Request, *chunks: bytes, is_echoing: bool = False) -> tuple[Response | None, list[Fault]]:
    matcher = RtuMatcher(is_echoing=is_echoing)
    matcher.arm(request)
    for chunk in chunks:
        if (response := matcher.feed(chunk)) is not None:
            return response, matcher.faults
    return None, matcher.faults


def one_by_one(*chunks: bytes) -> list[bytes]:
    return [bytes((byte,)) for chunk in chunks for byte in chunk]


def test_a_read_request_is_the_golden_one() -> None:
    assert RtuMatcher().arm(READ).hex().upper() == "070400010002206D"


@pytest.mark.parametrize(
    ("name", "chunks", "faults"),
    [
        ("whole", [ANSWER], []),
        ("in two", [ANSWER[:4], ANSWER[4:]], []),
        ("noise before", [b"\x00\xff\x07", ANSWER], []),
        ("noise that looks like the head of a long answer", [b"\x05\x03\xf0", ANSWER], []),
        ("our echo before", [READ.rtu, ANSWER], [Fault.ECHO]),
        ("another unit's late answer before", [with_crc(bytes.fromhex("080404FF420366")), ANSWER], [Fault.WRONG_UNIT]),
        ("another function before", [with_crc(bytes.fromhex("070304FF420366")), ANSWER], [Fault.WRONG_FUNCTION]),
        ("a longer late answer before", [with_crc(bytes.fromhex("070406FF4203660000")), ANSWER], [Fault.LATE]),
        ("spoilt, then good", [ANSWER[:-1] + b"\x00", ANSWER], [Fault.CHECKSUM]),
        ("truncated, then good", [ANSWER[:5], ANSWER], [Fault.CHECKSUM]),
    ],
)
def test_the_answer_is_found(name: str, chunks: list[bytes], faults: list[Fault]) -> None:
    assert rtu(READ, *chunks) == (Response(PAYLOAD), faults)
    assert rtu(READ, b"".join(chunks)) == (Response(PAYLOAD), faults)
    assert rtu(READ, *one_by_one(*chunks)) == (Response(PAYLOAD), faults)


@pytest.mark.parametrize("length", range(len(ANSWER)))
def test_a_truncated_answer_is_no_answer(length: int) -> None:
    assert rtu(READ, ANSWER[:length]) == (None, [])


@pytest.mark.parametrize("bit", range(len(ANSWER) * 8))
def test_no_flipped_bit_passes(bit: int) -> None:
    spoilt = bytearray(ANSWER)
    spoilt[bit // 8] ^= 1 << bit % 8
    assert rtu(READ, bytes(spoilt))[0] is None


def test_an_exception_keeps_its_code() -> None:
    response, _ = rtu(READ, with_crc(bytes.fromhex("078402")))
    assert response == Response(b"", 2)
    assert response.reason == "exception_2"


def test_bytes_behind_the_answer_are_named() -> None:
    assert rtu(READ, ANSWER + b"\x55") == (Response(PAYLOAD), [Fault.NOISE])


@pytest.mark.parametrize(
    ("write", "answer"),
    [
        (write_register_request(1, 0x10, 5), "010600100005"),
        (write_coil_request(1, 2, on=True), "01050002FF00"),
        (write_coils_request(1, 0, [True, False, True]), "010F00000003"),
        (write_registers_request(1, 0, [1, 2]), "011000000002"),
    ],
)
def test_the_echo_of_a_write_is_not_taken_for_its_answer(write: Request, answer: str) -> None:
    good = with_crc(bytes.fromhex(answer))
    assert rtu(write, good) == (Response(b""), [])
    assert rtu(write, write.rtu, is_echoing=True) == (None, [Fault.ECHO])
    assert rtu(write, write.rtu, good, is_echoing=True) == (Response(b""), [Fault.ECHO])


def test_an_answer_for_another_address_does_not_confirm_a_write() -> None:
    write = write_register_request(1, 0x10, 5)
    assert rtu(write, with_crc(bytes.fromhex("010600110005"))) == (None, [Fault.LATE])


def test_a_read_whose_address_looks_like_its_byte_count_is_answered() -> None:
    request = read_request(1, 3, 0x0400, 2)
    answer = with_crc(bytes.fromhex("01030412345678"))
    assert rtu(request, *one_by_one(answer)) == (Response(bytes.fromhex("12345678")), [])
    assert rtu(request, request.rtu + answer) == (Response(bytes.fromhex("12345678")), [Fault.ECHO])


def test_requests_are_read_back_from_the_wire() -> None:
    for request in (READ, write_register_request(1, 0x10, 5), write_registers_request(1, 0, [1, 2])):
        assert parse_rtu_request(request.rtu) == request
        assert parse_tcp_request(TcpMatcher().arm(request, 9)) == (request, 9)


@pytest.mark.parametrize("raw", [b"", b"\x07\x04", READ.rtu[:-1] + b"\x00", with_crc(b"\x01\x2b\x0e\x01\x00\x00")])
def test_what_is_no_request_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match="not a Modbus"):
        parse_rtu_request(raw)
    with pytest.raises(ValueError, match="not a Modbus"):
        parse_tcp_request(raw)


def test_impossible_reads_are_refused() -> None:
    for function, address, count in [(3, 0, 126), (1, 0, 2001), (3, 0xFFFF, 2), (3, 0, 0), (6, 0, 1)]:
        with pytest.raises(ValueError, match="cannot read"):
            read_request(1, function, address, count)


@given(st.binary(max_size=60), st.lists(st.integers(1, 9), max_size=20))
def test_noise_never_raises_and_chunks_change_nothing(noise: bytes, cuts: list[int]) -> None:
    stream = noise + ANSWER
    chunks, rest = [], stream
    for cut in cuts:
        chunks.append(rest[:cut])
        rest = rest[cut:]
    assert rtu(READ, *chunks, rest)[0] == rtu(READ, stream)[0] == rtu(READ, *one_by_one(stream))[0]
    assert rtu(READ, stream)[0] is not None


# ---- TCP

TCP_ANSWER = bytes.fromhex("000100000007070404FF420366")


def tcp(request: Request, *chunks: bytes) -> tuple[Response | None, list[Fault]]:
    matcher = TcpMatcher()
    matcher.arm(request, 1)
    for chunk in chunks:
        if (response := matcher.feed(chunk)) is not None:
            return response, matcher.faults
    return None, matcher.faults


@pytest.mark.parametrize(
    ("name", "before", "faults"),
    [
        ("alone", "", []),
        ("late answer of another transaction", "000000000007070404FF420366", [Fault.LATE]),
        ("another unit", "000100000007080404FF420366", [Fault.WRONG_UNIT]),
        ("another function", "000100000007070304FF420366", [Fault.WRONG_FUNCTION]),
        ("another length", "000100000005070402FF42", [Fault.FORMAT]),
        ("noise", "FFEE13", [Fault.FORMAT]),
    ],
)
def test_a_tcp_answer_is_matched_by_transaction_unit_and_function(name: str, before: str, faults: list[Fault]) -> None:
    stream = bytes.fromhex(before) + TCP_ANSWER
    assert tcp(READ, stream) == (Response(PAYLOAD), faults)
    assert tcp(READ, *one_by_one(stream)) == (Response(PAYLOAD), faults)


def test_a_tcp_exception_keeps_its_code() -> None:
    assert tcp(READ, bytes.fromhex("00010000000307840B")) == (Response(b"", 11), [])


def test_each_tcp_request_has_its_own_transaction() -> None:
    matcher = TcpMatcher()
    assert matcher.arm(READ)[:2] != matcher.arm(READ)[:2]


@given(st.lists(st.binary(max_size=40)))
def test_tcp_noise_never_raises(chunks: list[bytes]) -> None:
    tcp(READ, *chunks)
