"""Exact arithmetic on raw values: scaled integers stay integers, floats are taken by their shortest decimal."""

from __future__ import annotations

import struct
from decimal import Decimal
from fractions import Fraction

_MAX_DECIMALS = 9  # what an exact value may take; the wire carries 12
_ROUNDED_DECIMALS = 6  # for scales that no decimal can express, such as 1/3
_F32 = struct.Struct(">f")


class Scaling:
    """raw * scale + offset as whole numbers at `decimals` places, where that is possible without rounding."""

    def __init__(self, scale: str, offset: str) -> None:
        self._scale, self._offset = Fraction(scale), Fraction(offset)
        exact = max(places(self._scale), places(self._offset))
        self.is_exact = exact <= _MAX_DECIMALS
        self.decimals = exact if self.is_exact else _ROUNDED_DECIMALS
        self.factor = int(self._scale * 10**self.decimals)
        self.offset = int(self._offset * 10**self.decimals)

    def apply(self, raw: float, size: int, resolution: Fraction | None) -> tuple[Fraction, int]:
        """The exact value and how many decimals to give it."""
        if isinstance(raw, int):
            return raw * self._scale + self._offset, self.decimals
        number = Decimal(_shortest(raw, size))
        value = Fraction(number) * self._scale + self._offset
        if resolution is not None:
            return round(value / resolution) * resolution, places(resolution)
        return value, min(places(value), _MAX_DECIMALS)


def places(number: Fraction) -> int:
    """Decimals needed to write it exactly; 99 when no number of them would do (1/3)."""
    denominator, twos, fives = number.denominator, 0, 0
    while denominator % 2 == 0:
        denominator, twos = denominator // 2, twos + 1
    while denominator % 5 == 0:
        denominator, fives = denominator // 5, fives + 1
    return max(twos, fives) if denominator == 1 else 99


def _shortest(number: float, size: int) -> str:
    """The shortest decimal that means this float; 21.6 as f32 is "21.6", not 21.600000381469727."""
    if size == 8:
        return repr(number)
    for digits in range(6, 9):
        text = f"{number:.{digits}g}"
        try:
            if _F32.unpack(_F32.pack(float(text)))[0] == number:
                return text
        except OverflowError:  # rounded up beyond the largest f32
            continue
    return f"{number:.9g}"
