"""What the official schema cannot see: events that are well-formed and say what cannot be. Every fault names its path.

An error declaration repeats what somebody said, right or wrong; so only its form and identity are looked at.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from msgspec import UNSET, UnsetType

from cloud.trace.epcis import vocabulary as words
from cloud.trace.epcis.context import prefixes
from cloud.trace.epcis.errors import Fault
from cloud.trace.epcis.events import (
    AggregationEvent,
    AssociationEvent,
    Event,
    ExtendedEvent,
    ObjectEvent,
    Part,
    QuantityElement,
    TransactionEvent,
    TransformationEvent,
)
from cloud.trace.epcis.sensors import sensor_faults
from cloud.trace.keys import BadKeyError, Key, parse_key

_OFFSET = re.compile(r"[+-](0\d|1[0-3]):[0-5]\d|[+-]14:00")
_UOM = re.compile(r"[A-Z0-9]{2,3}")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
_LOCATIONS = ("sgln", "pgln")
Faults = Iterator[Fault]


def validate(event: Event, definitions: Mapping[str, object], path: str = "$") -> list[Fault]:
    """All that is wrong with one event; an empty list when it may enter the books."""
    faults = list(_form(event, prefixes(definitions), path))
    if event.error_declaration is UNSET:
        faults += _meaning(event, path)
    return faults


def _form(event: Event, spaces: Container[str], path: str) -> Faults:
    if isinstance(event, ExtendedEvent) and not _is_foreign_word(event.type, spaces):
        known = ", ".join(words.EVENT_TYPES)
        yield Fault(f"{path}.type", f"{event.type!r} is none of {known}, nor a type with a declared prefix")
        return
    yield from _extension_names(event, spaces, path)
    yield from _time(event.event_time, f"{path}.eventTime")
    if not _OFFSET.fullmatch(event.event_time_zone_offset):
        yield Fault(f"{path}.eventTimeZoneOffset", f"{event.event_time_zone_offset!r} is no offset such as +07:00")
    if isinstance(event.event_id, str) and not _URI.fullmatch(event.event_id):
        yield Fault(f"{path}.eventID", f"{event.event_id!r} is no URI; urn:uuid:... or ni:///sha-256;... is one")
    if not isinstance(event.error_declaration, UnsetType):
        declaration = event.error_declaration
        yield from _time(declaration.declaration_time, f"{path}.errorDeclaration.declarationTime")
        yield from _word("errorReason", declaration.reason, f"{path}.errorDeclaration.reason")
        yield from _extension_names(declaration, spaces, f"{path}.errorDeclaration")


def _meaning(event: Event, path: str) -> Faults:
    if isinstance(event, ExtendedEvent):
        return
    action = getattr(event, "action", UNSET)
    if action is not UNSET and action not in words.ACTIONS:
        yield Fault(f"{path}.action", f"{action!r} is none of {', '.join(words.ACTIONS)}")
    yield from _words(event, path)
    yield from _what(event, path)
    yield from _parent(event, path)
    yield from _identifiers(event, path)
    yield from _quantities(event, path)
    yield from _ilmd(event, path)
    elements = getattr(event, "sensor_element_list", UNSET)
    if elements is not UNSET:
        yield from sensor_faults(elements, f"{path}.sensorElementList")


def _words(event: Event, path: str) -> Faults:
    yield from _word("bizStep", getattr(event, "biz_step", UNSET), f"{path}.bizStep")
    yield from _word("disposition", getattr(event, "disposition", UNSET), f"{path}.disposition")
    persistent = getattr(event, "persistent_disposition", UNSET)
    if persistent is not UNSET:
        for name in ("set", "unset"):
            for number, word in enumerate(getattr(persistent, name) or ()):
                yield from _word("disposition", word, f"{path}.persistentDisposition.{name}[{number}]")
        both = set(persistent.set or ()) & set(persistent.unset or ())
        if both:
            yield Fault(f"{path}.persistentDisposition", f"{', '.join(sorted(both))} cannot be set and unset at once")
    for name, field, vocabulary in (
        ("bizTransactionList", "biz_transaction_list", "bizTransaction"),
        ("sourceList", "source_list", "party"),
        ("destinationList", "destination_list", "party"),
    ):
        for number, item in enumerate(_field(event, field) or ()):
            yield from _word(vocabulary, item.type, f"{path}.{name}[{number}].type")


def _what(event: Event, path: str) -> Faults:
    """An event without anything that it is about says nothing (EPCIS 2.0, 7.4)."""
    match event:
        case ObjectEvent():
            is_about_place = bool(event.sensor_element_list) and bool(event.read_point or event.biz_location)
            if not (event.epc_list or event.quantity_list or is_about_place):
                yield Fault(
                    path,
                    "no WHAT: give epcList or quantityList, or a sensorElementList with a readPoint or bizLocation",
                )
        case AggregationEvent() | AssociationEvent() if event.action != "DELETE":
            if not (event.child_epcs or event.child_quantity_list):
                yield Fault(
                    path, "no WHAT: give childEPCs or childQuantityList; only DELETE may leave all children out"
                )
        case TransactionEvent():
            if not event.biz_transaction_list:
                yield Fault(f"{path}.bizTransactionList", "a TransactionEvent names at least one business transaction")
            if event.action != "DELETE" and not (event.epc_list or event.quantity_list or event.parent_id):
                yield Fault(path, "no WHAT: give epcList, quantityList or parentID")
        case TransformationEvent():
            goes_in = event.input_epc_list or event.input_quantity_list
            comes_out = event.output_epc_list or event.output_quantity_list
            if not (goes_in or comes_out):
                yield Fault(path, "no WHAT: nothing goes in and nothing comes out")
            elif not event.transformation_id and not (goes_in and comes_out):
                yield Fault(path, "only inputs or only outputs need a transformationID that ties them to the others")
        case _:
            return


def _parent(event: Event, path: str) -> Faults:
    if not isinstance(event, AggregationEvent | AssociationEvent | TransactionEvent):
        return
    parent = event.parent_id
    if isinstance(parent, UnsetType):
        if isinstance(event, AggregationEvent) and event.action in ("ADD", "DELETE"):
            yield Fault(f"{path}.parentID", f"an aggregation with action {event.action} has a parent")
        return
    key = _key(parent)
    children = event.epc_list if isinstance(event, TransactionEvent) else event.child_epcs
    if key is not None and key.is_class:
        yield Fault(f"{path}.parentID", f"{parent} names a class of goods; a parent is one thing (or a place)")
    elif key is not None and key.kind in _LOCATIONS and not isinstance(event, AssociationEvent):
        yield Fault(f"{path}.parentID", f"{parent} is a place; only an AssociationEvent has a place as parent")
    same = {_form_of(parent)} & {_form_of(child) for child in children or ()}
    if same:
        yield Fault(f"{path}.parentID", "the parent cannot be its own child")


_INSTANCES = (
    ("epcList", "epc_list"),
    ("childEPCs", "child_epcs"),
    ("inputEPCList", "input_epc_list"),
    ("outputEPCList", "output_epc_list"),
)
_CLASSES = (
    ("quantityList", "quantity_list"),
    ("childQuantityList", "child_quantity_list"),
    ("inputQuantityList", "input_quantity_list"),
    ("outputQuantityList", "output_quantity_list"),
)


def _identifiers(event: Event, path: str) -> Faults:
    for where, text, wants_class in _named(event, path):
        if not _URI.fullmatch(text):
            yield Fault(where, f"{text!r} is no URI; write an EPC URN, a Digital Link or a URI of your own")
            continue
        try:
            key = parse_key(text)
        except BadKeyError as error:
            yield Fault(where, error.reason)
            continue
        if key is not None and wants_class is not None and key.is_class is not wants_class:
            wanted = (
                "a class (GTIN or lot); single things stand in epcList"
                if wants_class
                else ("one thing; classes and lots stand in quantityList")
            )
            yield Fault(where, f"{text} is not {wanted}")


def _named(event: Event, path: str) -> Iterable[tuple[str, str, bool | None]]:
    """Every identifier with its path and whether it must be a class; None: either."""
    for name, field in _INSTANCES:
        for number, epc in enumerate(_field(event, field) or ()):
            yield f"{path}.{name}[{number}]", epc, False
    for name, field in _CLASSES:
        for number, element in enumerate(_field(event, field) or ()):
            yield f"{path}.{name}[{number}].epcClass", element.epc_class, True
    for name, field in (("parentID", "parent_id"), ("transformationID", "transformation_id")):
        if value := getattr(event, field, UNSET):
            yield f"{path}.{name}", value, None
    for name, field in (("readPoint", "read_point"), ("bizLocation", "biz_location")):
        if place := getattr(event, field, UNSET):
            yield f"{path}.{name}.id", place.id, None
    for name, field in (("sourceList", "source_list"), ("destinationList", "destination_list")):
        for number, item in enumerate(_field(event, field) or ()):
            value = getattr(item, name.removesuffix("List"))
            yield f"{path}.{name}[{number}].{name.removesuffix('List')}", value, None


def _quantities(event: Event, path: str) -> Faults:
    for name, field in _CLASSES:
        elements: list[QuantityElement] = _field(event, field) or []
        for number, element in enumerate(elements):
            where = f"{path}.{name}[{number}]"
            if isinstance(element.quantity, int | float) and element.quantity < 0:
                yield Fault(f"{where}.quantity", f"{element.quantity} is less than nothing")
            if isinstance(element.uom, str):
                if not _UOM.fullmatch(element.uom):
                    yield Fault(
                        f"{where}.uom", f"{element.uom!r} is no UN/CEFACT code such as KGM; leave it out to count"
                    )
                if isinstance(element.quantity, UnsetType):
                    yield Fault(f"{where}.uom", "a unit without a quantity")


def _ilmd(event: Event, path: str) -> Faults:
    ilmd = getattr(event, "ilmd", UNSET)
    if ilmd is UNSET:
        return
    if isinstance(event, ObjectEvent) and event.action != "ADD":
        yield Fault(f"{path}.ilmd", "instance and lot master data belong to the event that makes them: action ADD")
    for name in ilmd:
        if ":" not in name:
            yield Fault(f"{path}.ilmd.{name}", "its name has no namespace, such as cbvmda:lotNumber")


def _extension_names(part: Part, spaces: Container[str], path: str) -> Faults:
    for name in part.extensions:
        if name == "@context":
            continue
        if ":" not in name:
            yield Fault(
                f"{path}.{name}", f"a {_kind(part)} has no such field; a firm's own has a prefix, such as ex:{name}"
            )
        elif not _is_foreign_word(name, spaces):
            prefix = name.partition(":")[0]
            yield Fault(f"{path}.{name}", f"the prefix {prefix!r} is not declared in @context")


def _kind(part: Part) -> str:
    return part.type if isinstance(part, Event) else type(part).__name__


def _is_foreign_word(name: str, spaces: Container[str]) -> bool:
    prefix, colon, _ = name.partition(":")
    return bool(colon) and (prefix in spaces or prefix in ("http", "https", "urn"))


def _word(vocabulary: str, word: str | UnsetType, path: str) -> Faults:
    if isinstance(word, UnsetType):
        return
    head, known = words.VOCABULARIES[vocabulary]
    if word in known:
        return
    meant = words.expanded(vocabulary, word).removeprefix(head)
    if meant in known:
        yield Fault(path, f"{word!r}: the standard's own words are written bare, {meant!r}")
    elif ":" not in word:
        yield Fault(path, f"{word!r} is no word of the Core Business Vocabulary; a firm's own is a URI or has a prefix")


def _time(text: str, path: str) -> Faults:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        yield Fault(path, f"{text!r} is no time such as 2026-11-21T07:32:05.250Z")
        return
    if moment.tzinfo is None or "T" not in text:
        yield Fault(path, f"{text!r} does not say its zone; UTC is written 2026-11-21T07:32:05.250Z")


def _field(event: Event, name: str) -> Any:  # Any: whichever type the event's kind gives it; UNSET when it has none
    return getattr(event, name, UNSET)


def _key(text: str) -> Key | None:
    try:
        return parse_key(text)
    except BadKeyError:
        return None  # said by _identifiers


def _form_of(text: str) -> str:
    key = _key(text)
    return text if key is None else key.link
