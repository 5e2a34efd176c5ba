"""Physics of a serial line: how long characters and transactions take.

Figures after Modbus over Serial Line V1.02, 2.5.1.1: 3.5 characters of silence between frames, 1.75 ms above 19200 Bd.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from edge.profiles.blocks import ReadBlock

_FORMAT = re.compile(r"^([78])([NEO])([12])$")
REQUEST_CHARACTERS = 8
_ANSWER_OVERHEAD = 5  # unit, function, byte count, CRC


class Pace(NamedTuple):
    """Seconds per character, and of silence between frames."""

    character_s: float
    silence_s: float

    def transaction_s(self, answer_bytes: int) -> float:
        """What one read needs on the wire if the device answers at once."""
        return (REQUEST_CHARACTERS + answer_bytes) * self.character_s + 2 * self.silence_s


NO_PACE = Pace(0.0, 0.0)  # a network has no characters to wait for


def serial_pace(baud: int, serial_format: str) -> Pace:
    character_s = bits_per_character(serial_format) / baud
    return Pace(character_s, 3.5 * character_s if baud <= 19200 else 0.00175)


def bits_per_character(serial_format: str) -> int:
    """Start, data, parity and stop bits: 10 for 8N1, 11 for 8E1."""
    match = _FORMAT.match(serial_format)
    assert match is not None
    return 1 + int(match[1]) + (match[2] != "N") + int(match[3])


def cycle_s(pace: Pace, blocks: Iterable[ReadBlock], gap_s: float) -> float:
    """The least time in which a device can be read once: no device is faster than the wire."""
    return sum(pace.transaction_s(answer_bytes(block)) + max(0.0, gap_s - 2 * pace.silence_s) for block in blocks)


def answer_bytes(block: ReadBlock) -> int:
    return _ANSWER_OVERHEAD + ((block.size + 7) // 8 if block.table.is_bits else 2 * block.size)
