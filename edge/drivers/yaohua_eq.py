"""Yaohua "=" formats (A26 and scoreboard outputs): no checksum, no end mark.

    format 1   = 000.210 0    seven characters, the least significant first, then 0 or -
    format 2   = 0 0003.00    0 or -, then seven characters, the most significant first
    format 3   = 0 0003.00 ; price

1 and 2 cannot be told apart by one frame: name the format. Without it, readings wait until frames that only one of the
two can mean have settled it.
"""

import re
from collections import Counter

from edge.drivers.frames import Decoder, ErrorFrame, ReadingFrame
from edge.drivers.number import decimal_text
from edge.drivers.params import Params
from edge.drivers.stream import UNFINISHED, Cut, StreamDecoder, find_byte, spoilt

_HEAD, _SEPARATOR = 0x3D, 0x3B
_WEIGHT = re.compile(rb" *\d*\.?\d*")
_ENOUGH = 2  # frames that speak for one format before it is believed


def decoder(params: Params) -> Decoder:
    frames = _Frames(params.choice("format", ("1", "2", "3", "auto"), "auto"), params.text("unit"))
    return StreamDecoder(find_byte(_HEAD), frames.cut, mask_bit7=params.flag("mask_bit7"))


class _Frames:
    def __init__(self, form: str, unit: str | None) -> None:
        self._form = form
        self._unit = unit
        self._votes: Counter[str] = Counter()

    def cut(self, held: bytearray, at: int) -> Cut | None:
        size = 10 if self._form == "3" else 9
        window = bytes(held[at : at + size])
        again = window.find(_HEAD, 1)
        if again > 0:
            return spoilt(again, "truncated", f"a new frame after {again} bytes")
        if len(window) < size:
            return UNFINISHED
        if self._form == "3" and window[9] != _SEPARATOR:
            return spoilt(size, "format", "no ; after the weight")
        form = self._settled(window) if self._form == "auto" else self._form
        if form is None:
            return Cut(size, (ErrorFrame("format", "could be format 1 or 2: set params.format"),))
        value = _value(window[1:9], form)
        if value is None:
            return spoilt(size, "format", f"no weight in format {form}: {window!r}")
        return Cut(size, (ReadingFrame(value, self._unit),))

    def _settled(self, window: bytes) -> str | None:
        possible = [form for form in ("1", "2") if _value(window[1:9], form) is not None]
        if len(possible) == 1:
            self._votes[possible[0]] += 1
            if self._votes[possible[0]] >= _ENOUGH:
                self._form = possible[0]
                return self._form
        return None if possible else "2"


def _value(field: bytes, form: str) -> str | None:
    sign, digits = (field[7:], field[6::-1]) if form == "1" else (field[:1], field[1:])
    if sign not in (b"0", b"-") or not _WEIGHT.fullmatch(digits):
        return None
    return decimal_text(("-" if sign == b"-" else "") + digits.decode().strip())
