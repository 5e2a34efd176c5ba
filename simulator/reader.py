"""A UHF reader of the M100/R200 family: command frames in, notices of the tags in its field out; no I/O.

Frames: BB, type, command, length (2), parameters, sum of type..parameters, 7E. A notice of command 22 carries RSSI, PC,
EPC and the tag's own CRC-16/GENIBUS over PC and EPC. One antenna: the frame has no field for a second.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import NamedTuple

_HEAD, _END = 0xBB, 0x7E
_COMMAND, _ANSWER, _NOTICE = 0x00, 0x01, 0x02
_ERROR = 0xFF
_NO_TAG, _BAD_COMMAND = 0x15, 0x17
_ROUND_S = 0.04  # one inventory round
_EMPTY_ROUND_EVERY_S = 0.5  # how often a multi-inventory says that it found nothing
_MAX_HELD = 512
_POWER_CDBM = 2600
_REGION_OTHER = 0x02  # a fixed answer: the plant has no radio


class ReaderFrame(NamedTuple):
    """One frame to send; `epc` is the tag a right reader finds in it."""

    content: bytes
    epc: str | None = None


@dataclass(slots=True)
class TagPass:
    """A tag that crosses the field between two moments; strongest in the middle."""

    epc: str
    from_s: float
    until_s: float

    def rssi_dbm(self, now_s: float) -> float:
        middle, half = (self.from_s + self.until_s) / 2, (self.until_s - self.from_s) / 2
        return -42 - 26 * min(abs(now_s - middle) / half, 1.0)


class Reader:
    """The instrument. `receive` gives answers, `poll` the notices of the rounds since the last call."""

    def __init__(self, chance: random.Random, read_share: float) -> None:
        self._chance, self._read_share = chance, read_share
        self._held = bytearray()
        self._passes: list[TagPass] = []
        self._rounds_left = 0
        self._next_round_s = 0.0
        self._next_empty_s = 0.0

    @property
    def is_reading(self) -> bool:
        return self._rounds_left > 0

    def expect(self, tag_pass: TagPass) -> None:
        self._passes.append(tag_pass)

    def receive(self, chunk: bytes, now_s: float) -> list[ReaderFrame]:
        self._held += chunk
        frames = []
        while (command := self._next_command()) is not None:
            frames += self._execute(*command, now_s)
        if len(self._held) > _MAX_HELD:
            self._held.clear()
        return frames

    def poll(self, now_s: float) -> list[ReaderFrame]:
        frames = []
        while self._rounds_left and self._next_round_s <= now_s:
            at = self._next_round_s
            self._rounds_left -= 1
            self._next_round_s = max(at + _ROUND_S, now_s - 1.0)  # a plant that was held up does not catch up
            found = self._round(at)
            if found:
                self._next_empty_s = at + _EMPTY_ROUND_EVERY_S
            elif at >= self._next_empty_s:
                self._next_empty_s = at + _EMPTY_ROUND_EVERY_S
                found = [_error(_NO_TAG)]
            frames += found
        return frames

    def _next_command(self) -> tuple[int, bytes] | None:
        while self._held:
            begin = self._held.find(_HEAD)
            if begin < 0:
                self._held.clear()
                return None
            del self._held[:begin]
            if len(self._held) < 7:
                return None
            length = int.from_bytes(self._held[3:5])
            whole = 7 + length
            if self._held[1] != _COMMAND or length > _MAX_HELD:
                del self._held[0]
                continue
            if len(self._held) < whole:
                return None
            body, check, end = self._held[1 : whole - 2], self._held[whole - 2], self._held[whole - 1]
            if end != _END or sum(body) & 0xFF != check:
                del self._held[0]
                continue
            del self._held[:whole]
            return body[1], bytes(body[4:])
        return None

    def _execute(self, command: int, parameters: bytes, now_s: float) -> list[ReaderFrame]:
        match command:
            case 0x22:
                return self._round(now_s) or [_error(_NO_TAG)]
            case 0x27 if len(parameters) == 3 and parameters[0] == 0x22:
                self._rounds_left = int.from_bytes(parameters[1:])
                self._next_round_s = self._next_empty_s = now_s
                return []
            case 0x28:
                self._rounds_left = 0
                return [_answer(0x28, b"\0")]
            case 0x03 if parameters[:1] in (b"\0", b"\1", b"\2"):
                text = (b"M100 26dBm V1.0", b"V2.3.5", b"MagicRF")[parameters[0]]
                return [_answer(0x03, parameters[:1] + text)]
            case 0xB7:
                return [_answer(0xB7, _POWER_CDBM.to_bytes(2))]
            case 0x08:
                return [_answer(0x08, bytes((_REGION_OTHER,)))]
            case 0xB6 | 0x07:
                return [_answer(command, b"\0")]
            case _:
                return [_error(_BAD_COMMAND)]

    def _round(self, now_s: float) -> list[ReaderFrame]:
        self._passes = [one for one in self._passes if one.until_s > now_s]
        return [
            notice(one.epc, round(one.rssi_dbm(now_s)))
            for one in self._passes
            if one.from_s <= now_s and self._chance.random() < self._read_share
        ]


def notice(epc: str, rssi_dbm: int) -> ReaderFrame:
    tag = bytes.fromhex(epc)
    pc_and_epc = (len(tag) // 2 << 11).to_bytes(2) + tag
    parameters = (rssi_dbm & 0xFF).to_bytes(1) + pc_and_epc + crc_genibus(pc_and_epc)
    return ReaderFrame(_frame(_NOTICE, 0x22, parameters), epc)


def crc_genibus(content: bytes) -> bytes:
    """CRC-16/GENIBUS: polynomial 0x1021, start 0xFFFF, inverted at the end, high byte first (EPC Gen2, annex F)."""
    value = 0xFFFF
    for byte in content:
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1 ^ 0x1021 if value & 0x8000 else value << 1) & 0xFFFF
    return (value ^ 0xFFFF).to_bytes(2)


def _answer(command: int, parameters: bytes) -> ReaderFrame:
    return ReaderFrame(_frame(_ANSWER, command, parameters))


def _error(code: int) -> ReaderFrame:
    return ReaderFrame(_frame(_ANSWER, _ERROR, bytes((code,))))


def _frame(kind: int, command: int, parameters: bytes) -> bytes:
    body = bytes((kind, command)) + len(parameters).to_bytes(2) + parameters
    return bytes((_HEAD,)) + body + bytes((sum(body) & 0xFF, _END))
