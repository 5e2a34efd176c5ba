"""One register read in every type and word order: what it would say as each, and which looks like a measurement.

An installer compares with the display of the device, or tells it with `expected`.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

_COLDEST, _HOTTEST = -60, 120  # what a cold store, a scalding tank or a compressor may have, in degrees Celsius
_NEAR = 0.02  # of what the display says, or half a unit


class Interpretation(NamedTuple):
    """`likeness`: 0 nothing speaks for it; the highest of all is marked."""

    type: str
    word_order: str  # big, little, or "" for one register
    scale: str
    value: str
    likeness: float


def interpretations(words: Sequence[int], expected: float | None = None) -> list[Interpretation]:
    """From the shortest type to the longest. `words` are the registers from the address on, four if they can be had."""
    return [
        Interpretation(kind, order, scale, value, _likeness(kind, scale, value, words, expected))
        for kind, order, scale, value in _readings(words)
    ]


def best(found: Sequence[Interpretation]) -> Interpretation | None:
    """The plausible one; None when nothing is."""
    top = max(found, key=lambda one: one.likeness, default=None)
    return top if top is not None and top.likeness > 0 else None


def _readings(words: Sequence[int]) -> Iterator[tuple[str, str, str, str]]:
    raw = words[0].to_bytes(2)
    yield "hex", "", "1", raw.hex()
    yield "bits", "", "1", f"{words[0]:016b}"
    for letter, kind in (("H", "u16"), ("h", "s16")):
        (value,) = struct.unpack(f">{letter}", raw)
        yield from _scaled(kind, "", value)
    if (digits := raw.hex()).isdecimal():
        yield "bcd16", "", "1", str(int(digits))
    for count, kinds in ((2, (("I", "u32"), ("i", "s32"), ("f", "f32"))), (4, (("q", "s64"), ("d", "f64")))):
        if len(words) < count:
            continue
        for order, some in (("big", words[:count]), ("little", words[count - 1 :: -1])):
            long = b"".join(word.to_bytes(2) for word in some)
            for letter, kind in kinds:
                (value,) = struct.unpack(f">{letter}", long)
                if letter in "fd":
                    yield kind, order, "1", _short(value)
                else:
                    yield from _scaled(kind, order, value)
    text = b"".join(word.to_bytes(2) for word in words)
    if all(0x20 <= byte < 0x7F for byte in text):
        yield f"ascii({len(text)})", "", "1", text.decode("ascii")


def _scaled(kind: str, order: str, value: int) -> Iterator[tuple[str, str, str, str]]:
    for scale in ("1", "0.1", "0.01") if kind in ("u16", "s16", "s32") else ("1",):
        yield kind, order, scale, f"{value * Decimal(scale):f}"


def _short(value: float) -> str:
    return f"{value:.7g}"


def _likeness(kind: str, scale: str, value: str, words: Sequence[int], expected: float | None) -> float:
    """With a display to compare with, nearness; without, how much like a temperature it looks."""
    if kind in ("hex", "bits") or kind.startswith("ascii"):
        return 0.0
    number = float(value)
    if not math.isfinite(number):
        return 0.0
    if expected is not None:
        error = abs(number - expected)
        return _simplicity(kind, scale) / (1 + error) if error <= max(0.5, _NEAR * abs(expected)) else 0.0
    if not _COLDEST <= number <= _HOTTEST or number == 0:
        return 0.0
    if kind in ("f32", "f64"):
        return 6.0 if abs(number) >= 0.1 else 0.0  # hardly by chance: most bit patterns are huge or tiny
    if kind in ("u32", "s32", "s64") and words[0] in (0, 0xFFFF):
        return 0.5  # a short value beside an empty register looks the same
    return {"0.1": 4.0, "0.01": 2.0, "1": 1.0}[scale] * _simplicity(kind, scale)


def _simplicity(kind: str, scale: str) -> float:
    """Of two readings that say the same, the plainer one; a temperature has a sign."""
    return {"s16": 1.0, "u16": 0.9, "f32": 1.0, "s32": 0.8, "u32": 0.7}.get(kind, 0.5) * (
        1.0 if scale != "0.01" else 0.9
    )
