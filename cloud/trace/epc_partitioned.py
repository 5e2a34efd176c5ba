"""The EPC schemes of TDS 1.x: filter, partition, company prefix, reference, serial; both ways.

    header 8 | filter 3 | partition 3 | company prefix 20-40 | reference, prefix and reference have `pair_bits` | tail

The partition says how many digits the company prefix has (12 - partition) and how many bits they take. Tables are of
GS1 TDS 2.3, section 14.6.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

from cloud.trace.epc_bits import Bits
from cloud.trace.errors import BadField, BadLength, BadPartition
from cloud.trace.gs1 import CHARACTERS, Epc, completed, urn_text

_PREFIX_BITS = (40, 37, 34, 30, 27, 24, 20)  # the first column of every partition table, for 12 to 6 digits
_CHARACTER_BITS = 7


class Kind(enum.Enum):
    PADDED = enum.auto()  # digits with their leading zeros (TDS 14.3.3)
    NUMBER = enum.auto()  # a number without leading zeros (14.3.1, 14.3.4)
    TEXT = enum.auto()  # 7-bit characters, then zeros (14.3.2, 14.3.5)
    NOTHING = enum.auto()  # bits that must be zero, or none


class Layout(NamedTuple):
    """`pair_digits` is how many digits (characters) company prefix and reference may have together."""

    scheme: str
    bits: int
    pair_bits: int
    pair_digits: int
    reference: Kind
    tail_bits: int
    tail: Kind


LAYOUTS = {
    0x30: Layout("sgtin-96", 96, 44, 13, Kind.PADDED, 38, Kind.NUMBER),  # tables 14-16, 14-17
    0x31: Layout("sscc-96", 96, 58, 17, Kind.PADDED, 24, Kind.NOTHING),  # 14-7, 14-8
    0x32: Layout("sgln-96", 96, 41, 12, Kind.PADDED, 41, Kind.NUMBER),  # 14-10, 14-11
    0x33: Layout("grai-96", 96, 44, 12, Kind.PADDED, 38, Kind.NUMBER),  # 14-19, 14-15
    0x34: Layout("giai-96", 96, 82, 25, Kind.NUMBER, 0, Kind.NOTHING),  # 14-23, 14-24
    0x36: Layout("sgtin-198", 198, 44, 13, Kind.PADDED, 140, Kind.TEXT),  # 14-18
    0x37: Layout("grai-170", 170, 44, 12, Kind.PADDED, 112, Kind.TEXT),  # 14-20
    0x38: Layout("giai-202", 202, 188, 30, Kind.TEXT, 0, Kind.NOTHING),  # 14-20, 14-21
    0x39: Layout("sgln-195", 195, 41, 12, Kind.PADDED, 140, Kind.TEXT),  # 14-12
}
GID_HEADER = 0x35
_HEADERS = {layout.scheme: header for header, layout in LAYOUTS.items()}


def decode_partitioned(header: int, raw: bytes) -> Epc:
    """An EPC of one of `LAYOUTS`; zeros behind its end are padding to whole words (TDS 14.4). Raises BadEpc."""
    layout = LAYOUTS[header]
    if len(raw) * 8 < layout.bits:
        raise BadLength(layout.scheme, len(raw) * 8, layout.bits)
    bits = Bits(raw, layout.scheme)
    filter_value, partition = bits.take(3), bits.take(3)
    if partition >= len(_PREFIX_BITS):
        raise BadPartition(layout.scheme, partition)
    prefix, reference, tail = (_read(layout.scheme, field, bits) for field in _fields(layout, partition))
    body = f"{prefix}.{urn_text(reference)}" + (f".{urn_text(tail)}" if tail else "")
    return Epc(layout.scheme, filter_value, _element(layout, prefix, reference, tail), body)


def decode_gid(raw: bytes) -> Epc:
    """GID-96: 28 + 24 + 36 bits without filter or partition; its manager number is not a GS1 company prefix."""
    if len(raw) * 8 < 96:
        raise BadLength("gid-96", len(raw) * 8, 96)
    bits = Bits(raw, "gid-96")
    return Epc("gid-96", None, (), f"{bits.take(28)}.{bits.take(24)}.{bits.take(36)}")


def sgtin_96(company_prefix: str, item_reference: str, serial: int, *, filter_value: int = 0) -> bytes:
    """`item_reference` begins with the indicator digit, as in the URN. Raises BadField."""
    return _encode("sgtin-96", filter_value, company_prefix, item_reference, serial)


def sscc_96(company_prefix: str, serial_reference: str, *, filter_value: int = 0) -> bytes:
    """`serial_reference` begins with the extension digit, as in the URN. Raises BadField."""
    return _encode("sscc-96", filter_value, company_prefix, serial_reference, 0)


def sgln_96(company_prefix: str, location_reference: str, extension: int = 0, *, filter_value: int = 0) -> bytes:
    """Extension 0 means the location itself, without extension (TDS 14.6.3). Raises BadField."""
    return _encode("sgln-96", filter_value, company_prefix, location_reference, extension)


def grai_96(company_prefix: str, asset_type: str, serial: int, *, filter_value: int = 0) -> bytes:
    return _encode("grai-96", filter_value, company_prefix, asset_type, serial)


def giai_96(company_prefix: str, asset_reference: int, *, filter_value: int = 0) -> bytes:
    return _encode("giai-96", filter_value, company_prefix, str(asset_reference), 0)


class _Field(NamedTuple):
    name: str
    kind: Kind
    bits: int
    most: int  # digits or characters


def _fields(layout: Layout, partition: int) -> tuple[_Field, _Field, _Field]:
    prefix = _Field("company prefix", Kind.PADDED, _PREFIX_BITS[partition], 12 - partition)
    bits, most = layout.pair_bits - prefix.bits, layout.pair_digits - prefix.most
    reference = _Field("reference", layout.reference, bits, most)
    return prefix, reference, _Field("serial", layout.tail, layout.tail_bits, layout.tail_bits // _CHARACTER_BITS)


def _read(scheme: str, field: _Field, bits: Bits) -> str:
    value = bits.take(field.bits)
    match field.kind:
        case Kind.NUMBER:
            return str(value)
        case Kind.PADDED:
            if value >= 10**field.most:
                raise BadField(scheme, field.name, str(value), f"at most {field.most} digits")
            return f"{value:0{field.most}}" if field.most else ""
        case Kind.TEXT:
            return _text(scheme, field, value)
        case Kind.NOTHING:
            if value:
                raise BadField(scheme, "reserved bits", f"{value:x}", "zero")
            return ""


def _text(scheme: str, field: _Field, value: int) -> str:
    count = field.bits // _CHARACTER_BITS
    codes = [value >> field.bits - _CHARACTER_BITS * (place + 1) & 0x7F for place in range(count)]
    text = bytes(codes).decode("ascii").rstrip("\0")
    is_zero_behind = value & (1 << field.bits - _CHARACTER_BITS * len(text)) - 1 == 0
    if not (is_zero_behind and 0 < len(text) <= field.most and CHARACTERS.issuperset(text)):
        raise BadField(scheme, field.name, text, f"1 to {field.most} characters of a GS1 serial number, then zeros")
    return text


def _element(layout: Layout, prefix: str, reference: str, tail: str) -> tuple[tuple[str, str], ...]:
    match layout.scheme.partition("-")[0]:
        case "sgtin":
            return ("01", completed(reference[0] + prefix + reference[1:])), ("21", tail)
        case "sscc":
            return (("00", completed(reference[0] + prefix + reference[1:])),)
        case "sgln":
            location = ("414", completed(prefix + reference))
            return (location,) if tail == "0" else (location, ("254", tail))
        case "grai":
            return (("8003", "0" + completed(prefix + reference) + tail),)
        case _:
            return (("8004", prefix + reference),)


def _encode(scheme: str, filter_value: int, prefix: str, reference: str, tail: int) -> bytes:
    layout = LAYOUTS[_HEADERS[scheme]]
    if not (_are_digits(prefix) and 6 <= len(prefix) <= 12):
        raise BadField(scheme, "company prefix", prefix, "6 to 12 digits")
    if not 0 <= filter_value <= 7:
        raise BadField(scheme, "filter", str(filter_value), "0 to 7")
    if not 0 <= tail < 1 << layout.tail_bits:
        raise BadField(scheme, "serial", str(tail), f"0 to {(1 << layout.tail_bits) - 1}")
    partition = 12 - len(prefix)
    prefix_field, reference_field, _ = _fields(layout, partition)
    value = (_HEADERS[scheme] << 3 | filter_value) << 3 | partition
    value = value << prefix_field.bits | int(prefix)
    value = value << reference_field.bits | _number(scheme, reference_field, reference)
    return (value << layout.tail_bits | tail).to_bytes(layout.bits // 8)


def _number(scheme: str, field: _Field, text: str) -> int:
    has_right_length = len(text) == field.most if field.kind is Kind.PADDED else 0 < len(text) <= field.most
    number = int(text) if _are_digits(text) else 0
    if not has_right_length or number >= 1 << field.bits or (text and not _are_digits(text)):
        raise BadField(scheme, field.name, text, f"{field.most} digits with this company prefix")
    return number


def _are_digits(text: str) -> bool:
    return text.isascii() and text.isdecimal()
