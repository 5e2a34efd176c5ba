"""Sartorius and Minebea, 16 characters with CR LF: sign, space, 8 of number, space, 3 of unit.

A blank unit means that the weight is not stable yet.
"""

import re
from collections.abc import Sequence

from edge.drivers.frames import Decoder, ErrorFrame, Frame, ReadingFrame, bad
from edge.drivers.lines import LineDecoder
from edge.drivers.number import decimal_text
from edge.drivers.params import Params

_WIDTH = 14
_LINE = re.compile(r"([+ -] .{8}) (.{3})")
_STATES = {"H": "overload", "HIGH": "overload", "L": "underload", "LOW": "underload", "C": "calibration"}
_FAULT = re.compile(r"Err\.? *(\d{1,4})")


def decoder(params: Params) -> Decoder:
    unit = params.text("unit")

    def parse(line: bytes) -> Sequence[Frame] | None:
        if len(line) != _WIDTH or not line.isascii():
            return None
        text = line.decode()
        if text.strip() in _STATES:
            return [bad(_STATES[text.strip()], unit=unit)]
        if (fault := _FAULT.search(text)) is not None:
            return [ErrorFrame("device", text.strip(), int(fault[1]))]
        match = _LINE.fullmatch(text)
        value = decimal_text(match[1]) if match else None
        if match is None or value is None:
            return None
        shown_unit = match[2].strip()
        return [ReadingFrame(value, shown_unit or unit, stable=bool(shown_unit))]

    return LineDecoder(parse, width=_WIDTH, mask_bit7=params.flag("mask_bit7"))
