"""UN/CEFACT units (Recommendation 20) of what cold chains measure, and the arithmetic between them, exact."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple


class _Unit(NamedTuple):
    """What it is in the base unit of its quantity: value * factor + offset."""

    factor: Fraction
    offset: Fraction = Fraction(0)


def _units(**factors: str) -> dict[str, _Unit]:
    return {code: _Unit(Fraction(factor)) for code, factor in factors.items()}


_KELVIN_OFFSET = Fraction("273.15")
_RATIO = {"C62": _Unit(Fraction(1)), "P1": _Unit(Fraction(1, 100)), "59": _Unit(Fraction(1, 10**6))}
QUANTITIES: Mapping[str, Mapping[str, _Unit]] = {
    "Temperature": {
        "KEL": _Unit(Fraction(1)),
        "CEL": _Unit(Fraction(1), _KELVIN_OFFSET),
        "FAH": _Unit(Fraction(5, 9), _KELVIN_OFFSET - Fraction(160, 9)),
    },
    "RelativeHumidity": _RATIO,
    "Mass": _units(
        KGM="1", GRM="1/1000", MGM="1/1000000", TNE="1000", LBR="0.45359237", ONZ="0.028349523125", DTN="100"
    ),
    "Pressure": _units(PAL="1", KPA="1000", MPA="1000000", BAR="100000", MBR="100", A97="100", PS="6894.757293168"),
    "ElectricCurrent": _units(AMP="1", **{"4K": "1/1000"}),
    "Voltage": _units(VLT="1", KVT="1000", **{"2Z": "1/1000"}),
    "Power": _units(WTT="1", KWT="1000"),
    "Energy": _units(JOU="1", KJO="1000", WHR="3600", KWH="3600000"),
    "Time": _units(SEC="1", MIN="60", HUR="3600", DAY="86400", C26="1/1000"),
    "Length": _units(MTR="1", CMT="1/100", MMT="1/1000", KMT="1000", FOT="0.3048", INH="0.0254"),
    "Volume": _units(MTQ="1", LTR="1/1000", MLT="1/1000000", DMQ="1/1000"),
    "Speed": _units(MTS="1", KMH="5/18"),
}
_BY_CODE = {code: (name, unit) for name, units in QUANTITIES.items() for code, unit in units.items()}
SPELLINGS = {
    "°c": "CEL",
    "c": "CEL",
    "degc": "CEL",
    "deg c": "CEL",
    "celsius": "CEL",
    "°f": "FAH",
    "f": "FAH",
    "degf": "FAH",
    "fahrenheit": "FAH",
    "k": "KEL",
    "kelvin": "KEL",
    "kg": "KGM",
    "kgs": "KGM",
    "g": "GRM",
    "mg": "MGM",
    "t": "TNE",
    "lb": "LBR",
    "lbs": "LBR",
    "%": "P1",
    "%rh": "P1",
    "% rh": "P1",
    "rh": "P1",
    "percent": "P1",
    "a": "AMP",
    "v": "VLT",
    "kw": "KWT",
    "kwh": "KWH",
    "bar": "BAR",
    "mbar": "MBR",
    "hpa": "A97",
    "s": "SEC",
    "min": "MIN",
    "h": "HUR",
    "l": "LTR",
    "m": "MTR",
}
"""How people write units, and the code that they mean."""


def converted(value: float, unit: str, wanted: str) -> Fraction | None:
    """`value` in another unit; None when the two do not measure the same or one is not known here."""
    exact = Fraction(str(value))
    if unit == wanted:
        return exact
    quantity, source = _BY_CODE.get(unit, ("", None))
    other, target = _BY_CODE.get(wanted, ("", None))
    if source is None or target is None or quantity != other:
        return None
    return (exact * source.factor + source.offset - target.offset) / target.factor


def units_of(measurement: str) -> Mapping[str, object] | None:
    """The codes that can measure it; None when this house does not know them all."""
    return QUANTITIES.get(measurement)
