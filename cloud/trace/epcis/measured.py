"""Query conditions on amounts and sensor data. Units are converted: 277.15 KEL finds what a probe said as 4 CEL."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from cloud.trace.epcis.errors import QueryParameterError
from cloud.trace.epcis.index import CLASS_FIELDS, millis
from cloud.trace.epcis.units import converted
from cloud.trace.epcis.vocabulary import expanded
from cloud.trace.keys import canonical

Json = dict[str, Any]  # Any: events as JSON
Condition = Callable[[Json], bool]
_SIGNS: Mapping[str, Callable[[Any, Any], bool]] = {  # Any: numbers of one kind
    "EQ": operator.eq,
    "GT": operator.gt,
    "GE": operator.ge,
    "LT": operator.lt,
    "LE": operator.le,
}
_QUANTITY = re.compile(r"(EQ|GT|GE|LT|LE)_quantity(?:_([A-Z0-9]{2,4}))?")
_VALUE = re.compile(r"(EQ|GT|GE|LT|LE)_(value|minValue|maxValue|meanValue|sDev|percValue)_([A-Z0-9]{2,4})")
_RANK = re.compile(r"(EQ|GT|GE|LT|LE)_percRank")
_TIME = re.compile(r"(GE|LT)_(time|startTime|endTime)")
_LINKS = ("deviceID", "dataProcessingMethod", "bizRules", "microorganism", "chemicalSubstance", "uriValue")
_TEXTS = ("stringValue", "hexBinaryValue")


def quantity_condition(name: str, values: Sequence[str]) -> Condition | None:
    """EQ_quantity_KGM and its kin; None for other parameters."""
    match = _QUANTITY.fullmatch(name)
    if match is None:
        return None
    sign, unit = match.groups()
    wanted = [_number(name, value) for value in values]

    def holds(event: Json) -> bool:
        for field in CLASS_FIELDS:
            for element in event.get(field, ()):
                amount = _amount(element.get("quantity"), element.get("uom"), unit)
                if amount is not None and any(_SIGNS[sign](amount, each) for each in wanted):
                    return True
        return False

    return holds


def report_conditions(parameters: Mapping[str, Sequence[str]]) -> list[Condition]:
    """One condition for all of them: they are met by the same report. Raises QueryParameterError for unknown names."""
    tests = [_test(name, values) for name, values in parameters.items()]
    if not tests:
        return []
    return [lambda event: any(all(test(report) for test in tests) for report in _reports(event))]


def _reports(event: Json) -> Iterator[Json]:
    """Each report with what its metadata says for it."""
    for element in event.get("sensorElementList", ()):
        metadata = element.get("sensorMetadata", {})
        for report in element["sensorReport"]:
            yield {**metadata, **report}


def _test(name: str, values: Sequence[str]) -> Condition:
    field = name.removeprefix("EQ_")
    if name == "EQ_type":
        types = {expanded("measurement", value) for value in values}
        return lambda report: expanded("measurement", report["type"]) in types
    if name.startswith("EQ_") and field in _LINKS:
        links = {canonical(value) for value in values}
        return lambda report: field in report and canonical(report[field]) in links
    if name.startswith("EQ_") and field in _TEXTS:
        return lambda report: report.get(field) in values
    if name == "EQ_booleanValue":
        return lambda report: report.get("booleanValue") is (values[0] == "true")
    if match := _VALUE.fullmatch(name):
        return _value_test(name, match, values)
    if match := _RANK.fullmatch(name):
        sign, rank = match[1], _number(name, values[0])
        return lambda report: "percRank" in report and _SIGNS[sign](Fraction(str(report["percRank"])), rank)
    if match := _TIME.fullmatch(name):
        return _time_test(name, match[1], match[2], values[0])
    raise QueryParameterError(name, "there is no such query parameter")


def _value_test(name: str, match: re.Match[str], values: Sequence[str]) -> Condition:
    sign, field, unit = match.groups()
    wanted = [_number(name, value) for value in values]

    def holds(report: Json) -> bool:
        amount = _amount(report.get(field), report.get("uom"), unit)
        return amount is not None and any(_SIGNS[sign](amount, each) for each in wanted)

    return holds


def _time_test(name: str, sign: str, field: str, text: str) -> Condition:
    try:
        at = millis(text.replace(" ", "+"))
    except ValueError as error:
        raise QueryParameterError(name, f"{text!r} is no time with its zone, such as 2026-11-21T07:32:05Z") from error
    return lambda report: field in report and _SIGNS[sign](millis(report[field]), at)


def _amount(value: float | None, unit: str | None, wanted: str | None) -> Fraction | None:
    if value is None:
        return None
    if wanted is None:
        return Fraction(str(value)) if unit is None else None  # a parameter without a unit asks for counts
    return None if unit is None else converted(value, unit, wanted)


def _number(name: str, text: str) -> Fraction:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise QueryParameterError(name, f"{text!r} is no number") from error
