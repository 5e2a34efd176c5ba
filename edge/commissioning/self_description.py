"""What a device says about itself: device identification (function 43/14) and server id (function 17), where it can."""

from __future__ import annotations

from typing import NamedTuple

from edge.commissioning.asking import Asker
from edge.drivers.crc import crc_modbus

_READ_IDENTIFICATION = bytes((0x2B, 0x0E, 0x01, 0x00))  # basic objects: vendor, product code, revision
_REPORT_SERVER_ID = bytes((0x11,))
_OBJECTS = ("vendor", "product", "revision")


class SelfDescription(NamedTuple):
    """Texts as the device gives them; all empty when it gives none."""

    vendor: str = ""
    product: str = ""
    revision: str = ""
    server_id: str = ""

    @property
    def text(self) -> str:
        return " ".join(part for part in self if part)


async def ask_who(asker: Asker, unit: int) -> SelfDescription:
    """Two harmless questions, most devices know neither. Raises BusError."""
    is_tcp = asker.line.place.is_tcp
    objects = identification(await asker.ask_raw(unit, _READ_IDENTIFICATION), unit, is_tcp=is_tcp)
    server = server_id(await asker.ask_raw(unit, _REPORT_SERVER_ID), unit, is_tcp=is_tcp)
    named = {name: objects.get(number, "") for number, name in enumerate(_OBJECTS)}
    return SelfDescription(**named, server_id=server)


def identification(raw: bytes, unit: int, *, is_tcp: bool) -> dict[int, str]:
    """Objects of an answer to 43/14 (Modbus application protocol V1.1b3, 6.21)."""
    frame = raw[raw.find(bytes((unit, 0x2B, 0x0E))) :] if bytes((unit, 0x2B, 0x0E)) in raw else b""
    if len(frame) < 8:
        return {}
    objects, at = {}, 8
    for _ in range(frame[7]):
        if at + 2 > len(frame):
            return {}
        size = frame[at + 1]
        objects[frame[at]] = _text(frame[at + 2 : at + 2 + size])
        at += 2 + size
    return objects if _is_sound(frame, at, is_tcp=is_tcp) else {}


def server_id(raw: bytes, unit: int, *, is_tcp: bool) -> str:
    """Printable part of an answer to 17 (ibid., 6.13); what the bytes mean is the maker's secret."""
    head = bytes((unit, 0x11))
    frame = raw[raw.find(head) :] if head in raw else b""
    if len(frame) < 3:
        return ""
    end = 3 + frame[2]
    return _text(frame[3:end]) if _is_sound(frame, end, is_tcp=is_tcp) else ""


def _is_sound(frame: bytes, end: int, *, is_tcp: bool) -> bool:
    if is_tcp:
        return len(frame) >= end
    return len(frame) >= end + 2 and crc_modbus(frame[: end + 2]) == 0


def _text(raw: bytes) -> str:
    return "".join(chr(byte) for byte in raw if 0x20 <= byte < 0x7F).strip()
