"""Yaohua text lines: A12E with a checksum, and the w-line of A12 and its lookalikes without one.

A12E    WG000.500kg37    G gross, N net; XOR of the first 11 characters as two hex digits
w-line  ww0012.50kg      ww gross, wn net, wt tare; nothing protects it, so its shape is taken to the letter
"""

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from edge.drivers.crc import xor_of
from edge.drivers.errors import BadParameter
from edge.drivers.frames import Decoder, ErrorFrame, Frame, Mode, ReadingFrame, bad
from edge.drivers.lines import LineDecoder
from edge.drivers.number import decimal_text
from edge.drivers.params import Params

_A12E_WIDTH, _W_LINE_WIDTH = 13, 11
_A12E = re.compile(rb"W([GN])([-0-9 .]{7})([a-z]{2})", re.ASCII)
_A12E_OUT = {b" " * 9 + b"OL": "overload", b" " * 9 + b"LO": "underload"}
_W_LINE = re.compile(rb"w([wnt])([-0-9 .]{7})(kg|lb)")
_A12E_MODES: dict[bytes, Mode] = {b"G": "gross", b"N": "net"}
_W_LINE_MODES: dict[bytes, Mode] = {b"w": "gross", b"n": "net"}


def a12e_decoder(params: Params) -> Decoder:
    checks = params.checksum() != "off"

    def parse(line: bytes) -> Sequence[Frame] | None:
        if len(line) != _A12E_WIDTH:
            return None
        body, check = line[:11], line[11:]
        if checks and check != b"%02X" % xor_of(body):
            return [ErrorFrame("checksum")]
        if body in _A12E_OUT:
            return [bad(_A12E_OUT[body])]
        match = _A12E.fullmatch(body)
        value = decimal_text(match[2].decode()) if match else None
        if match is None or value is None:
            return None
        return [ReadingFrame(value, match[3].decode(), mode=_A12E_MODES[match[1]])]

    return LineDecoder(parse, width=_A12E_WIDTH, mask_bit7=params.flag("mask_bit7"))


def w_line_decoder(params: Params) -> Decoder:
    lines = _WLines(params.text("max_jump"))
    return LineDecoder(lines.parse, width=_W_LINE_WIDTH, mask_bit7=params.flag("mask_bit7"), poll_request=b"")


class _WLines:
    """With `max_jump`, a weight further than that from the last one is uncertain until a second line agrees."""

    def __init__(self, max_jump: str | None) -> None:
        try:
            self._max_jump = None if max_jump is None else Decimal(max_jump)
        except InvalidOperation as error:
            raise BadParameter("max_jump", max_jump, 'a weight as text, such as "5.0"') from error
        self._accepted: dict[bytes, Decimal] = {}
        self._jumped_to: dict[bytes, Decimal] = {}

    def parse(self, line: bytes) -> Sequence[Frame] | None:
        match = _W_LINE.fullmatch(line)
        value = decimal_text(match[2].decode()) if match else None
        if match is None or value is None:
            return None
        kind, unit = match[1], match[3].decode()
        mode, point = _W_LINE_MODES.get(kind), "tare" if kind == b"t" else None
        if self._is_unconfirmed(kind, Decimal(value)):
            return [ReadingFrame(value, unit, "uncertain", "unconfirmed_jump", mode=mode, point=point)]
        return [ReadingFrame(value, unit, mode=mode, point=point)]

    def _is_unconfirmed(self, kind: bytes, value: Decimal) -> bool:
        if self._max_jump is None:
            return False
        last = self._accepted.get(kind, value)
        if abs(value - last) > self._max_jump and self._jumped_to.get(kind) != value:
            self._jumped_to[kind] = value
            return True
        self._accepted[kind] = value
        return False
