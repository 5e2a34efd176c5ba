"""Yaohua XK3190 and KeLi indicators between STX and ETX: A9 continuous, and the command mode.

    A9       02 sign digits x6 decimals xor-high xor-low 03
    command  02 address command [sign digits x6 decimals] xor-high xor-low 03

Neither carries a unit or says whether the weight is stable; A9 does not even tell gross from net.
"""

from edge.drivers.crc import xor_of
from edge.drivers.frames import AckFrame, Decoder, ErrorFrame, Frame, Mode, ReadingFrame
from edge.drivers.number import scaled_text
from edge.drivers.params import Params
from edge.drivers.stream import NOISE, UNFINISHED, Cut, StreamDecoder, find_byte, spoilt

_STX, _ETX, _EOT = 0x02, 0x03, 0x04
_A9_SIZE = 12
_LONGEST_ANSWER = 40
_MODES: dict[str, Mode] = {"B": "gross", "D": "net"}


def a9_decoder(params: Params) -> Decoder:
    checks = params.checksum() != "off"
    raw_nibbles = params.choice("nibbles", ("letters", "raw"), "letters") == "raw"
    unit = params.text("unit")

    def cut(held: bytearray, at: int) -> Cut | None:
        window = bytes(held[at : at + _A9_SIZE])
        if (torn := _torn(window)) is not None:
            return torn
        if len(window) < _A9_SIZE:
            return UNFINISHED
        if window[-1] != _ETX:
            return spoilt(_A9_SIZE, "format", "no ETX after 12 bytes")
        if checks and window[9:11] != _nibbles(window[1:9], is_raw=raw_nibbles):
            return spoilt(_A9_SIZE, "checksum")
        value = _weight(window[1:9])
        if value is None:
            return spoilt(_A9_SIZE, "format", f"no weight: {window[1:9]!r}")
        return Cut(_A9_SIZE, (ReadingFrame(value, unit),))

    return StreamDecoder(find_byte(_STX), cut, mask_bit7=params.flag("mask_bit7"))


def command_decoder(params: Params) -> Decoder:
    address = params.text("address") or "A"
    command = params.text("request_command") or "B"
    answers = _Answers(params.text("unit"), checks=params.checksum() != "off")
    body = (address[:1] + command[:1]).encode("latin-1", "replace")
    return StreamDecoder(
        find_byte(_STX),
        answers.cut,
        poll_request=bytes((_STX,)) + body + _nibbles(body) + bytes((_ETX,)),
        on_request=answers.expect,
        mask_bit7=params.flag("mask_bit7"),
    )


class _Answers:
    def __init__(self, unit: str | None, *, checks: bool) -> None:
        self._unit = unit
        self._checks = checks
        self._address: int | None = None  # asked last; None: answers of all are taken

    def expect(self, request: bytes) -> None:
        self._address = request[1] if len(request) == 6 and request[0] == _STX else None

    def cut(self, held: bytearray, at: int) -> Cut | None:
        window = bytes(held[at : at + _LONGEST_ANSWER])
        if len(window) > 1 and not 0x41 <= window[1] <= 0x5A:
            return NOISE
        size = window.find(_ETX) + 1
        if (torn := _torn(window[: size or None])) is not None:
            return torn
        if size == 0:
            return UNFINISHED if len(window) < _LONGEST_ANSWER else spoilt(len(window), "format", "no ETX")
        if size < 6:
            return spoilt(size, "format", "too short for an answer")
        if self._checks and window[size - 3 : size - 1] != _nibbles(window[1 : size - 3]):
            return spoilt(size, "checksum")
        return self._read(window[:size])

    def _read(self, answer: bytes) -> Cut:
        size, address, command = len(answer), answer[1], chr(answer[2])
        if self._address not in (None, address):
            return Cut(size, (ErrorFrame("wrong_unit", f"address {chr(address)} answers"),))
        if answer[2] == _EOT:
            return Cut(size, (ErrorFrame("device", "unknown command"),))
        if command not in "BCD":
            return Cut(size, (AckFrame(command, answer[3:-3].decode("latin-1")),))
        value = _weight(answer[3:-3])
        if value is None:
            return spoilt(size, "format", f"no weight: {answer[3:-3]!r}")
        frame: Frame = ReadingFrame(
            value, self._unit, mode=_MODES.get(command), point="tare" if command == "C" else None
        )
        return Cut(size, (frame,))


def _torn(window: bytes) -> Cut | None:
    """STX cannot occur inside a frame: a second one is the head of the next."""
    again = window.find(_STX, 1)
    if again < 0:
        return None
    return spoilt(again, "truncated", f"a new frame after {again} bytes") if again >= 3 else NOISE


def _weight(field: bytes) -> str | None:
    """Sign, six digits, number of decimals."""
    if len(field) != 8 or field[0] not in b"+-" or field[7] not in b"01234":
        return None
    return scaled_text(field[1:7].decode("latin-1"), field[7] - 0x30, is_negative=field[0] == 0x2D)


def _nibbles(body: bytes, *, is_raw: bool = False) -> bytes:
    """The XOR as two characters; `is_raw`: nibble + 0x30 even above 9, as one public driver expects."""
    check = xor_of(body)
    if is_raw:
        return bytes((0x30 + (check >> 4), 0x30 + (check & 15)))
    return b"%02X" % check
