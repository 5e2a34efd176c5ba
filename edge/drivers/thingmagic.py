"""ThingMagic Mercury modules (M6E Nano): answers FF LEN OP STATUS(2) data CRC(2), streaming while they read."""

import re

from edge.drivers.crc import crc_thingmagic
from edge.drivers.frames import AckFrame, Decoder, ErrorFrame, Frame, TagFrame
from edge.drivers.gen2 import checked, epc_text, tag_crc_option
from edge.drivers.params import Params
from edge.drivers.stream import UNFINISHED, Cut, StreamDecoder, find_pattern, spoilt

_READ_MULTIPLE, _MULTI_PROTOCOL = 0x22, 0x2F
_NO_TAG, _TOO_HOT = 0x0400, 0x0504
_SHORT_RECORDS = {0x00: "keep-alive", 0x08: "unknown", 0x0A: "temperature"}
_FIND = find_pattern(re.compile(rb"(?s)\xff(?:\Z|.(?:\Z|[\x03-\x0c\x10\x21-\x2f\x61-\x72\x91-\x9f]))"))

# Continuous reading: no time-out, option 1 (continuous), then a nested READ MULTIPLE for Gen2 with metadata 001B and
# 1,000 ms per round, as the module's maker's tools send it.
_READ_CONTINUOUSLY = bytes.fromhex("00000122000005 0722 10001B03E801FF".replace(" ", ""))


def decoder(params: Params) -> Decoder:
    tag_crc = tag_crc_option(params)

    def cut(held: bytearray, at: int) -> Cut | None:
        if len(held) - at < 3:
            return UNFINISHED
        size = held[at + 1] + 7
        if len(held) < at + size:
            return UNFINISHED
        frame = bytes(held[at : at + size])
        if crc_thingmagic(frame[1:-2]) != int.from_bytes(frame[-2:]):
            return spoilt(size, "checksum")
        return Cut(size, _read(frame, tag_crc))

    return StreamDecoder(_FIND, cut, poll_request=command(_MULTI_PROTOCOL, _READ_CONTINUOUSLY))


def command(code: int, parameters: bytes = b"") -> bytes:
    body = bytes((len(parameters), code)) + parameters
    return b"\xff" + body + crc_thingmagic(body).to_bytes(2)


def _read(frame: bytes, tag_crc: str) -> list[Frame]:
    length, code, status = frame[1], frame[2], int.from_bytes(frame[3:5])
    if status == _NO_TAG:
        return [AckFrame("no_tag")]
    if status:
        return [ErrorFrame("device", "too hot, reading is throttled" if status == _TOO_HOT else "refused", status)]
    if code != _READ_MULTIPLE or length in _SHORT_RECORDS:
        return [AckFrame(_SHORT_RECORDS.get(length, "done") if code == _READ_MULTIPLE else f"{code:02X}")]
    return _tag(frame, tag_crc)


def _tag(frame: bytes, tag_crc: str) -> list[Frame]:
    """Places in the frame: 12 RSSI, 13 antenna, 24 bits of embedded data, and behind these 27 the EPC field."""
    embedded = (int.from_bytes(frame[24:26]) + 7) // 8
    start = 29 + embedded
    size = int.from_bytes(frame[27 + embedded : start]) // 8  # PC, EPC and CRC
    field = frame[start : start + size]
    if size < 4 or start + size > len(frame) - 2:
        return [ErrorFrame("format", "the tag record does not add up")]
    tag = TagFrame(
        epc_text(field[2:-2]), rssi_dbm=frame[12] - 256, antenna=frame[13] >> 4, pc=int.from_bytes(field[:2])
    )
    return checked(tag, field[:-2], field[-2:], tag_crc)
