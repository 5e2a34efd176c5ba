"""Chainway UHF readers (UR4 and serial modules).

    A5 5A (or C8 8C)  length(2, whole frame)  command  payload  XOR  0D 0A

A tag: PC, EPC, perhaps a TID of 12 bytes and user memory, RSSI in 0.1 dBm, antenna.
"""

import re

from edge.drivers.crc import xor_of
from edge.drivers.frames import AckFrame, Decoder, ErrorFrame, Frame, TagFrame
from edge.drivers.gen2 import epc_size, epc_text
from edge.drivers.params import Params
from edge.drivers.stream import NOISE, UNFINISHED, Cut, StreamDecoder, find_pattern, spoilt

_START, _SINGLE_ANSWER, _TAG, _STOP = 0x82, 0x81, 0x83, 0x8C
_SHORTEST, _LONGEST = 8, 2048
_TAIL = b"\r\n"
_TID_SIZE, _RSSI_AND_ANTENNA = 12, 3
_FIND = find_pattern(re.compile(rb"\xa5(?:\Z|\x5a)|\xc8(?:\Z|\x8c)"))


def decoder(params: Params) -> Decoder:
    del params  # the frame says all by itself
    return StreamDecoder(_FIND, _Answers().cut, poll_request=command(_START, b"\x00\x00"))


def command(code: int, payload: bytes = b"") -> bytes:
    body = (len(payload) + 8).to_bytes(2) + bytes((code,)) + payload
    return b"\xa5\x5a" + body + bytes((xor_of(body),)) + _TAIL


class _Answers:
    def __init__(self) -> None:
        self._is_streaming = False

    def cut(self, held: bytearray, at: int) -> Cut | None:
        if len(held) - at < 4:
            return UNFINISHED
        size = int.from_bytes(held[at + 2 : at + 4])
        if not _SHORTEST <= size <= _LONGEST:
            return NOISE
        if len(held) < at + size:
            return UNFINISHED
        frame = bytes(held[at : at + size])
        if not frame.endswith(_TAIL):
            is_torn = frame.find(frame[:2], 2) > 0
            return spoilt(size, "truncated" if is_torn else "format", "no CR LF where the length says")
        if xor_of(frame[2:-3]) != frame[-3]:
            return spoilt(size, "checksum")
        return Cut(size, self._read(frame[4], frame[5:-3]))

    def _read(self, code: int, payload: bytes) -> list[Frame]:
        if code in (_TAG, _SINGLE_ANSWER) and len(payload) > 2:
            self._is_streaming = True
            tag = _tag(payload)
            return [tag or ErrorFrame("format", "the tag does not add up")]
        if payload == b"\x00" and not (code == _TAG and self._is_streaming):
            return [ErrorFrame("device", f"command {code - 1:02X} is not supported", code - 1)]
        self._is_streaming |= code == _TAG  # from now on a bare 00 is a keep-alive of the stream
        return [AckFrame(f"{code:02X}", payload.hex())]


def _tag(payload: bytes) -> TagFrame | None:
    pc = int.from_bytes(payload[:2])
    end = 2 + epc_size(pc)
    rest = payload[end:]
    if len(payload) < end or (len(rest) not in (0, 2, _RSSI_AND_ANTENNA) and len(rest) < _TID_SIZE + _RSSI_AND_ANTENNA):
        return None
    tid = rest[:_TID_SIZE] if len(rest) >= _TID_SIZE + _RSSI_AND_ANTENNA else b""
    tail = rest[-_RSSI_AND_ANTENNA:]
    antenna = tail[2] if len(tail) == _RSSI_AND_ANTENNA else None
    return TagFrame(epc_text(payload[2:end]), epc_text(tid), _rssi_dbm(tail), antenna, pc)


def _rssi_dbm(tail: bytes) -> float | None:
    tenths = int.from_bytes(tail[:2], signed=True)
    return tenths / 10 if len(tail) >= 2 and -2000 < tenths < 0 else None
