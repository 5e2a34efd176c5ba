"""Toledo standard continuous output (8142 and its many clones): a fixed frame, pushed for ever.

    STX  SWA SWB SWC  weight x6  tare x6  CR  [CHK]        the short form leaves the tare out

Digits carry neither sign nor point; the status words do. A checksum byte may be 0x02 or 0x0D, so `checksum: auto` looks
one byte further and settles only when two frames in a row say the same.
"""

from edge.drivers.frames import Decoder, ErrorFrame, Frame, Mode, QualityName, ReadingFrame, bad
from edge.drivers.number import scaled_text
from edge.drivers.params import Params
from edge.drivers.stream import NOISE, UNFINISHED, Cut, StreamDecoder, find_byte, spoilt

_STX, _CR = 0x02, 0x0D
_DIGITS = b"0123456789 "
_MASK = bytes(byte & 0x7F for byte in range(256))
_UNITS = {1: "g", 2: "t", 3: "oz"}  # SWC extension; the higher codes differ from model to model


def decoder(params: Params) -> Decoder:
    frames = _Continuous(
        checksum=params.checksum(),
        unit=params.text("unit"),
        masks_bit7=params.flag("mask_bit7"),
        shows_tare=params.flag("tare"),
    )
    return StreamDecoder(find_byte(_STX, _STX | 0x80), frames.cut)


class _Continuous:
    def __init__(self, *, checksum: str, unit: str | None, masks_bit7: bool, shows_tare: bool) -> None:
        self._has_checksum = {"on": True, "off": False}.get(checksum)  # None: not yet known
        self._last_vote: bool | None = None
        self._unit = unit
        self._masks_bit7 = masks_bit7
        self._shows_tare = shows_tare

    def cut(self, held: bytearray, at: int) -> Cut | None:
        raw = bytes(held[at : at + 19])
        window = raw.translate(_MASK)
        size, verdict = _shape(window)
        if verdict is not UNFINISHED:
            return verdict
        if size == 0:
            return UNFINISHED
        has_checksum = self._vote(window, size)
        if has_checksum is None or (has_checksum and len(window) == size):
            return UNFINISHED
        if has_checksum:
            size += 1
            if sum(window[:size]) & 0x7F:
                return spoilt(size, "checksum")
        if raw[:size] != window[:size] and not self._masks_bit7:
            return Cut(size, (ErrorFrame("format", "bit 7 is set: wrong parity setting? open 7E1 or mask_bit7"),))
        return Cut(size, self._read(window, size))

    def _vote(self, window: bytes, size: int) -> bool | None:
        """Whether this frame carries a checksum; None while the bytes behind it are missing."""
        if self._has_checksum is not None:
            return self._has_checksum
        if len(window) == size:
            return None
        fits, next_is_stx = sum(window[: size + 1]) & 0x7F == 0, window[size] == _STX
        if fits and next_is_stx:  # the checksum is 0x02, or it is missing and the sum fits by chance
            if len(window) == size + 1:
                return None
            vote = window[size + 1] == _STX
        else:
            vote = not next_is_stx
        if fits or next_is_stx:
            self._has_checksum = vote if vote is self._last_vote else None
            self._last_vote = vote
        return vote

    def _read(self, window: bytes, size: int) -> list[Frame]:
        swa, swb, swc = window[1:4]
        unit = _UNITS.get(swc & 7, self._unit) if swc & 7 else ("kg" if swb & 0x10 else "lb")
        decimals = (swa & 7) - 2
        mode: Mode = "net" if swb & 1 else "gross"
        weight = scaled_text(window[4:10].decode().strip(), decimals, is_negative=bool(swb & 2))
        frames: list[Frame] = []
        if swb & 4:
            frames.append(bad("underload" if swb & 2 else "overload", unit=unit))
        elif weight is None:
            frames.append(bad("blank", unit=unit))
        else:
            quality, reason = _trust(swb, swc)
            is_stable = not swb & 8
            frames.append(ReadingFrame(weight, unit, quality, reason, stable=is_stable, mode=mode))
        if self._shows_tare and size >= 17:
            tare = scaled_text(window[10:16].decode().strip(), decimals, is_negative=False)
            frames.append(ReadingFrame(tare, unit, point="tare") if tare else bad("blank", unit=unit, point="tare"))
        return frames


def _shape(window: bytes) -> tuple[int, Cut | None]:
    """Length of the frame without checksum, or why it is none; (0, None) while it is unfinished."""
    for place, byte in enumerate(window[1:17], 1):
        if place in {1, 3}:
            fits = 0x20 <= byte <= (0x3F if place == 1 else 0x7F)  # Fairbanks sets bit 6 of SWC
        elif place == 2:
            fits = byte != _STX  # one maker clears bit 5 here
        elif byte == _CR and place in (10, 16):
            return place + 1, None
        else:
            fits = place < 16 and byte in _DIGITS
        if not fits:
            if place < 5:
                return 0, NOISE
            return 0, spoilt(place, "truncated" if byte == _STX else "format", "no frame of digits behind STX")
    return 0, None


def _trust(swb: int, swc: int) -> tuple[QualityName, str | None]:
    if swb & 0x40:  # power-up on some models
        return "uncertain", "zero_not_captured"
    if swc & 0x10:  # x10: the digits may be a tenth of what SWA says
        return "uncertain", "expanded"
    return "good", None
