"""Ohaus lines (Defender, Ranger, Explorer): `     12.50 kg ? NET`; without the question mark the weight is stable."""

import re
from collections.abc import Sequence

from edge.drivers.frames import Decoder, Frame, Mode, ReadingFrame
from edge.drivers.lines import LineDecoder
from edge.drivers.number import decimal_text
from edge.drivers.params import Params

_LINE = re.compile(r" *([+-]?[\d.]{1,12}) +([A-Za-z%:]{1,5}) *(\?)?(?: *(NET|GROSS|N|G|B))? *")
# Behind unprintable noise, or behind a torn line, where the padding of the field shows where it begins.
_HEAD = re.compile(rb"(?<![\x20-\x7e])[ +-]|(?<=\S) {2,}(?=[+-]?\d)")
_MODES: dict[str | None, Mode] = {"NET": "net", "N": "net", "G": "gross", "B": "gross", "GROSS": "gross"}


def decoder(params: Params) -> Decoder:
    command = params.text("request_command") or "IP"
    return LineDecoder(
        _parse,
        head=_HEAD,
        mask_bit7=params.flag("mask_bit7"),
        poll_request=command.encode("ascii", "replace") + b"\r\n",
    )


def _parse(line: bytes) -> Sequence[Frame] | None:
    match = _LINE.fullmatch(line.decode("latin-1")) if line.isascii() else None
    value = decimal_text(match[1]) if match else None
    if match is None or value is None:
        return None
    return [ReadingFrame(value, match[2], stable=match[3] is None, mode=_MODES.get(match[4]))]
