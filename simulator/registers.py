"""Register maps of the instruments the plant plays, made from the makers' papers and not from our profiles.

The independence is the point: a profile that reads these rightly has been checked by another hand.
Invented models (controller, counter) are described in firmware-config/plants/README.md.
"""

from __future__ import annotations

import struct
from typing import NamedTuple, Protocol

from simulator.modbus import ILLEGAL_ADDRESS, READ_HOLDING, READ_INPUT, ReadRequest, Refusal

STATUS_COMPRESSOR, STATUS_DEFROST, STATUS_DOOR_OPEN, STATUS_ALARM, STATUS_PROBE_FAULT = 1, 2, 4, 8, 16
_STATUS_FLAGS = ("compressor", "defrost", "door_open", "alarm", "probe_fault")
PROBE_MISSING = 0x8000  # what these instruments show instead of a number when the probe is gone


class Block(NamedTuple):
    """What one read gives out: the words as bytes, and the points a right reader finds in them."""

    payload: bytes
    points: str  # space-separated point keys, empty when the read covers none
    values: str  # exact decimals in the same order, `-` for a fault code


class Registers(Protocol):
    frozen: bool

    def read(self, request: ReadRequest) -> Block: ...


class Cell(NamedTuple):
    """One register that carries a point."""

    function: int
    address: int
    point: str
    decimals: int
    signed: bool
    flags: tuple[str, ...] = ()  # bit 0 upwards; each is read as a point of its own, `status.defrost`


class MappedRegisters:
    """Registers that the plant sets and a reader reads. A read that touches an unmapped address is refused."""

    def __init__(self, cells: list[Cell], fixed: dict[tuple[int, int], int]) -> None:
        self.frozen = False
        self._cells = {cell.point: cell for cell in cells}
        self._points = {(cell.function, cell.address): _names(cell) for cell in cells}
        self._words = dict(fixed)
        self._texts: dict[str, str] = {}
        for cell in cells:
            self.set(cell.point, 0)

    @property
    def points(self) -> list[str]:
        return list(self._cells)

    def set(self, point: str, mantissa: int | None) -> None:
        """`mantissa` in units of the last decimal; None shows the fault code."""
        if self.frozen:
            return
        cell = self._cells[point]
        if mantissa is None:
            word, text = PROBE_MISSING, "-"
        else:
            low, high = (-0x7FFF, 0x7FFF) if cell.signed else (0, 0xFFFF)
            mantissa = min(max(mantissa, low), high)
            word, text = mantissa & 0xFFFF, decimal_text(mantissa, cell.decimals)
        self._words[cell.function, cell.address] = word
        self._texts[_names(cell)] = " ".join([text, *(str(word >> bit & 1) for bit in range(len(cell.flags)))])

    def read(self, request: ReadRequest) -> Block:
        function, address, count = request
        try:
            words = [self._words[function, at] for at in range(address, address + count)]
        except KeyError as error:
            raise Refusal(ILLEGAL_ADDRESS) from error
        covered = [name for at in range(address, address + count) if (name := self._points.get((function, at)))]
        return Block(
            struct.pack(f">{count}H", *words), " ".join(covered), " ".join(self._texts[name] for name in covered)
        )


def _names(cell: Cell) -> str:
    return " ".join([cell.point, *(f"{cell.point}.{flag}" for flag in cell.flags)])


def probe(unit_id: int) -> MappedRegisters:
    """XY-MD02: FC 04 0x0001 temperature s16 x0.1, 0x0002 humidity u16 x0.1; reading from 0x0000 is refused."""
    return MappedRegisters(
        [Cell(READ_INPUT, 0x0001, "temperature", 1, True), Cell(READ_INPUT, 0x0002, "humidity", 1, False)],
        {
            (READ_HOLDING, 0x0101): unit_id,
            (READ_HOLDING, 0x0102): 9600,
            (READ_HOLDING, 0x0103): 0,
            (READ_HOLDING, 0x0104): 0,
        },
    )


def controller(_unit_id: int) -> MappedRegisters:
    """The invented refrigeration controller: FC 03 0x0000, 0x0001 s16 x0.1, 0x0010 status bits."""
    return MappedRegisters(
        [
            Cell(READ_HOLDING, 0x0000, "room_temperature", 1, True),
            Cell(READ_HOLDING, 0x0001, "evaporator_temperature", 1, True),
            Cell(READ_HOLDING, 0x0010, "status", 0, False, _STATUS_FLAGS),
        ],
        {(READ_HOLDING, at): 0 for at in range(0x0002, 0x0010)},
    )


COUNTERS = 10


class CounterRegisters:
    """Ten input registers, each one more at every read by anyone: no reading is given out twice (until 65,535)."""

    def __init__(self, _unit_id: int = 0) -> None:
        self.frozen = False
        self._counts = [0] * COUNTERS
        self._names = {
            (a, n): " ".join(f"c{i}" for i in range(a, a + n))
            for a in range(COUNTERS)
            for n in range(1, COUNTERS + 1 - a)
        }
        self._pack = {n: struct.Struct(f">{n}H").pack for n in range(1, COUNTERS + 1)}

    def read(self, request: ReadRequest) -> Block:
        function, address, count = request
        if function != READ_INPUT or address + count > COUNTERS:
            raise Refusal(ILLEGAL_ADDRESS)
        counts = self._counts
        step = 0 if self.frozen else 1
        given = [(value + step) & 0xFFFF for value in counts[address : address + count]]
        counts[address : address + count] = given
        return Block(self._pack[count](*given), self._names[address, count], " ".join(map(str, given)))


def decimal_text(mantissa: int, decimals: int) -> str:
    """The exact decimal of `mantissa` with `decimals` places: (-4, 1) -> "-0.4"."""
    if decimals == 0:
        return str(mantissa)
    digits = str(abs(mantissa)).rjust(decimals + 1, "0")
    return f"{'-' if mantissa < 0 else ''}{digits[:-decimals]}.{digits[-decimals:]}"
