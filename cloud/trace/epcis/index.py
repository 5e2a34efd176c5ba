"""What an event names, each in the form in which it is compared: the index that queries look into."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from cloud.trace.epcis.vocabulary import expanded
from cloud.trace.keys import canonical

Json = dict[str, Any]  # Any: events as JSON
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPC_FIELDS = ("epcList", "childEPCs", "inputEPCList", "outputEPCList", "parentID")
CLASS_FIELDS = ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList")
_WORDS = (("bizStep", "bizStep"), ("disposition", "disposition"))
_PLACES = ("readPoint", "bizLocation")
_TYPED = (
    ("bizTransactionList", "bizTransaction", "bizTransaction"),
    ("sourceList", "source", "party"),
    ("destinationList", "destination", "party"),
)


class Name(NamedTuple):
    field: str
    value: str


def names_of(event: Json) -> set[Name]:
    return set(_names(event))


def millis(text: str) -> int:
    """UTC milliseconds of an ISO 8601 time with its zone; raises ValueError without."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} does not say its zone")
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _names(event: Json) -> Iterator[Name]:
    yield Name("eventType", event["type"])
    yield Name("eventID", event["eventID"])
    for field, vocabulary in _WORDS:
        if field in event:
            yield Name(field, expanded(vocabulary, event[field]))
    for name in ("set", "unset"):
        for word in event.get("persistentDisposition", {}).get(name, ()):
            yield Name(name, expanded("disposition", word))
    for field in _PLACES:
        if field in event:
            yield Name(field, canonical(event[field]["id"]))
    for field in ("action", "transformationID"):
        if field in event:
            yield Name(field, event[field])
    for field in EPC_FIELDS:
        held = event.get(field, ())
        for epc in [held] if isinstance(held, str) else held:
            yield Name(field, canonical(epc))
    for field in CLASS_FIELDS:
        for element in event.get(field, ()):
            yield Name(field, canonical(element["epcClass"]))
    yield from _typed(event)
    declaration = event.get("errorDeclaration", {})
    if "reason" in declaration:
        yield Name("errorReason", expanded("errorReason", declaration["reason"]))
    for event_id in declaration.get("correctiveEventIDs", ()):
        yield Name("correctiveEventID", event_id)


def _typed(event: Json) -> Iterator[Name]:
    """bizTransaction_po and the like: the type is part of the parameter's name."""
    for listed, field, vocabulary in _TYPED:
        for item in event.get(listed, ()):
            kind = expanded(vocabulary, item.get("type", ""))
            yield Name(f"{field}_{kind}", canonical(item[field]))
