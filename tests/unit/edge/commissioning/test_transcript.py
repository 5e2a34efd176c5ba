"""A transcript keeps what was said and what it meant, and crosses out what would name somebody."""

from edge.commissioning.transcript import Head, Scribe, differences
from edge.drivers.modbus import TcpMatcher, read_request, with_crc
from edge.lines.bus import Chunk
from edge.profiles.profile import parse_profile

PROFILE = parse_profile("""
profile_version: 1
meta: {id: x, vendor: x, model: x, class: temperature, status: draft, sources: [{id: a, kind: own, ref: a}]}
link: {transport: modbus_rtu, max_read_registers: 8}
points:
  - {key: decimals, table: holding, address: 0, type: u16}
  - {key: value, table: holding, address: 4, type: u16, scale_from: {point: decimals, map: {0: "1", 1: "0.1"}}}
  - {key: serial_number, table: holding, address: 5, type: ascii(4)}
tests: [{response: "", expect: {}, origin: computed}]
""")
HEAD = Head(transcript=1, kind="modbus_rtu", baud=9600, format="8N1", units={7: "x"})
PROFILES = {"x": PROFILE}


def answer(*words: int) -> bytes:
    raw = b"".join(word.to_bytes(2) for word in words)
    return with_crc(bytes((7, 3, len(raw))) + raw)


def test_what_one_answer_means_may_lean_on_one_before():
    scribe = Scribe(HEAD, PROFILES)
    ask = read_request(7, 3, 4, 1).rtu
    assert scribe.note(0, ask, [Chunk(0.02, answer(123))]).expect == {"value": "scale_unknown"}
    assert scribe.note(1, read_request(7, 3, 0, 1).rtu, [Chunk(0.02, answer(1))]).expect == {"decimals": "1"}
    assert scribe.note(2, ask, [Chunk(0.02, answer(123))]).expect == {"value": "12.3"}


def test_texts_are_crossed_out_and_the_checksum_is_made_good():
    raw = answer(0x4142, 0x3132)
    spoken = Scribe(HEAD, PROFILES).note(0, read_request(7, 3, 5, 2).rtu, [Chunk(0.02, raw[:4]), Chunk(0.03, raw[4:])])
    assert spoken.chunks == ((20.0, "07030478"), (30.0, with_crc(bytes((7, 3, 4)) + b"xxxx")[4:].hex()))
    assert spoken.expect == {"serial_number": "xxxx"}


def test_writes_strangers_and_garbage_are_left_out():
    scribe = Scribe(HEAD, PROFILES)
    assert scribe.note(0, read_request(8, 3, 0, 1).rtu, []) is None
    assert scribe.note(0, with_crc(bytes((7, 6, 0, 0, 0, 1))), []) is None
    assert scribe.note(0, b"\x00\x01", []) is None


def test_silence_is_written_down_as_such():
    assert Scribe(HEAD, PROFILES).note(0, read_request(7, 3, 0, 1).rtu, []).failure == "timeout"


def test_modbus_tcp_is_written_down_as_well():
    head = Head(transcript=1, kind="modbus_tcp", units={7: "x"})
    request = read_request(7, 3, 0, 1)
    frame = TcpMatcher().arm(request, 0x1234)
    told = frame[:4] + (5).to_bytes(2) + bytes((7, 3, 2, 0, 1))
    assert Scribe(head, PROFILES).note(0, frame, [Chunk(0.01, told)]).expect == {"decimals": "1"}


def test_an_empty_transcript_differs_in_nothing():
    assert list(differences([], PROFILES)) == []
