"""EPCIS documents: from the bytes of a capture to events with their context, and from events to a query document."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cloud.trace.epcis.context import Definitions, context_json, merged, read_context
from cloud.trace.epcis.errors import Fault, InvalidEventError, NotEpcisError
from cloud.trace.epcis.events import Event, event_json, read_event
from cloud.trace.epcis.hashing import event_hash
from cloud.trace.epcis.validate import validate

Json = dict[str, Any]  # Any: what others send


@dataclass(frozen=True, slots=True)
class Captured:
    """One event as it came, with all that is needed to give it back: its ID is made where it had none."""

    path: str
    event: Event
    definitions: Definitions
    event_id: str

    @property
    def body(self) -> Json:
        return {**event_json(self.event), "eventID": self.event_id}


@dataclass(frozen=True, slots=True)
class Incoming:
    """`envelope` is the document without its events; `faults` are those of the events that cannot be taken."""

    envelope: Json
    events: Sequence[Captured]
    faults: Sequence[Fault] = field(default=())


def parse_json(raw: bytes) -> object:
    """Raises NotEpcisError."""
    try:
        return json.loads(raw, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise NotEpcisError(f"it is not JSON: {error}") from error


def read_document(raw: object) -> Incoming:
    """An EPCISDocument or EPCISQueryDocument. Raises NotEpcisError when it is none, InvalidEventError for its head."""
    if not isinstance(raw, dict) or raw.get("type") not in ("EPCISDocument", "EPCISQueryDocument"):
        raise NotEpcisError("a capture takes an EPCISDocument or an EPCISQueryDocument")
    events, path = _event_list(raw)
    definitions = read_context(raw.get("@context"))
    taken: list[Captured] = []
    faults: list[Fault] = []
    for number, event in enumerate(events):
        try:
            taken.append(read_captured(event, definitions, f"{path}[{number}]"))
        except InvalidEventError as error:
            faults += error.faults
    return Incoming({key: value for key, value in raw.items() if key != "epcisBody"}, taken, faults)


def read_captured(raw: object, definitions: Mapping[str, object], path: str = "$") -> Captured:
    """Raises InvalidEventError with all that is wrong with the event."""
    own = dict(definitions)
    if isinstance(raw, dict) and "@context" in raw:
        own.update(read_context(raw["@context"], f"{path}['@context']"))
        raw = {key: value for key, value in raw.items() if key != "@context"}
    event = read_event(raw, path)
    if faults := validate(event, own, path):
        raise InvalidEventError(faults)
    event_id = event.event_id if isinstance(event.event_id, str) else event_hash(event_json(event), own)
    return Captured(path, event, own, event_id)


def query_document(
    events: Iterable[tuple[Json, Mapping[str, object]]],
    created: str,
    query_name: str = "SimpleEventQuery",
    subscription_id: str | None = None,
) -> Json:
    """An EPCISQueryDocument of events with the definitions that each needs."""
    found = list(events)
    shared = merged(definitions for _, definitions in found)
    results: Json = {"queryName": query_name}
    if subscription_id is not None:
        results["subscriptionID"] = subscription_id
    results["resultsBody"] = {"eventList": [_in_context(body, own, shared) for body, own in found]}
    return {
        "@context": context_json(shared),
        "type": "EPCISQueryDocument",
        "schemaVersion": "2.0",
        "creationDate": created,
        "epcisBody": {"queryResults": results},
    }


def _in_context(body: Json, own: Mapping[str, object], shared: Mapping[str, object]) -> Json:
    if all(shared.get(name) == value for name, value in own.items()):
        return body
    return {"@context": context_json(own), **body}


def _event_list(raw: Json) -> tuple[list[object], str]:
    path = "$.epcisBody"
    body = raw.get("epcisBody")
    if raw["type"] == "EPCISQueryDocument" and isinstance(body, dict):
        path += ".queryResults.resultsBody"
        results = body.get("queryResults")
        body = results.get("resultsBody") if isinstance(results, dict) else None
    events = body.get("eventList") if isinstance(body, dict) else None
    if not isinstance(events, list):
        raise NotEpcisError(f"{path}.eventList is not a list of events")
    return events, f"{path}.eventList"


def _refuse_constant(text: str) -> object:
    raise ValueError(f"{text} is no number")
