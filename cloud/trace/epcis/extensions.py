"""Query conditions on what firms add: EQ_vnx:lot, GE_ILMD_cbvmda:netWeight, EXISTS_INNER_vnx:door and so on.

Prefixes are compared as they stand in the event; a namespace may be asked for in full, as EQ_https://firm.vn/voc/lot.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

Json = dict[str, Any]  # Any: events as JSON
Condition = Callable[[Json], bool]
_NAME = re.compile(
    r"(EQ|GT|GE|LT|LE|EXISTS)_(INNER_)?(ILMD_|ERROR_DECLARATION_|SENSORELEMENT_|SENSORMETADATA_|SENSORREPORT_|readPoint_"
    r"|bizLocation_)?([A-Za-z][\w.-]*:\S+)"
)
_SIGNS: Mapping[str, Callable[[Any, Any], bool]] = {  # Any: two numbers or two texts
    "GT": operator.gt,
    "GE": operator.ge,
    "LT": operator.lt,
    "LE": operator.le,
}


def extension_condition(name: str, values: Sequence[str]) -> Condition | None:
    """None for other parameters."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    sign, inner, part, key = match.groups()

    def holds(event: Json) -> bool:
        found = [
            value for home in _homes(event, part or "") for value in _values(home, key, is_inner=bool(inner), depth=0)
        ]
        if sign == "EXISTS":
            return bool(found)
        return any(_compares(sign, value, wanted) for value in found for wanted in values)

    return holds


def _homes(event: Json, part: str) -> Iterator[Json]:
    elements = event.get("sensorElementList", [])
    match part:
        case "":
            yield event
        case "ILMD_":
            yield event.get("ilmd", {})
        case "ERROR_DECLARATION_":
            yield event.get("errorDeclaration", {})
        case "readPoint_" | "bizLocation_":
            yield event.get(part.removesuffix("_"), {})
        case "SENSORELEMENT_":
            yield from elements
        case "SENSORMETADATA_":
            yield from (element.get("sensorMetadata", {}) for element in elements)
        case _:
            yield from (report for element in elements for report in element["sensorReport"])


def _values(home: Json, key: str, *, is_inner: bool, depth: int) -> Iterator[object]:
    """Top-level values under `key`, or with `is_inner` those at any depth below the top."""
    for name, held in home.items():
        if ":" not in name:
            continue
        for value in held if isinstance(held, list) else [held]:
            if name == key and is_inner == (depth > 0):
                yield value
            if is_inner and isinstance(value, dict):
                yield from _values(value, key, is_inner=True, depth=depth + 1)


def _compares(sign: str, value: object, wanted: str) -> bool:
    number, other = _number(value), _number(wanted)
    if sign == "EQ":
        return str(value) == wanted or (number is not None and number == other)
    if number is not None and other is not None:
        return _SIGNS[sign](number, other)
    return isinstance(value, str) and _SIGNS[sign](value, wanted)


def _number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None
