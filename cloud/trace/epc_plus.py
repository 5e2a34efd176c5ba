"""The EPC schemes of TDS 2.x, whose names end in + or ++: whole GS1 keys, four bits a digit.

    header 8 | more data follows 1 | filter 3 | [date 20] | key, 4 bits a digit | serial, variable | [host name]

The ++ schemes add a web host behind the serial; the identity is the same without it, so it is not read. Sections and
tables are of GS1 TDS 2.3. The length of a serial stands in 5 bits wherever it is used here (tables of 14.6).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from cloud.trace.epc_bits import Bits
from cloud.trace.errors import BadField
from cloud.trace.gs1 import CHARACTERS, Epc, verified

_BASE_64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"  # table 14-7
_CODE_40 = "\0ABCDEFGHIJKLMNOPQRSTUVWXYZ-.:0123456789"  # table 14-8; the first is padding
_DATE_AI = ("11", "13", "15", "16", "17", "7006", "7007")  # 14.5.3, by date type indicator
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DELIMITER, _TERMINATOR = 0xE, 0xF  # table 14-4
Element = tuple[tuple[str, str], ...]


class _Scheme(NamedTuple):
    name: str
    read: Callable[[str, Bits], Element]


def decode_plus(header: int, raw: bytes) -> Epc:
    """An EPC of one of `PLUS_SCHEMES`. Raises BadEpc."""
    name, read = PLUS_SCHEMES[header]
    bits = Bits(raw, name)
    has_more_data, filter_value = bool(bits.take(1)), bits.take(3)
    return Epc(name, filter_value, read(name, bits), has_more_data=has_more_data)


def _sgtin(scheme: str, bits: Bits) -> Element:
    gtin = verified("GTIN", _digits(scheme, bits, 14))
    return ("01", gtin), ("21", _variable(scheme, bits, 20))


def _dated_sgtin(scheme: str, bits: Bits) -> Element:
    date = _date(scheme, bits)
    return (*_sgtin(scheme, bits), date)


def _sscc(scheme: str, bits: Bits) -> Element:
    return (("00", verified("SSCC", _digits(scheme, bits, 18))),)


def _sgln(scheme: str, bits: Bits) -> Element:
    location = ("414", verified("GLN", _digits(scheme, bits, 13)))
    extension = _variable(scheme, bits, 20)
    return (location,) if extension == "0" else (location, ("254", extension))


def _grai(scheme: str, bits: Bits) -> Element:
    digits = _digits(scheme, bits, 14)
    if digits[0] != "0":
        raise BadField(scheme, "GRAI", digits, "14 digits of which the first is 0")
    return (("8003", verified("GRAI", digits) + _variable(scheme, bits, 16)),)


def _giai(scheme: str, bits: Bits) -> Element:
    """Digits up to a terminator, or up to a delimiter behind which other characters follow (14.5.5)."""
    text = ""
    while (nibble := bits.take(4)) <= 9:
        text += str(nibble)
    if nibble == _DELIMITER:
        text += _variable(scheme, bits, 30)
    elif nibble != _TERMINATOR:
        raise BadField(scheme, "GIAI", f"{text} {nibble:X}", "digits, then E or F")
    if not (text[:1].isdecimal() and len(text) <= 30):
        raise BadField(scheme, "GIAI", text, "1 to 30 characters that begin with a digit")
    return (("8004", text),)


PLUS_SCHEMES = {
    0xE9: _Scheme("sgln++", _sgln),
    0xEB: _Scheme("grai++", _grai),
    0xEE: _Scheme("giai++", _giai),
    0xEF: _Scheme("sscc++", _sscc),
    0xF1: _Scheme("grai+", _grai),
    0xF2: _Scheme("sgln+", _sgln),
    0xF7: _Scheme("sgtin+", _sgtin),
    0xF9: _Scheme("sscc+", _sscc),
    0xFA: _Scheme("giai+", _giai),
    0xFB: _Scheme("dsgtin+", _dated_sgtin),
    0xFC: _Scheme("dsgtin++", _dated_sgtin),
    0xFD: _Scheme("sgtin++", _sgtin),
}


def _digits(scheme: str, bits: Bits, count: int) -> str:
    """Fixed-length numeric, 14.5.4."""
    text = f"{bits.take(4 * count):0{count}x}"
    if not text.isdecimal():
        raise BadField(scheme, "key", text, f"{count} digits")
    return text


def _date(scheme: str, bits: Bits) -> tuple[str, str]:
    """Prioritised date, 14.5.3; day 0 means the whole month."""
    kind, year, month, day = bits.take(4), bits.take(7), bits.take(4), bits.take(5)
    text = f"{year:02}{month:02}{day:02}"
    if kind >= len(_DATE_AI):
        raise BadField(scheme, "date type", str(kind), "0 to 6")
    if year > 99 or not 1 <= month <= 12 or day > _DAYS[month - 1]:
        raise BadField(scheme, "date", text, "YYMMDD")
    return _DATE_AI[kind], text


def _variable(scheme: str, bits: Bits, most: int) -> str:
    """Variable-length alphanumeric, 14.5.6: how the characters are coded, how many there are, then they."""
    coding, count = bits.take(3), bits.take(5)
    if not 1 <= count <= most:
        raise BadField(scheme, "length of the serial", str(count), f"1 to {most}")
    text = _coded(coding, bits, count)
    if text is None or len(text) != count or not CHARACTERS.issuperset(text):
        raise BadField(scheme, "serial", repr(text), f"{count} characters in coding {coding}")
    return text


def _coded(coding: int, bits: Bits, count: int) -> str | None:
    match coding:  # table E
        case 0:
            return f"{bits.take((10**count).bit_length()):0{count}}"
        case 1:
            return f"{bits.take(4 * count):0{count}X}"
        case 2:
            return f"{bits.take(4 * count):0{count}x}"
        case 3:
            return "".join(_BASE_64[bits.take(6)] for _ in range(count))
        case 4:
            return "".join(chr(bits.take(7)) for _ in range(count))
        case 5:
            return "".join(_triple(bits.take(16)) for _ in range(-(-count // 3))).rstrip("\0")
        case _:  # 6 and 7 are reserved
            return None


def _triple(number: int) -> str:
    """Three characters in 16 bits (URN Code 40, 14.5.6.5); a number outside the code gives none."""
    if not 1 <= number <= 64_000:
        return ""
    first, second, third = (number - 1) // 1600, (number - 1) // 40 % 40, (number - 1) % 40
    return _CODE_40[first] + _CODE_40[second] + _CODE_40[third]
