"""Numbers of trade items and tags, checked once at the border."""

import re

from cloud.lots.errors import BadEpcError, BadGtinError

_GTIN_LENGTHS = (8, 12, 13, 14)
_EPC = re.compile(r"(?:[0-9a-f]{2}){8,62}")  # 64 bit is the shortest in use; 496 bit the longest of Gen2 tags


def gtin_14(text: str) -> str:
    """The 14-digit form. Raises BadGtinError."""
    if not (text.isascii() and text.isdigit()):
        raise BadGtinError(text, "it has signs other than digits")
    if len(text) not in _GTIN_LENGTHS:
        raise BadGtinError(text, f"it has {len(text)} digits, not 8, 12, 13 or 14")
    right = check_digit(text[:-1])
    if int(text[-1]) != right:
        raise BadGtinError(text, f"the check digit should be {right}")
    return text.zfill(14)


def check_digit(digits: str) -> int:
    """GS1 General Specifications 7.9: weights 3 and 1 from the right, up to the next ten."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return -total % 10


def epc_hex(text: str) -> str:
    """Lower-case hex, as sightings carry it. Raises BadEpcError."""
    epc = text.lower()
    if not _EPC.fullmatch(epc):
        raise BadEpcError(text)
    return epc
