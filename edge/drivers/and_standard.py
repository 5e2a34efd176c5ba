"""A&D standard format: `ST,+00045.60 kg`, 15 characters.

ST stable, US unstable, QT stable while counting, OL out of range. With OL the digits are filler: only the sign means
something, over or under. A comparator puts its own header in between (`ST,OK,...`).
"""

import re
from collections.abc import Sequence

from edge.drivers.frames import Decoder, Frame, ReadingFrame, bad
from edge.drivers.lines import LineDecoder
from edge.drivers.number import decimal_text
from edge.drivers.params import Params

_LINE = re.compile(r"(ST|US|QT|OL),(?:(?:LO|OK|HI|--),)?([+-])(.{8})(.{3})")
_HEAD = re.compile(rb"(?:ST|US|QT|OL),")


def decoder(params: Params) -> Decoder:
    return LineDecoder(_parse, head=_HEAD, mask_bit7=params.flag("mask_bit7"))


def _parse(line: bytes) -> Sequence[Frame] | None:
    match = _LINE.fullmatch(line.decode("latin-1")) if line.isascii() else None
    if match is None:
        return None
    header, sign, digits, unit = match[1], match[2], match[3], match[4].strip()
    if header == "OL":
        return [bad("underload" if sign == "-" else "overload")]
    value = decimal_text(sign + digits)
    if value is None:
        return None
    return [ReadingFrame(value, unit or None, stable=header != "US")]
