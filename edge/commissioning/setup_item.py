"""One setting of a device, as its profile allows it: read it, judge what is wanted, write it, read it back.

read now -> judge wanted -> CONSENT (not here) -> unlock -> write -> read back where it must now be found
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import NamedTuple

from edge.commissioning.asking import Asker, Outcome
from edge.commissioning.line import Line
from edge.drivers.modbus import (
    Request,
    read_request,
    write_coil_request,
    write_coils_request,
    write_register_request,
    write_registers_request,
)
from edge.lines.bus import LineSettings
from edge.profiles.blocks import width
from edge.profiles.profile_types import Point, Profile, SetupItem, Table, parse_type

_UNIT_ID_KEYS = ("address", "unit_id")
_SETTLE_S = 0.3
_WRITE_WAIT_S = 1.0  # an EEPROM takes its time


class BadWish(ValueError):
    """What is wanted cannot be: not offered, out of range, not a number."""


class Change(NamedTuple):
    """What is there and what is wanted, as raw values."""

    item: SetupItem
    now: int | None
    wanted: int

    @property
    def is_needed(self) -> bool:
        return self.now != self.wanted


@dataclass(frozen=True)
class Result:
    """How a write ended. `proof` says what was read back and where, or why nothing was."""

    is_proven: bool
    proof: str


def find_item(profile: Profile, key: str) -> SetupItem:
    """Raises BadWish."""
    for item in profile.setup:
        if item.key == key:
            return item
    known = ", ".join(item.key for item in profile.setup) or "none"
    raise BadWish(f"{profile.meta.id} has no setting {key!r}; its settings: {known}")


def wanted_value(item: SetupItem, text: str) -> int:
    """A number, or a name from the item's list. Raises BadWish."""
    for raw, label in item.map.items():
        if text == label:
            return raw
    try:
        value = int(text, 0)
    except ValueError:
        raise BadWish(f"{item.key}: {text!r} is neither a number nor one of {_choices(item)}") from None
    if item.map and value not in item.map:
        raise BadWish(f"{item.key}: {value} is not one of {_choices(item)}")
    low, high = _limits(item)
    if not low <= value <= high:
        raise BadWish(f"{item.key}: {value} is not between {low} and {high}")
    return value


def label(item: SetupItem, raw: int | None) -> str:
    if raw is None:
        return "unknown"
    return f"{item.map[raw]} ({raw})" if raw in item.map and item.map[raw] != str(raw) else str(raw)


async def read_item(asker: Asker, unit: int, item: SetupItem) -> int | None:
    """None when the device does not tell. Raises BusError."""
    outcome = await asker.ask(_read(unit, item))
    return None if outcome.payload is None else _raw(item, outcome.payload)


async def write_item(line: Line, asker: Asker, unit: int, change: Change) -> Result:
    """A person has consented. The line may write for exactly this long. Raises BusError."""
    item = change.item
    line.may_write = True
    try:
        if item.unlock is not None:
            unlock = await asker.ask(_unlock(unit, item), wait_s=_WRITE_WAIT_S)
            if unlock.payload is None:
                return Result(False, f"the device did not take the unlock value ({unlock.reason})")
        written = await asker.ask(_write(unit, item, change.wanted), wait_s=_WRITE_WAIT_S)
    finally:
        line.may_write = False
    if written.exception:
        return Result(False, f"the device refused ({written.reason})")
    return await _read_back(line, asker, unit, change, written)


async def _read_back(line: Line, asker: Asker, unit: int, change: Change, written: Outcome) -> Result:
    """Where the device must now be found: at its old place, or already at the new one."""
    item = change.item
    places = [(asker.settings, unit), _new_place(line, asker.settings, unit, change)]
    if item.effect == "reconnect":
        places.reverse()
        await asyncio.sleep(_SETTLE_S)
    for settings, at in [*dict.fromkeys(places)] * 2:  # some are deaf for a while after they moved
        found = await read_item(Asker(line, settings, wait_s=asker.wait_s), at, item)
        if found == change.wanted:
            where = f"unit {at}" + (f" at {settings}" if settings else "")
            later = "; it takes effect when the device is switched off and on" if item.effect == "power_cycle" else ""
            return Result(True, f"read back {label(item, found)} from {where}{later}")
        if found is not None:
            return Result(False, f"read back {label(item, found)} instead of {label(item, change.wanted)}")
    said = "it had confirmed the write" if written.payload is not None else "nor did it confirm the write"
    return Result(False, f"the device does not answer any more at its old or new place; {said}")


def _new_place(line: Line, settings: LineSettings | None, unit: int, change: Change) -> tuple[LineSettings | None, int]:
    item, text = change.item, change.item.map.get(change.wanted, str(change.wanted))
    here = settings or line.place.settings
    if item.key in _UNIT_ID_KEYS:
        return settings, change.wanted
    if item.key == "baud" and text.isdecimal():
        return LineSettings(int(text), here.format), unit
    if item.key == "parity" and text[:1].upper() in "NEO":
        return LineSettings(here.baud, f"{here.format[0]}{text[:1].upper()}{here.format[2]}"), unit
    return settings, unit


def _choices(item: SetupItem) -> str:
    low, high = _limits(item)
    return ", ".join(item.map.values()) if item.map else f"{low} to {high}"


def _limits(item: SetupItem) -> tuple[int, int]:
    """The narrower of what the profile says and what the type can hold."""
    if item.table.is_bits:
        return 0, 1
    kind = parse_type(item.type)
    bits = 8 * kind.size
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if kind.is_signed else (0, (1 << bits) - 1)
    return low if item.min is None else item.min, high if item.max is None else item.max


def _size(item: SetupItem) -> int:
    return width(Point(key=item.key, table=item.table, type=item.type))


def _read(unit: int, item: SetupItem) -> Request:
    return read_request(unit, item.table.read_function, item.address, _size(item))


def _raw(item: SetupItem, payload: bytes) -> int:
    if item.table.is_bits:
        return payload[0] & 1
    return int.from_bytes(payload[: 2 * _size(item)], signed=parse_type(item.type).is_signed)


def _write(unit: int, item: SetupItem, value: int) -> Request:
    size = _size(item)
    words = [(value >> 16 * place) & 0xFFFF for place in reversed(range(size))]
    match item.function:
        case 5:
            return write_coil_request(unit, item.address, on=bool(value))
        case 15:
            return write_coils_request(unit, item.address, [bool(value)])
        case 6:
            return write_register_request(unit, item.address, value)
        case _:
            return write_registers_request(unit, item.address, words)


def _unlock(unit: int, item: SetupItem) -> Request:
    assert item.unlock is not None
    if item.unlock.table is Table.COIL:
        return write_coil_request(unit, item.unlock.address, on=bool(item.unlock.value))
    if item.function == 16:
        return write_registers_request(unit, item.unlock.address, [item.unlock.value])
    return write_register_request(unit, item.unlock.address, item.unlock.value)
