"""UHFReader18 and UHFReader288 (Chafon, Wyuan and others): one frame, two layouts of what is in it.

    Len Adr Cmd Status data CRC(2, low byte first)        Len does not count itself

    18   data = Num, then per tag  Len EPC
    288  data = Antenna, Num, then per tag  Len EPC RSSI;   pushed frames (Cmd EE): Antenna Len EPC RSSI, no Num

RSSI is the reader's own scale and never shown as dBm. EPCs of 4 bytes are legal here. An inventory answer may come in
several frames.
"""

import re
from collections.abc import Callable
from functools import partial

from edge.drivers.crc import crc_mcrf4xx
from edge.drivers.frames import AckFrame, Decoder, ErrorFrame, Frame, TagFrame
from edge.drivers.gen2 import epc_text
from edge.drivers.params import Params
from edge.drivers.stream import NOISE, UNFINISHED, Cut, StreamDecoder, find_pattern, spoilt

_INVENTORY, _SINGLE_TAG, _PUSH = 0x01, 0x0F, 0xEE
_BROADCAST = 0xFF
_TAG_STATUSES = (0x01, 0x02, 0x03, 0x04)  # finished, time-out, more follow, memory full
_NO_TAG, _STATISTICS, _HEARTBEAT = 0xFB, 0x26, 0x28
_STATUS_NAMES = {
    0xF8: "antenna fault",
    0xF9: "access failed",
    0xFA: "tag gives no answer to access",
    0xFD: "wrong command length",
    0xFE: "unknown command",
    0xFF: "parameter error",
}
_FAST_ID, _PHASE, _LENGTH = 0x80, 0x40, 0x3F  # bits of a tag's Len on the 288
_TID_SIZE = 12

# A frame has no mark: Len, any address, a command that exists (an unknown command is answered as 00).
_COMMANDS = rb"[\x00-\x10\x18\x1b\x21\x22\x24\x25\x28\x2b\x2f\x33\x35\x40\x46\x47\x50\x51\x72\x76\xee]"
_FIND = find_pattern(re.compile(rb"(?s)[\x05-\xff](?:\Z|.(?:\Z|" + _COMMANDS + rb"))"))

# Only tags and memory make long answers; a shorter limit for the rest lets noise look like a frame less often.
_LONGEST = {0x00: 6, _INVENTORY: 256, 0x02: 256, _SINGLE_TAG: 256, _PUSH: 80}
_LONGEST_OTHER = 40

ParseTags = Callable[[bytes], list[Frame] | None]  # None: does not add up


def reader18_decoder(params: Params) -> Decoder:
    return _decoder(params, _tags_18, {}, b"")


def reader288_decoder(params: Params) -> Decoder:
    is_indexed = params.whole("antenna_ports", 1, 64, 4) > 8
    antenna = _antenna_by_index if is_indexed else _antenna_by_mask
    q_and_session = b"\x04\x00"
    return _decoder(params, partial(_tags_288, antenna), {_PUSH: partial(_pushed_tag, antenna)}, q_and_session)


def _decoder(params: Params, tags: ParseTags, pushed: dict[int, ParseTags], inventory: bytes) -> Decoder:
    address = params.whole("address", 0, 0xFF, 0)
    command = params.text("request_command") or "01"
    answers = _Answers({_INVENTORY: tags, _SINGLE_TAG: tags} | pushed)
    body = (
        bytes((4 + len(inventory), address, int(command, 16) & 0xFF if command.isalnum() else _INVENTORY)) + inventory
    )
    return StreamDecoder(
        _FIND,
        answers.cut,
        poll_request=body + crc_mcrf4xx(body).to_bytes(2, "little"),
        on_request=answers.expect,
        is_marked=False,
    )


class _Answers:
    def __init__(self, tags: dict[int, ParseTags]) -> None:
        self._tags = tags
        self._address = _BROADCAST  # asked last

    def expect(self, request: bytes) -> None:
        self._address = request[1] if len(request) >= 5 else _BROADCAST

    def cut(self, held: bytearray, at: int) -> Cut | None:
        if len(held) - at < 3:
            return UNFINISHED
        size, command = held[at] + 1, held[at + 2]
        if size > _LONGEST.get(command, _LONGEST_OTHER):
            return NOISE
        if len(held) < at + size:
            return UNFINISHED
        frame = bytes(held[at : at + size])
        if crc_mcrf4xx(frame):
            return spoilt(size, "checksum")
        frames = self._read(frame[1], frame[2], frame[3], frame[4:-2])
        return Cut(size, frames)

    def _read(self, address: int, command: int, status: int, fields: bytes) -> list[Frame]:
        if self._address not in (_BROADCAST, address) and command != _PUSH:
            return [ErrorFrame("wrong_unit", f"address {address:02X} answers")]
        parse = self._tags.get(command)
        if parse is not None and status in (_TAG_STATUSES if command != _PUSH else (0,)):
            tags = parse(fields)
            return [ErrorFrame("format", "tags do not add up")] if tags is None else tags or [AckFrame("no_tag")]
        if status == _NO_TAG:
            return [AckFrame("no_tag")]
        if status in (0, _STATISTICS) or (command == _PUSH and status == _HEARTBEAT):
            return [AckFrame(f"{command:02X}", fields.hex())]
        return [ErrorFrame("device", _STATUS_NAMES.get(status, "status not known"), status)]


def _tags_18(fields: bytes) -> list[Frame] | None:
    if not fields:
        return []
    tags: list[Frame] = []
    at = 1
    for _ in range(fields[0]):
        end = at + 1 + fields[at] if at < len(fields) else len(fields) + 1
        if end > len(fields):
            return None
        tags.append(TagFrame(epc=epc_text(fields[at + 1 : end])))
        at = end
    return tags if at == len(fields) else None


def _tags_288(antenna: Callable[[int], int | None], fields: bytes) -> list[Frame] | None:
    if not fields:
        return []
    tags: list[Frame] = []
    at = 2
    for _ in range(fields[1] if len(fields) > 1 else 1):
        if (found := _tag_288(fields, at, antenna(fields[0]))) is None:
            return None
        tag, at = found
        tags.append(tag)
    return tags if at == len(fields) else None


def _pushed_tag(antenna: Callable[[int], int | None], fields: bytes) -> list[Frame] | None:
    found = _tag_288(fields, 1, antenna(fields[0])) if fields else None
    return [found[0]] if found and found[1] == len(fields) else None


def _tag_288(fields: bytes, at: int, antenna: int | None) -> tuple[TagFrame, int] | None:
    """One tag and where it ends; None if the bytes do not suffice."""
    if at >= len(fields):
        return None
    length = fields[at] & _LENGTH
    rssi_at = at + 1 + length
    end = rssi_at + 1 + (7 if fields[at] & _PHASE else 0)
    if end > len(fields):
        return None
    identity = fields[at + 1 : rssi_at]
    has_tid = bool(fields[at] & _FAST_ID) and length >= _TID_SIZE
    epc, tid = (identity[:-_TID_SIZE], identity[-_TID_SIZE:]) if has_tid else (identity, b"")
    return TagFrame(epc_text(epc), epc_text(tid), antenna=antenna, rssi_raw=fields[rssi_at]), end


def _antenna_by_mask(field: int) -> int | None:
    """Up to 8 ports: one bit per port. Several at once name none."""
    return field.bit_length() if field.bit_count() == 1 else None


def _antenna_by_index(field: int) -> int:
    """12 and 16 ports: counted from 0."""
    return field + 1
