"""Weights as exact numbers, whatever unit the scale shows them in."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from edge.profiles.scaling import places

# Pound and ounce after the international yard and pound agreement of 1959; the pound is 0.45359237 kg exactly.
_KILOGRAMS = {
    "kg": Fraction(1),
    "g": Fraction(1, 1000),
    "mg": Fraction(1, 1_000_000),
    "t": Fraction(1000),
    "lb": Fraction("0.45359237"),
    "oz": Fraction("0.45359237") / 16,
}
_MAX_DECIMALS = 9


class Weight(NamedTuple):
    mantissa: int
    decimals: int


def weight_in(value: str, shown: str | None, wanted: str) -> Weight | None:
    """`value` with its unit as `shown`, in the unit `wanted`; no unit shown means the wanted one. None: not a mass."""
    if shown is None or shown == wanted:
        factor = Fraction(1)
    elif shown.lower() in _KILOGRAMS and wanted in _KILOGRAMS:
        factor = _KILOGRAMS[shown.lower()] / _KILOGRAMS[wanted]
    else:
        return None
    digits = len(value.partition(".")[2])
    decimals = digits + places(factor) if factor.denominator > 1 else max(0, digits - _zeros(factor))
    decimals = min(decimals, _MAX_DECIMALS)
    return Weight(round(Fraction(value) * factor * 10**decimals), decimals)


def _zeros(factor: Fraction) -> int:
    """Decimals that a value gives up when it is multiplied by a power of ten."""
    return len(str(factor.numerator)) - 1
