"""CAS indicators (CI and NT series): the 22-byte frame, the 10-byte short one and the 18-byte AND one.

    22 bytes  ST,GS,<id><lamp>,<data 8> <unit 2> CR LF

Device id and lamp are raw bytes, the lamp always with bit 7 set: the frame is not text and goes by its length.
"""

import re
from collections.abc import Sequence

from edge.drivers.frames import Decoder, ErrorFrame, Frame, Mode, ReadingFrame, bad
from edge.drivers.lines import LineDecoder
from edge.drivers.number import decimal_text
from edge.drivers.params import Params
from edge.drivers.stream import NOISE, UNFINISHED, Cut, StreamDecoder, find_pattern, spoilt

_SIZE = 22
_FIND = find_pattern(re.compile(rb"U(?:S|\Z)|S(?:T|\Z)|O(?:L|\Z)"))
_FIXED = {2: b",", 3: b"GN", 4: b"ST", 5: b",", 8: b",", 20: b"\r", 21: b"\n"}
_MODES: dict[bytes, Mode] = {b"GS": "gross", b"NT": "net"}
_LAMP_STABLE = 0x40

_AND18 = re.compile(r"(ST|US|OL),(GS|NT),(.{8})(.{2})")
_AND18_HEAD = re.compile(rb"(?:ST|US|OL),(?:GS|NT),")
_SHORT_WIDTH = 8


def cas_22_decoder(params: Params) -> Decoder:
    del params  # the frame says all by itself
    return StreamDecoder(_FIND, _cut_22)


def _cut_22(held: bytearray, at: int) -> Cut | None:
    window = bytes(held[at : at + _SIZE])
    for place, allowed in _FIXED.items():
        if place < len(window) and window[place] not in allowed:
            return spoilt(place, "format", f"byte {place + 1} does not fit") if place > 5 else NOISE
    if len(window) < _SIZE:
        return UNFINISHED
    if window[3:5] not in _MODES:
        return NOISE
    frames = _weight(
        window[:2].decode(),
        _MODES[window[3:5]],
        window[9:17].decode("latin-1"),
        window[18:20].decode("latin-1").strip(),
        is_lamp_stable=bool(window[7] & _LAMP_STABLE),
    )
    return Cut(_SIZE, frames) if frames else spoilt(_SIZE, "format", f"no weight: {window[9:17]!r}")


def and18_decoder(params: Params) -> Decoder:
    def parse(line: bytes) -> Sequence[Frame] | None:
        match = _AND18.fullmatch(line.decode("latin-1")) if line.isascii() else None
        if match is None:
            return None
        return _weight(match[1], _MODES[match[2].encode()], match[3], match[4].strip(), is_lamp_stable=True)

    return LineDecoder(parse, head=_AND18_HEAD, mask_bit7=params.flag("mask_bit7"))


def cas_10_decoder(params: Params) -> Decoder:
    """Eight characters and no status at all: nothing is known of stability, mode or unit."""
    lines = _ShortLines(params.text("unit"))
    return LineDecoder(lines.parse, width=_SHORT_WIDTH, mask_bit7=params.flag("mask_bit7"))


class _ShortLines:
    """A torn line in front of a good one is dropped; lines that are always longer are another format, not weights."""

    def __init__(self, unit: str | None) -> None:
        self._unit = unit
        self._is_torn = False

    def parse(self, line: bytes) -> Sequence[Frame] | None:
        if not line.isascii():
            return None
        if len(line) != _SHORT_WIDTH:
            was_torn, self._is_torn = self._is_torn, True
            is_another_format = was_torn or len(line) >= 2 * _SHORT_WIDTH
            return [ErrorFrame("format", f"{len(line)} characters, not 8")] if is_another_format else None
        shown = line.decode()
        if (reason := _out_of_range(shown)) is not None:
            return [bad(reason, unit=self._unit)]
        value = decimal_text(shown)
        return None if value is None else [ReadingFrame(value, self._unit)]


def _weight(header: str, mode: Mode, shown: str, unit: str, *, is_lamp_stable: bool) -> list[Frame] | None:
    """Stable only if header and lamp both say so: they can disagree for one frame."""
    if header == "OL":
        return [bad(_out_of_range(shown) or ("underload" if "-" in shown else "overload"), unit=unit or None)]
    if (reason := _out_of_range(shown)) is not None:
        return [bad(reason, unit=unit or None)]
    value = decimal_text(shown)
    if value is None or not unit.isascii():
        return None
    return [ReadingFrame(value, unit or None, stable=header == "ST" and is_lamp_stable, mode=mode)]


def _out_of_range(shown: str) -> str | None:
    """The patterns that the display shows in place of a weight."""
    return "overload" if "^" in shown else "underload" if "_" in shown else None
