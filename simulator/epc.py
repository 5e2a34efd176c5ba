"""Tag contents for crates and pallets: GRAI-96 and SSCC-96 by the GS1 Tag Data Standard, demonstration prefix 952."""

from __future__ import annotations

COMPANY_PREFIX = 9521234  # seven digits: partition 5
_PARTITION, _COMPANY_BITS = 5, 24
_GRAI_HEADER, _SSCC_HEADER = 0x33, 0x31
_FILTER_REUSABLE, _FILTER_LOGISTIC = 0, 2


def grai_96(asset_type: int, serial: int) -> str:
    """Hex of a reusable asset's EPC: asset type of 5 digits (20 bits), serial of 38 bits (TDS 1.13, 14.6.4)."""
    value = _head(_GRAI_HEADER, _FILTER_REUSABLE)
    value = value << 20 | asset_type % 100_000
    value = value << 38 | serial % (1 << 38)
    return f"{value:024x}"


def sscc_96(serial: int) -> str:
    """Hex of a logistic unit's EPC: extension digit and reference of 10 digits (34 bits), 24 bits of zero (14.6.2)."""
    value = _head(_SSCC_HEADER, _FILTER_LOGISTIC)
    value = value << 34 | serial % 10_000_000_000
    return f"{value << 24:024x}"


def gtin_14(digits_13: str) -> str:
    """The 13 digits with their check digit (GS1 General Specifications 7.9)."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits_13)))
    return f"{digits_13}{-total % 10}"


def _head(header: int, filter_value: int) -> int:
    return ((header << 3 | filter_value) << 3 | _PARTITION) << _COMPANY_BITS | COMPANY_PREFIX
