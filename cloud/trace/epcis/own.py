"""Our own facts in the words of EPCIS: what happened to a lot, where it went, what it went through there. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from cloud.lots import EventKind, Item, LotEvent, Stop
from cloud.trace.epc import decode, parse_hex
from cloud.trace.epcis.vocabulary import BIZ_STEPS, DISPOSITIONS, TRANSACTION_TYPES
from cloud.trace.errors import EpcError
from cloud.trace.settings import TraceSettings
from cloud.trace.times import iso

Json = dict[str, Any]  # Any: events as JSON
DEFINITIONS = {"coldlink": "urn:coldlink:voc:"}
"""The namespace of what EPCIS has no word for: coverage, unknown minutes, the reason of a decision."""

_OFFSET = "+07:00"
_OWN_WORD = "urn:coldlink:"
_STANDING = {  # a disposition that stays until it is taken back (EPCIS 2.0, persistentDisposition)
    EventKind.HOLD: {"set": ["unavailable"]},
    EventKind.RELEASE: {"unset": ["unavailable"]},
    EventKind.REJECT: {"set": ["non_conformant"]},
    EventKind.RECALL: {"set": ["recalled"]},
}


def of_lot_event(event: LotEvent, gtins: Mapping[str, str], settings: TraceSettings) -> Json | None:
    """None for a correction, which is an error declaration of the event that it names. People are not named."""
    if event.kind is EventKind.CORRECTION:
        return None
    told = _situated(event.meaning.shape.value, event.at, event.zone, settings)
    told |= {"eventID": event.event_id, **_words(event)}

    def listed(items: Sequence[Item]) -> list[Json]:
        return [_element(item, gtins, settings) for item in items]

    match event.meaning.shape:
        case "TransformationEvent":
            told |= {"inputQuantityList": listed(event.inputs), "outputQuantityList": listed(event.outputs)}
            if event.transformation_id:
                told["transformationID"] = _uri("transformation", event.transformation_id)
        case "AggregationEvent":
            told |= {
                "action": "ADD",
                "parentID": carrier_id(event.carrier or ""),
                "childQuantityList": listed(event.subjects),
            }
        case _:
            action = "DELETE" if event.kind is EventKind.DESTROY else "OBSERVE"
            told |= {"action": action, "quantityList": listed(event.subjects)}
            if event.kind in _STANDING:
                told["persistentDisposition"] = _STANDING[event.kind]
    if event.core_celsius is not None:
        core = {"type": "Temperature", "value": float(event.core_celsius), "uom": "CEL", "coldlink:position": "core"}
        told["sensorElementList"] = [{"sensorMetadata": {"time": iso(event.at)}, "sensorReport": [core]}]
    if event.documents:
        told["bizTransactionList"] = [_document(paper.type, paper.number) for paper in event.documents]
    if event.source:
        told["sourceList"] = [{"type": "possessing_party", "source": _uri("party", event.source)}]
    if event.destination:
        told["destinationList"] = [{"type": "possessing_party", "destination": _uri("party", event.destination)}]
    return told | ({"coldlink:reason": event.reason} if event.reason else {})


def of_arrival(lot: str, stop: Stop, settings: TraceSettings) -> Json:
    """It is in the zone from now on: bizLocation is the place after the event."""
    return {
        **_situated("ObjectEvent", stop.from_at, stop.zone, settings),
        "action": "OBSERVE",
        "quantityList": [{"epcClass": lot}],
        "bizStep": "storing",
        "disposition": "in_progress",
    }


def of_stay(lot: str, stop: Stop, until_at: int, raw_data: str | None, settings: TraceSettings) -> Json:
    """What the air was while it was there: the extremes, the mean, and how much is known."""
    report: Json = {"type": "Temperature", "uom": "CEL", "coldlink:position": "air"}
    if stop.minimum is not None and stop.maximum is not None and stop.mean is not None:
        low, high = round(stop.minimum, 3), round(stop.maximum, 3)
        report |= {"minValue": low, "maxValue": high, "meanValue": min(max(round(stop.mean, 3), low), high)}
    report |= {
        "coldlink:coverage": round(stop.coverage, 4),
        "coldlink:unknownMinutes": round(stop.unknown_minutes, 1),
        "coldlink:minutesAbove": round(stop.minutes_above, 1),
    }
    if stop.breaches:
        report["exception"] = "ALARM_CONDITION"
    metadata: Json = {"startTime": iso(stop.from_at), "endTime": iso(until_at)}
    if raw_data:
        metadata["rawData"] = raw_data
    return {
        **_situated("ObjectEvent", until_at, stop.zone, settings),
        "action": "OBSERVE",
        "quantityList": [{"epcClass": lot}],
        "bizStep": "sensor_reporting",
        "sensorElementList": [{"sensorMetadata": metadata, "sensorReport": [report]}],
    }


def carrier_id(epc: str) -> str:
    """What the tag identifies; a tag that is not GS1's keeps its hex."""
    try:
        link = decode(parse_hex(epc)).identity_link
    except EpcError:
        link = None
    return link or f"urn:coldlink:epc:{epc}"


def _situated(kind: str, at: int, zone: str | None, settings: TraceSettings) -> Json:
    told: Json = {"type": kind, "eventTime": iso(at), "eventTimeZoneOffset": _OFFSET}
    if zone is not None:
        place = settings.place(zone)
        told |= {"readPoint": {"id": place}, "bizLocation": {"id": place}}
    return told


def _words(event: LotEvent) -> Json:
    found = {}
    if event.biz_step:
        found["bizStep"] = event.biz_step if event.biz_step in BIZ_STEPS else _uri("bizstep", event.biz_step)
    if event.disposition:
        is_standard = event.disposition in DISPOSITIONS
        found["disposition"] = event.disposition if is_standard else _uri("disposition", event.disposition)
    return found


def _element(item: Item, gtins: Mapping[str, str], settings: TraceSettings) -> Json:
    element: Json = {"epcClass": settings.lot(gtins[item.lot], item.lot)}
    if item.quantity_kg is not None:
        return element | {"quantity": _number(item.quantity_kg), "uom": "KGM"}
    return element | ({} if item.pieces is None else {"quantity": item.pieces})


def _number(text: str) -> int | float:
    exact = Decimal(text)
    return int(exact) if exact == exact.to_integral_value() else float(exact)


def _document(kind: str, number: str) -> Json:
    is_standard = kind in TRANSACTION_TYPES
    return {
        "type": kind if is_standard else _uri("document-type", kind),
        "bizTransaction": _uri("document", number),
    }


def _uri(what: str, text: str) -> str:
    """A URI as it is; any other text as a name in our own namespace."""
    head, colon, _ = text.partition(":")
    if colon and head in ("urn", "http", "https", "ni") and " " not in text:
        return text
    return f"{_OWN_WORD}{what}:{quote(text, safe='')}"
