"""GS1-128 bar codes: Code 128 that begins with FNC1 (GS1 General Specifications, 5.4; ISO/IEC 15417). Pure.

Digits in pairs take one symbol in code set C, other characters one each in B; the choice of sets is the short one.
"""

from __future__ import annotations

from collections.abc import Sequence

_TABLE = (
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222 "
    "123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321 "
    "232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121 "
    "313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 "
    "111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 241112 134111 "
    "111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 "
    "114311 411113 411311 113141 114131 311141 411131 211412 211214 211232 2331112"
)
_WIDTHS = _TABLE.split()
_CODE_C, _CODE_B, _FNC1, _START_B, _START_C, _STOP = 99, 100, 102, 104, 105, 106
_FIXED = {"00", "01", "02", "03", "04", "11", "12", "13", "14", "15", "16", "17", "18", "19", "20", "31", "32", "33",
          "34", "35", "36", "41"}  # fmt: skip
"""AIs that begin so have a length of their own and need no FNC1 behind them (GS1 General Specifications, 7.8.5)."""

Element = tuple[str, str]
FNC1 = "\x1d"


def element_data(elements: Sequence[Element]) -> str:
    """The data of the symbol; FNC1 stands as the group separator that a scanner gives for it."""
    data = ""
    for place, (ai, value) in enumerate(elements):
        data += ai + value
        if ai[:2] not in _FIXED and place < len(elements) - 1:
            data += FNC1
    return data


def modules(elements: Sequence[Element]) -> str:
    """Bars (1) and spaces (0) of the whole symbol, without quiet zones (10 modules on either side)."""
    values = _values(element_data(elements))
    check = (values[0] + sum(place * value for place, value in enumerate(values))) % 103
    widths = "".join(_WIDTHS[value] for value in (*values, check, _STOP))
    return "".join(("1" if place % 2 == 0 else "0") * int(width) for place, width in enumerate(widths))


def _values(data: str) -> list[int]:
    is_c = _digits_from(data, 0) >= 4
    values = [_START_C if is_c else _START_B, _FNC1]
    place = 0
    while place < len(data):
        run = _digits_from(data, place)
        if data[place] == FNC1:
            values.append(_FNC1)
            place += 1
        elif is_c and run >= 2:
            values.append(int(data[place : place + 2]))
            place += 2
        elif is_c:
            values.append(_CODE_B)
            is_c = False
        elif run >= 4 and run % 2 == 0:  # an odd run gives its first digit to B, so that the rest comes in pairs
            values.append(_CODE_C)
            is_c = True
        else:
            values.append(ord(data[place]) - 32)
            place += 1
    return values


def _digits_from(data: str, place: int) -> int:
    end = place
    while end < len(data) and data[end].isascii() and data[end].isdigit():
        end += 1
    return end - place
