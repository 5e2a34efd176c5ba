"""The EPCIS query language: parameters in, a query out that says of any event whether it is meant. Pure.

    names       EQ_bizStep, MATCH_anyEPC, WD_bizLocation ...   looked up in the index, by canonical form
    conditions  times, quantities, sensor data, extensions     tried on the event itself

All parameters hold together; the values of one are alternatives. Conditions on sensor reports are met by one and the
same report, so that `EQ_type=Temperature` with `GE_value_CEL=4` never mixes a warm probe with a heavy scale.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from cloud.trace.epcis.errors import QueryParameterError
from cloud.trace.epcis.extensions import extension_condition
from cloud.trace.epcis.index import CLASS_FIELDS, EPC_FIELDS, Name, millis
from cloud.trace.epcis.measured import quantity_condition, report_conditions
from cloud.trace.epcis.vocabulary import expanded
from cloud.trace.keys import canonical

Json = dict[str, Any]  # Any: events as JSON
Condition = Callable[[Json], bool]
Parameters = Mapping[str, Sequence[str]]
PER_PAGE, MOST_PER_PAGE = 30, 1000

_NAMED: Mapping[str, tuple[str, ...]] = {
    "eventType": ("eventType",),
    "EQ_action": ("action",),
    "EQ_bizStep": ("bizStep",),
    "EQ_disposition": ("disposition",),
    "EQ_persistentDisposition_set": ("set",),
    "EQ_persistentDisposition_unset": ("unset",),
    "EQ_readPoint": ("readPoint",),
    "WD_readPoint": ("readPoint",),
    "EQ_bizLocation": ("bizLocation",),
    "WD_bizLocation": ("bizLocation",),
    "EQ_transformationID": ("transformationID",),
    "EQ_eventID": ("eventID",),
    "EQ_errorReason": ("errorReason",),
    "EQ_correctiveEventID": ("correctiveEventID",),
    "MATCH_epc": ("epcList", "childEPCs"),
    "MATCH_parentID": ("parentID",),
    "MATCH_inputEPC": ("inputEPCList",),
    "MATCH_outputEPC": ("outputEPCList",),
    "MATCH_anyEPC": EPC_FIELDS,
    "MATCH_epcClass": ("quantityList", "childQuantityList"),
    "MATCH_inputEPCClass": ("inputQuantityList",),
    "MATCH_outputEPCClass": ("outputQuantityList",),
    "MATCH_anyEPCClass": CLASS_FIELDS,
}
_VOCABULARY = {
    "EQ_bizStep": "bizStep",
    "EQ_disposition": "disposition",
    "EQ_persistentDisposition_set": "disposition",
    "EQ_persistentDisposition_unset": "disposition",
    "EQ_errorReason": "errorReason",
}
_TYPED = re.compile(r"EQ_(bizTransaction|source|destination)_(.+)")
_TIMES = re.compile(r"(GE|LT)_(eventTime|recordTime|errorDeclaration_?Time)")
_PATTERN = re.compile(r"urn:epc:idpat:(sgtin|sscc|grai):(\d+|\*)\.(\d+|\*)(?:\.(\*))?")
_RANGE_SIGNS = {"GE": "__ge__", "LT": "__lt__"}


class Named(NamedTuple):
    """One of `values`, or the like of one of `patterns`, stands in one of `fields`."""

    fields: tuple[str, ...]
    values: frozenset[str]
    patterns: tuple[str, ...] = ()  # with * for any characters

    def holds(self, names: set[Name]) -> bool:
        found = [name.value for name in names if name.field in self.fields]
        return any(value in self.values or any(_like(value, each) for each in self.patterns) for value in found)


@dataclass(frozen=True, slots=True)
class Query:
    """`from_*` and `until_*` are UTC milliseconds, half-open."""

    parameters: Parameters
    named: tuple[Named, ...] = ()
    conditions: tuple[Condition, ...] = ()
    event_from: int | None = None
    event_until: int | None = None
    record_from: int | None = None
    record_until: int | None = None
    order_by: str = "recordTime"
    is_descending: bool = False
    event_count_limit: int | None = None
    max_event_count: int | None = None

    def holds(self, event: Json, names: set[Name]) -> bool:
        """All but the times and the order, which the database knows."""
        return all(each.holds(names) for each in self.named) and all(condition(event) for condition in self.conditions)

    @property
    def digest(self) -> str:
        """Equal for equal questions: a page token fits only the query that it came from."""
        written = json.dumps({name: list(values) for name, values in sorted(self.parameters.items())})
        return hashlib.sha256(written.encode()).hexdigest()[:16]


def parse_query(parameters: Parameters) -> Query:
    """Raises QueryParameterError, which names the parameter."""
    named: list[Named] = []
    conditions: list[Condition] = []
    facts: dict[str, Any] = {}
    sensor: dict[str, Sequence[str]] = {}
    for name, values in parameters.items():
        if not (values and all(values)) and not name.startswith("EXISTS_"):
            raise QueryParameterError(name, "it has no value")
        if name in _NAMED:
            named.append(_named(name, values))
        elif match := _TYPED.fullmatch(name):
            named.append(_typed(match[1], match[2], values))
        elif match := _TIMES.fullmatch(name):
            _add_time(facts, conditions, name, match, values)
        elif name in _SETTINGS:
            facts |= _SETTINGS[name](name, _single(name, values))
        elif condition := quantity_condition(name, values) or _existence(name) or extension_condition(name, values):
            conditions.append(condition)
        else:
            sensor[name] = values
    conditions += report_conditions(sensor)
    query = Query(parameters, tuple(named), tuple(conditions), **facts)
    if query.event_count_limit is not None and query.max_event_count is not None:
        raise QueryParameterError("maxEventCount", "it cannot stand together with eventCountLimit")
    return query


def _named(name: str, values: Sequence[str]) -> Named:
    if name in _VOCABULARY:
        return Named(_NAMED[name], frozenset(expanded(_VOCABULARY[name], value) for value in values))
    if name.startswith("WD_"):
        exact = frozenset(canonical(value) for value in values)
        return Named(_NAMED[name], exact, tuple(f"{value}/254/*" for value in exact))
    if name.startswith("MATCH_"):
        patterns = tuple(pattern for pattern in map(_pattern, values) if pattern)
        exact = frozenset(canonical(value) for value in values if not _pattern(value))
        return Named(_NAMED[name], exact, patterns)
    if name in ("EQ_readPoint", "EQ_bizLocation"):
        return Named(_NAMED[name], frozenset(canonical(value) for value in values))
    return Named(_NAMED[name], frozenset(values))


def _typed(field: str, kind: str, values: Sequence[str]) -> Named:
    vocabulary = "bizTransaction" if field == "bizTransaction" else "party"
    return Named((f"{field}_{expanded(vocabulary, kind)}",), frozenset(canonical(value) for value in values))


def _pattern(text: str) -> str:
    """The canonical links that an EPC pattern means; empty for a plain identifier (EPCIS 2.0, 8.2.7.1.1)."""
    match = _PATTERN.fullmatch(text)
    if match is None:
        return ""
    scheme, prefix, reference, serial = match.groups()
    if scheme != "sscc" and serial != "*":
        return ""
    if prefix == "*":
        return {
            "sgtin": "https://id.gs1.org/01/*/21/*",
            "sscc": "https://id.gs1.org/00/*",
            "grai": "https://id.gs1.org/8003/*",
        }[scheme]
    if reference != "*":
        if scheme == "grai":
            return f"https://id.gs1.org/8003/0{prefix}{reference}*"
        return canonical(text) + "/21/*"
    if scheme == "grai":
        return f"https://id.gs1.org/8003/0{prefix}*"
    head = "https://id.gs1.org/" + ("01/" if scheme == "sgtin" else "00/") + "?" + prefix + "*"
    return head + ("/21/*" if scheme == "sgtin" else "")


def _like(value: str, pattern: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), value) is not None


def _add_time(
    facts: dict[str, Any], conditions: list[Condition], name: str, match: re.Match[str], values: Sequence[str]
) -> None:
    at = _millis(name, _single(name, values))
    if match[2] == "eventTime":
        facts["event_from" if match[1] == "GE" else "event_until"] = at
    elif match[2] == "recordTime":
        facts["record_from" if match[1] == "GE" else "record_until"] = at
    else:
        conditions.append(_declared(match[1], at))


def _declared(sign: str, at: int) -> Condition:
    def holds(event: Json) -> bool:
        text = event.get("errorDeclaration", {}).get("declarationTime")
        return text is not None and bool(getattr(millis(text), _RANGE_SIGNS[sign])(at))

    return holds


def _existence(name: str) -> Condition | None:
    if name == "EXISTS_errorDeclaration":
        return lambda event: "errorDeclaration" in event
    if name == "EXISTS_sensorElementList":
        return lambda event: bool(event.get("sensorElementList"))
    return None


def _order_by(name: str, value: str) -> dict[str, Any]:
    if value not in ("eventTime", "recordTime"):
        raise QueryParameterError(name, "events are ordered by eventTime or recordTime")
    return {"order_by": value}


def _direction(name: str, value: str) -> dict[str, Any]:
    if value not in ("ASC", "DESC"):
        raise QueryParameterError(name, "ASC or DESC")
    return {"is_descending": value == "DESC"}


def _count(key: str) -> Callable[[str, str], dict[str, Any]]:
    def read(name: str, value: str) -> dict[str, Any]:
        if not (value.isascii() and value.isdecimal() and int(value) > 0):
            raise QueryParameterError(name, f"{value!r} is no number of events")
        return {key: int(value)}

    return read


_SETTINGS: Mapping[str, Callable[[str, str], dict[str, Any]]] = {
    "orderBy": _order_by,
    "orderDirection": _direction,
    "eventCountLimit": _count("event_count_limit"),
    "maxEventCount": _count("max_event_count"),
}


def _single(name: str, values: Sequence[str]) -> str:
    if len(values) != 1:
        raise QueryParameterError(name, "it has one value")
    return values[0]


def _millis(name: str, text: str) -> int:
    try:
        return millis(text.replace(" ", "+"))  # a + that nobody escaped in a URL
    except ValueError as error:
        raise QueryParameterError(name, f"{text!r} is no time with its zone, such as 2026-11-21T07:32:05Z") from error
