"""From what a UHF reader delivers to an identity: EPC bytes, and the PC word if there is one.

    raw EPC, PC -> is it GS1's? -> Epc (element string, pure identity URN, tag URN, Digital Link)
                         no -> NotGs1Epc: the raw hex stays the identity and is registered to an object by hand

Facts are of the GS1 Tag Data Standard (TDS) 2.3; its example tags are the tests.
"""

from __future__ import annotations

from dataclasses import dataclass

from cloud.trace.epc_partitioned import (
    GID_HEADER,
    LAYOUTS,
    decode_gid,
    decode_partitioned,
    giai_96,
    grai_96,
    sgln_96,
    sgtin_96,
    sscc_96,
)
from cloud.trace.epc_plus import PLUS_SCHEMES, decode_plus
from cloud.trace.errors import BadHex, BadLength, ForeignEpc, UndecodedScheme, UnknownHeader, Unprogrammed
from cloud.trace.gs1 import Epc

__all__ = [
    "Epc",
    "ProtocolControl",
    "decode",
    "giai_96",
    "grai_96",
    "parse_hex",
    "sgln_96",
    "sgtin_96",
    "sscc_96",
]

_TID_HEADER = 0xE2  # permanently reserved: the first byte of a chip's own number (TDS table 14-1)
_UNDECODED = {  # TDS table 14-1
    0x2C: "GDTI-96",
    0x2D: "GSRN-96",
    0x2E: "GSRNP-96",
    0x2F: "USDOD-96",
    0x3A: "GDTI-113",
    0x3B: "ADI-var",
    0x3C: "CPI-96",
    0x3D: "CPI-var",
    0x3E: "GDTI-174",
    0x3F: "SGCN-96",
    0x40: "ITIP-110",
    0x41: "ITIP-212",
    0xE6: "CPI++",
    0xE7: "GSRN++",
    0xE8: "GSRNP++",
    0xEA: "GDTI++",
    0xEC: "SGCN++",
    0xED: "ITIP++",
    0xF0: "CPI+",
    0xF3: "ITIP+",
    0xF4: "GSRN+",
    0xF5: "GSRNP+",
    0xF6: "GDTI+",
    0xF8: "SGCN+",
}


@dataclass(frozen=True, slots=True)
class ProtocolControl:
    """The PC word that stands before the EPC in a tag (TDS 9.3)."""

    words: int
    has_user_memory: bool
    has_xpc: bool
    is_iso: bool
    low_byte: int  # attribute bits, or the ISO application family when `is_iso`

    @classmethod
    def of(cls, word: int) -> ProtocolControl:
        return cls(word >> 11 & 0x1F, bool(word & 0x0400), bool(word & 0x0200), bool(word & 0x0100), word & 0xFF)


def decode(raw: bytes, pc: int | None = None) -> Epc:
    """What `raw` identifies. With `pc`, its length decides and bytes behind it are padding.

    Raises NotGs1Epc or BadEpc; in both cases the raw bytes are all there is.
    """
    if pc is not None:
        raw = _within(raw, ProtocolControl.of(pc))
    if not any(raw):
        raise Unprogrammed(None)
    header = raw[0]
    if header in LAYOUTS:
        return decode_partitioned(header, raw)
    if header in PLUS_SCHEMES:
        return decode_plus(header, raw)
    if header == GID_HEADER:
        return decode_gid(raw)
    if header in (0x00, _TID_HEADER):
        raise Unprogrammed(header)
    if header in _UNDECODED:
        raise UndecodedScheme(header, _UNDECODED[header])
    raise UnknownHeader(header)


def parse_hex(text: str) -> bytes:
    """Hex as readers and people write it: either case, spaces, a leading 0x. Raises BadHex."""
    digits = text.strip().removeprefix("0x").removeprefix("0X")
    try:
        raw = bytes.fromhex(digits)
    except ValueError as error:
        raise BadHex(text) from error
    if not raw:
        raise BadHex(text)
    return raw


def _within(raw: bytes, control: ProtocolControl) -> bytes:
    if control.is_iso:
        raise ForeignEpc(control.low_byte)
    if len(raw) < control.words * 2:
        raise BadLength("the PC word", len(raw) * 8, control.words * 16)
    return raw[: control.words * 2]
