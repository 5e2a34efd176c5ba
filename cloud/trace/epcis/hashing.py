"""The event hash ID of CBV 2.0, section 8.9: what happened names itself, in whichever spelling it was written.

    event -> pre-hash string (fixed order, canonical values, lists sorted) -> SHA-256 -> ni:///sha-256;...?ver=CBV2.0

Three points that the published texts and tools see differently are decided in docs/decisions/ (parentID behind epcList,
certificationInfo left out, destinations before sources as in the reference vectors).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from cloud.trace.epcis.context import prefixes
from cloud.trace.epcis.vocabulary import expanded
from cloud.trace.keys import canonical

Json = Mapping[str, Any]  # Any: extensions are whatever a firm puts into them
_Spell = Callable[[object], str]
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)")
_CBVMDA = "urn:epcglobal:cbv:mda"  # in XML without the colon that its JSON-LD prefix has
_LEFT_OUT = ("type", "eventID", "recordTime", "errorDeclaration", "certificationInfo", "@context")
_COMMENTS = ("rdfs:comment", "comment")


def event_hash(event: Json, definitions: Mapping[str, object]) -> str:
    """`definitions` is what the document's context adds: it gives extension prefixes their namespace."""
    digest = hashlib.sha256(pre_hash(event, definitions).encode()).hexdigest()
    return f"ni:///sha-256;{digest}?ver=CBV2.0"


def pre_hash(event: Json, definitions: Mapping[str, object]) -> str:
    spaces = prefixes(definitions)
    standard = _in_order(event, _ORDER, spaces)
    known = {name for name, _ in _ORDER} | {"ilmd", *_LEFT_OUT}
    ilmd = _extensions(event.get("ilmd", {}), (), spaces)
    return f"eventType={event['type']}{standard}{'ilmd' + ilmd if ilmd else ''}{_extensions(event, known, spaces)}"


def _in_order(held: Json, order: tuple[tuple[str, Any], ...], spaces: Mapping[str, str]) -> str:
    text = ""
    for name, how in order:
        value = held.get(name)
        if value is None or value in ("", [], {}):
            continue
        text += how(name, value, spaces)
    return text


def _one(spell: _Spell) -> Callable[[str, Any, Mapping[str, str]], str]:
    return lambda name, value, _: f"{name}={spell(value)}"


def _list(item: str, spell: _Spell) -> Callable[[str, Any, Mapping[str, str]], str]:
    return lambda name, values, _: name + "".join(sorted(f"{item}={spell(value)}" for value in values))


def _elements(item: str, order: tuple[tuple[str, Any], ...]) -> Callable[[str, Any, Mapping[str, str]], str]:
    """A list of objects; objects that JSON leaves unnamed have the name that XML gives them."""

    def text(name: str, values: Any, spaces: Mapping[str, str]) -> str:  # Any: a list of JSON objects
        return name + "".join(sorted(item + _part(value, order, spaces) for value in values))

    return text


def _object(order: tuple[tuple[str, Any], ...]) -> Callable[[str, Any, Mapping[str, str]], str]:
    return lambda name, value, spaces: name + _part(value, order, spaces)


def _part(held: Json, order: tuple[tuple[str, Any], ...], spaces: Mapping[str, str]) -> str:
    return _in_order(held, order, spaces) + _extensions(held, {name for name, _ in order}, spaces)


def _extensions(held: Json, known: Any, spaces: Mapping[str, str]) -> str:  # Any: a container of names
    found = []
    for name, value in held.items():
        if name not in known and name not in _COMMENTS:
            values = value if isinstance(value, list) else [value]
            found += [_extension(_qualified(name, spaces), each, spaces) for each in values]
    return "".join(sorted(found))


def _extension(name: str, value: object, spaces: Mapping[str, str]) -> str:
    if isinstance(value, dict):
        text = value.get("#text")
        inner = {key: each for key, each in value.items() if key != "#text"}
        return name + ("" if text is None else f"={_plain(text)}") + _extensions(inner, (), spaces)
    return f"{name}={_plain(value)}"


def _qualified(name: str, spaces: Mapping[str, str]) -> str:
    prefix, colon, local = name.partition(":")
    if not colon or prefix not in spaces:
        return name
    space = _CBVMDA if prefix == "cbvmda" else spaces[prefix]
    return f"{{{space}}}{local}"


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value).strip()
    if isinstance(value, int | float) or _NUMBER.fullmatch(text):
        return _number(text)
    return canonical(text)


def _number(text: str) -> str:
    exact = f"{Decimal(text):f}"
    if "." in exact:
        exact = exact.rstrip("0").rstrip(".")
    return exact.lstrip("+") or "0"


def _time(value: object) -> str:
    """UTC, milliseconds, half a millisecond rounded up."""
    moment = datetime.fromisoformat(str(value)).astimezone(UTC)
    rounded = moment + timedelta(microseconds=500)
    return f"{rounded:%Y-%m-%dT%H:%M:%S}.{rounded.microsecond // 1000:03}Z"


def _word(vocabulary: str) -> _Spell:
    return lambda value: expanded(vocabulary, str(value))


def _text(value: object) -> str:
    return str(value).strip()


def _place(name: str, value: Any, spaces: Mapping[str, str]) -> str:  # Any: a JSON object
    return name + _part(value, (("id", _one(_plain)),), spaces)


_QUANTITY = (("epcClass", _one(_plain)), ("quantity", _one(_plain)), ("uom", _one(_text)))
_EPCS = _list("epc", _plain)
_QUANTITIES = _elements("quantityElement", _QUANTITY)
_METADATA = (
    ("time", _one(_time)),
    ("startTime", _one(_time)),
    ("endTime", _one(_time)),
    ("deviceID", _one(_plain)),
    ("deviceMetadata", _one(_plain)),
    ("rawData", _one(_plain)),
    ("dataProcessingMethod", _one(_plain)),
    ("bizRules", _one(_plain)),
)
_REPORT = (
    ("type", _one(_word("measurement"))),
    ("exception", _one(_word("sensorAlert"))),
    ("deviceID", _one(_plain)),
    ("deviceMetadata", _one(_plain)),
    ("rawData", _one(_plain)),
    ("dataProcessingMethod", _one(_plain)),
    ("bizRules", _one(_plain)),
    ("time", _one(_time)),
    ("microorganism", _one(_plain)),
    ("chemicalSubstance", _one(_plain)),
    ("value", _one(_plain)),
    ("component", _one(_word("component"))),
    ("stringValue", _one(_text)),
    ("booleanValue", _one(_plain)),
    ("hexBinaryValue", _one(_text)),
    ("uriValue", _one(_plain)),
    ("minValue", _one(_plain)),
    ("maxValue", _one(_plain)),
    ("meanValue", _one(_plain)),
    ("sDev", _one(_plain)),
    ("percRank", _one(_plain)),
    ("percValue", _one(_plain)),
    ("uom", _one(_text)),
    ("coordinateReferenceSystem", _one(_plain)),
)


def _reports(_: str, values: Any, spaces: Mapping[str, str]) -> str:  # Any: a list of JSON objects
    return "".join(sorted("sensorReport" + _part(value, _REPORT, spaces) for value in values))


def _party(item: str) -> Callable[[str, Any, Mapping[str, str]], str]:
    return _elements("", (("type", _one(_word("party"))), (item, _one(_plain))))


_ORDER: tuple[tuple[str, Any], ...] = (
    ("eventTime", _one(_time)),
    ("eventTimeZoneOffset", _one(_text)),
    ("epcList", _EPCS),
    ("parentID", _one(_plain)),
    ("inputEPCList", _EPCS),
    ("childEPCs", _EPCS),
    ("quantityList", _QUANTITIES),
    ("childQuantityList", _QUANTITIES),
    ("inputQuantityList", _QUANTITIES),
    ("outputEPCList", _EPCS),
    ("outputQuantityList", _QUANTITIES),
    ("action", _one(_text)),
    ("transformationID", _one(_plain)),
    ("bizStep", _one(_word("bizStep"))),
    ("disposition", _one(_word("disposition"))),
    (
        "persistentDisposition",
        _object(
            tuple(
                (name, lambda name, words, _: "".join(sorted(f"{name}={expanded('disposition', w)}" for w in words)))
                for name in ("set", "unset")
            )
        ),
    ),
    ("readPoint", _place),
    ("bizLocation", _place),
    ("bizTransactionList", _elements("", (("type", _one(_word("bizTransaction"))), ("bizTransaction", _one(_plain))))),
    ("destinationList", _party("destination")),
    ("sourceList", _party("source")),
    (
        "sensorElementList",
        _elements("sensorElement", (("sensorMetadata", _object(_METADATA)), ("sensorReport", _reports))),
    ),
)
