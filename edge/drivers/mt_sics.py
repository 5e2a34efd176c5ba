"""MT-SICS, the command set of Mettler-Toledo scales (also Kern KCP and many indicators).

A reply is `<ID> <status> [<weight> <unit>]`. The reply to SI and SIR begins with S like that to S. Underload `S -` and
a negative weight `S S -0.05 kg` differ in the number of fields only, so fields are counted. The weight is net when a
tare is active and the reply does not say so: mode stays unknown.
"""

import re
from collections.abc import Sequence

from edge.drivers.frames import AckFrame, Decoder, ErrorFrame, Frame, ReadingFrame, bad
from edge.drivers.lines import LineDecoder
from edge.drivers.number import decimal_text
from edge.drivers.params import Params

_WEIGHT_IDS = ("S", "SI", "SIR", "SR", "SNR", "SU", "SIU", "SIRU", "SRU")  # some emulators answer SI with SI
_TARE_IDS = ("T", "TI", "TA")
_REFUSALS = {"I": "busy", "+": "overload", "-": "underload", "L": "logical"}
_LINE_ERRORS = {"ES": "syntax error", "ET": "transmission error", "EL": "cannot be executed"}
_STABLE = {"S": True, "D": False}

_HEAD = re.compile(rb"S[INRU]{0,3} +[SDIL+-]|E[STL]\s*$|[TZI][IA0-9]? +[A-Z+-]")
_ACKNOWLEDGED = re.compile(r"(@|[A-Z][A-Z0-9]{0,3}) ([ABSD])(?: (.*))?")


def decoder(params: Params) -> Decoder:
    command = params.text("request_command") or "SI"
    replies = _Replies(command)
    return LineDecoder(
        replies.parse,
        head=_HEAD,
        mask_bit7=params.flag("mask_bit7"),
        poll_request=command.encode("ascii", "replace") + b"\r\n",
        on_request=replies.expect,
    )


class _Replies:
    def __init__(self, command: str) -> None:
        self._command = command

    def expect(self, request: bytes) -> None:
        self._command = request.decode("latin-1").strip()

    def parse(self, line: bytes) -> Sequence[Frame] | None:
        if not line.isascii():
            return None
        text = line.decode("ascii").strip()
        if text in _LINE_ERRORS:  # carries no ID: belongs to whatever was asked last
            return [ErrorFrame("device", f"{text}: {_LINE_ERRORS[text]}, after {self._command}")]
        match text.split():
            case [name, status] if status in _REFUSALS and name in _WEIGHT_IDS:
                return [bad(_REFUSALS[status])]
            case [name, status] if status in _REFUSALS and re.fullmatch("[A-Z@][A-Z0-9]{0,3}", name):
                return [ErrorFrame("device", f"{name} {status}: {_REFUSALS[status]}")]
            case [name, status, shown, *unit] if status in _STABLE and name in _WEIGHT_IDS and len(unit) <= 1:
                return _weight(shown, unit, stable=_STABLE[status])
            case [name, status, shown, *unit] if status in ("S", "D", "A") and name in _TARE_IDS and len(unit) <= 1:
                return _weight(shown, unit, stable=_STABLE.get(status), point="tare")
        if (done := _ACKNOWLEDGED.fullmatch(text)) and done[1] not in _WEIGHT_IDS:
            return [AckFrame(done[1], done[3] or "")]
        return None


def _weight(shown: str, unit: list[str], *, stable: bool | None, point: str | None = None) -> list[Frame] | None:
    value = decimal_text(shown)
    if value is None or (unit and not re.fullmatch(r"[A-Za-z%./]{1,6}", unit[0])):
        return None
    return [ReadingFrame(value, unit=unit[0] if unit else None, stable=stable, point=point)]
