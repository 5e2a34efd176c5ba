"""Low-frequency tags: EM4100 cards (RDM6300, ID-12 and alike) and FDX-B animal tags (WL-134).

    EM4100  02 <10 hex digits> <2 hex digits: XOR of the 5 bytes> [CR LF] 03
    FDX-B   02 <10 hex, reversed> <4 hex, reversed> <flags 2> <extra 10> <xor> <inverted xor> 03

Such a tag carries a serial number and no EPC. The identity of a card is its ten hex digits; of an animal tag, country
and national number as they are printed on it.
"""

import re

from edge.drivers.crc import xor_of
from edge.drivers.frames import Decoder, TagFrame
from edge.drivers.params import Params
from edge.drivers.stream import NOISE, UNFINISHED, Cut, StreamDecoder, find_byte, spoilt

_STX, _ETX = 0x02, 0x03
_HEX = re.compile(rb"[0-9A-Fa-f]+")
_FDXB_SIZE = 30
_FDXB_TEXT = 27  # up to here no byte can be STX; the two check bytes behind may be anything


def em4100_decoder(params: Params) -> Decoder:
    checks = params.checksum() != "off"

    def cut(held: bytearray, at: int) -> Cut | None:
        window = bytes(held[at : at + 16])
        if (torn := _torn(window[:14])) is not None:
            return torn
        if len(window) < 14:
            return UNFINISHED
        size = 16 if window[13] == 0x0D else 14  # ID-12 puts CR LF before ETX
        if size == 16 and len(window) < 16 and b"\n\x03".startswith(window[14:]):
            return UNFINISHED
        if window[13:size] not in (b"\x03", b"\r\n\x03"):
            return spoilt(14, "format", "no ETX where it belongs")
        digits = window[1:13]
        if not _HEX.fullmatch(digits):
            return spoilt(size, "format", f"not hex: {digits!r}")
        card = bytes.fromhex(digits.decode())
        if checks and xor_of(card):
            return spoilt(size, "checksum")
        return Cut(size, (TagFrame(id=card[:5].hex().upper()),))

    return StreamDecoder(find_byte(_STX), cut, mask_bit7=params.flag("mask_bit7"))


def wl134_decoder(params: Params) -> Decoder:
    checks = params.checksum() != "off"

    def cut(held: bytearray, at: int) -> Cut | None:
        window = bytes(held[at : at + _FDXB_SIZE])
        if (torn := _torn(window[:_FDXB_TEXT])) is not None:
            return torn
        if len(window) < _FDXB_SIZE:
            return UNFINISHED
        if window[-1] != _ETX:
            return spoilt(_FDXB_SIZE, "format", "no ETX after 30 bytes")
        check = xor_of(window[1:27])
        if checks and (window[27], window[28]) != (check, check ^ 0xFF):
            return spoilt(_FDXB_SIZE, "checksum")
        identity = _animal(window[1:15])
        if identity is None:
            return spoilt(_FDXB_SIZE, "format", f"no identity: {window[1:15]!r}")
        return Cut(_FDXB_SIZE, (TagFrame(id=identity),))

    return StreamDecoder(find_byte(_STX), cut)


def _animal(digits: bytes) -> str | None:
    """'900' + '000123456789': country and national number as printed."""
    if not _HEX.fullmatch(digits):
        return None
    national, country = int(digits[9::-1], 16), int(digits[13:9:-1], 16)
    return f"{country:03d}{national:012d}" if country <= 999 and national < 1 << 38 else None


def _torn(window: bytes) -> Cut | None:
    again = window.find(_STX, 1)
    if again < 0:
        return None
    return spoilt(again, "truncated", f"a new frame after {again} bytes") if again >= 3 else NOISE
