"""Modbus as an instrument speaks it; written from the specification, apart from the edge's code."""

from __future__ import annotations

import struct
from typing import NamedTuple

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3
READ_HOLDING, READ_INPUT = 3, 4
_MAX_REGISTERS = 125  # Modbus Application Protocol V1.1b3, 6.3 and 6.4


class Refusal(Exception):
    """The protocol's exception answer; not an error of ours."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(f"exception {code}")


class ReadRequest(NamedTuple):
    function: int
    address: int
    length: int  # registers


def parse_read(pdu: bytes) -> ReadRequest:
    """The read that `pdu` asks for. Raises Refusal for whatever a read-only instrument turns down."""
    if len(pdu) != 5 or pdu[0] not in (READ_HOLDING, READ_INPUT):
        raise Refusal(ILLEGAL_FUNCTION)
    function, address, count = struct.unpack(">BHH", pdu)
    if not 1 <= count <= _MAX_REGISTERS:
        raise Refusal(ILLEGAL_VALUE)
    if address + count > 0x10000:
        raise Refusal(ILLEGAL_ADDRESS)
    return ReadRequest(function, address, count)


def exception_pdu(function: int, code: int) -> bytes:
    return bytes((function | 0x80, code))


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
        table.append(value)
    return tuple(table)


_CRC = _crc_table()


def crc16(content: bytes | bytearray) -> bytes:
    """CRC-16/MODBUS, low byte first as it stands on the wire (Modbus over Serial Line V1.02, 2.5.1.2)."""
    value = 0xFFFF
    for byte in content:
        value = value >> 8 ^ _CRC[(value ^ byte) & 0xFF]
    return value.to_bytes(2, "little")


def rtu_frame(unit_id: int, pdu: bytes) -> bytes:
    body = bytes((unit_id,)) + pdu
    return body + crc16(body)


class RtuRequests:
    """Finds requests in a stream of bytes; after noise it looks on byte by byte, as a listening instrument must."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, chunk: bytes) -> list[tuple[int, bytes]]:
        """(unit id, PDU) of each sound request."""
        self._held += chunk
        found = []
        while len(self._held) >= 2:
            length = _request_length(self._held)
            if length is None or (len(self._held) >= length and not _is_sound(self._held[:length])):
                del self._held[0]
                continue
            if len(self._held) < length:
                break
            found.append((self._held[0], bytes(self._held[1 : length - 2])))
            del self._held[:length]
        return found

    def forget(self) -> None:
        """Silence on the line ends whatever was begun."""
        self._held.clear()


def _is_sound(frame: bytearray) -> bool:
    return crc16(frame[:-2]) == frame[-2:]


def _request_length(held: bytearray) -> int | None:
    """Bytes of the request that seems to begin here; None when no request begins so."""
    function = held[1]
    if function in (1, 2, 3, 4, 5, 6):
        return 8
    if function in (15, 16):
        return 9 + held[6] if len(held) > 6 else 9
    return None
