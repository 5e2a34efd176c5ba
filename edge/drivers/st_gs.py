"""The `ST,GS,+0012.345  kg` lines of Weightech, Excell, KERN, Autoda and many more, and Weightech's WT1000 line.

The first word is about stability, the second about gross (GS), net (NT) or tare (TR): GS does not mean stable. OL
stands for over- and underload; the sign tells which, and the number may be blank. Two points in a number are catty and
tael: refused rather than guessed.
"""

import re
from collections.abc import Sequence

from edge.drivers.frames import Decoder, Frame, Mode, ReadingFrame, bad
from edge.drivers.lines import LineDecoder
from edge.drivers.number import decimal_text
from edge.drivers.params import Params

_LINE = re.compile(r"(ST|US|OL),(GS|NT|TR|G|N), *([+-]?) *([\d.]*) {0,12}([A-Za-z%.]{0,4}) *")
_HEAD = re.compile(rb"(?:ST|US|OL),")
_MODES: dict[str, Mode] = {"GS": "gross", "G": "gross", "NT": "net", "N": "net"}

_WT1000 = re.compile(r"([01]),([^,]{1,12}),([^,]{1,12}),([^,]{1,12})")
_WT1000_HEAD = re.compile(rb"[01],")


def st_gs_decoder(params: Params) -> Decoder:
    return LineDecoder(_parse_st_gs, head=_HEAD, mask_bit7=params.flag("mask_bit7"))


def _parse_st_gs(line: bytes) -> Sequence[Frame] | None:
    match = _LINE.fullmatch(line.decode("latin-1")) if line.isascii() else None
    if match is None:
        return None
    state, kind, sign, digits, unit = match.groups()
    point = "tare" if kind == "TR" else None
    if state == "OL":
        return [bad("underload" if sign == "-" else "overload", unit=unit or None, point=point)]
    value = decimal_text(sign + digits)
    if value is None:
        return None
    return [ReadingFrame(value, unit or None, stable=state == "ST", mode=_MODES.get(kind), point=point)]


def wt1000_decoder(params: Params) -> Decoder:
    """`flag,gross,tare,net` without a unit; flag 1 is unstable. Letters in place of the weight: out of range.

    What the display shows comes first: the net weight while a tare is active, with the gross weight as a second point.
    """
    unit = params.text("unit")

    def parse(line: bytes) -> Sequence[Frame] | None:
        match = _WT1000.fullmatch(line.decode("latin-1").rstrip()) if line.isascii() else None
        if match is None:
            return None
        if any(letter.isalpha() for letter in match[2]):
            return [bad("underload" if match[2].strip().startswith("-") else "overload", unit=unit)]
        gross, tare, net = decimal_text(match[2]), decimal_text(match[3]), decimal_text(match[4])
        if gross is None or tare is None or net is None:
            return None
        is_stable = match[1] == "0"
        if not tare.strip("0."):
            return [ReadingFrame(gross, unit, stable=is_stable, mode="gross")]
        return [
            ReadingFrame(net, unit, stable=is_stable, mode="net"),
            ReadingFrame(gross, unit, stable=is_stable, mode="gross", point="gross"),
        ]

    return LineDecoder(parse, head=_WT1000_HEAD, mask_bit7=params.flag("mask_bit7"))
