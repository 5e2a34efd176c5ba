"""EPCIS events as types. What the standard names is a field; what a firm added is kept beside it, as it came.

JSON object -> read_event -> ObjectEvent(...) -> event_json -> the same JSON object
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from cloud.trace.epcis.errors import Fault, InvalidEventError

Json = dict[str, Any]  # Any: extensions are whatever a firm puts into them


def _json_name(name: str) -> str:
    """input_epc_list -> inputEPCList: camel case in which EPC and ID are shouted unless they begin the name."""
    first, *rest = name.split("_")
    shouted = {"epc": "EPC", "epcs": "EPCs", "id": "ID", "ids": "IDs"}
    return first + "".join(shouted.get(word, word.capitalize()) for word in rest)


class Part(msgspec.Struct, kw_only=True, rename=_json_name):
    """`extensions`: keys of other namespaces, with their prefix."""

    extensions: Json = {}


class QuantityElement(Part, kw_only=True):
    epc_class: str
    quantity: int | float | UnsetType = UNSET
    uom: str | UnsetType = UNSET


class Place(Part, kw_only=True):
    id: str


class BizTransaction(Part, kw_only=True):
    biz_transaction: str
    type: str | UnsetType = UNSET


class Source(Part, kw_only=True):
    type: str
    source: str


class Destination(Part, kw_only=True):
    type: str
    destination: str


class PersistentDisposition(Part, kw_only=True):
    set: list[str] | UnsetType = UNSET
    unset: list[str] | UnsetType = UNSET


class ErrorDeclaration(Part, kw_only=True):
    declaration_time: str
    reason: str | UnsetType = UNSET
    corrective_event_ids: list[str] | UnsetType = UNSET


class SensorMetadata(Part, kw_only=True):
    time: str | UnsetType = UNSET
    start_time: str | UnsetType = UNSET
    end_time: str | UnsetType = UNSET
    device_id: str | UnsetType = UNSET
    device_metadata: str | UnsetType = UNSET
    raw_data: str | UnsetType = UNSET
    data_processing_method: str | UnsetType = UNSET
    biz_rules: str | UnsetType = UNSET


class SensorReport(Part, kw_only=True):
    type: str
    exception: str | UnsetType = UNSET
    device_id: str | UnsetType = UNSET
    device_metadata: str | UnsetType = UNSET
    raw_data: str | UnsetType = UNSET
    data_processing_method: str | UnsetType = UNSET
    biz_rules: str | UnsetType = UNSET
    time: str | UnsetType = UNSET
    microorganism: str | UnsetType = UNSET
    chemical_substance: str | UnsetType = UNSET
    coordinate_reference_system: str | UnsetType = UNSET
    value: int | float | UnsetType = UNSET
    component: str | UnsetType = UNSET
    string_value: str | UnsetType = UNSET
    boolean_value: bool | UnsetType = UNSET
    hex_binary_value: str | UnsetType = UNSET
    uri_value: str | UnsetType = UNSET
    min_value: int | float | UnsetType = UNSET
    max_value: int | float | UnsetType = UNSET
    mean_value: int | float | UnsetType = UNSET
    s_dev: int | float | UnsetType = UNSET
    perc_rank: int | float | UnsetType = UNSET
    perc_value: int | float | UnsetType = UNSET
    uom: str | UnsetType = UNSET


class SensorElement(Part, kw_only=True):
    sensor_report: list[SensorReport]
    sensor_metadata: SensorMetadata | UnsetType = UNSET


class Event(Part, kw_only=True):
    """What all events have. Times stay as they were written, so that nothing of them is lost."""

    type: str
    event_time: str
    event_time_zone_offset: str
    event_id: str | UnsetType = UNSET
    record_time: str | UnsetType = UNSET
    certification_info: str | list[str] | UnsetType = UNSET
    error_declaration: ErrorDeclaration | UnsetType = UNSET


class _Situated(Event, kw_only=True):
    """The why and where that the five standard events share."""

    biz_step: str | UnsetType = UNSET
    disposition: str | UnsetType = UNSET
    read_point: Place | UnsetType = UNSET
    biz_location: Place | UnsetType = UNSET
    source_list: list[Source] | UnsetType = UNSET
    destination_list: list[Destination] | UnsetType = UNSET
    sensor_element_list: list[SensorElement] | UnsetType = UNSET


class ObjectEvent(_Situated, kw_only=True):
    action: str
    epc_list: list[str] | UnsetType = UNSET
    quantity_list: list[QuantityElement] | UnsetType = UNSET
    biz_transaction_list: list[BizTransaction] | UnsetType = UNSET
    persistent_disposition: PersistentDisposition | UnsetType = UNSET
    ilmd: Json | UnsetType = UNSET


class AggregationEvent(_Situated, kw_only=True):
    action: str
    parent_id: str | UnsetType = UNSET
    child_epcs: list[str] | UnsetType = msgspec.field(default=UNSET, name="childEPCs")
    child_quantity_list: list[QuantityElement] | UnsetType = UNSET
    biz_transaction_list: list[BizTransaction] | UnsetType = UNSET


class AssociationEvent(_Situated, kw_only=True):
    action: str
    parent_id: str
    child_epcs: list[str] | UnsetType = msgspec.field(default=UNSET, name="childEPCs")
    child_quantity_list: list[QuantityElement] | UnsetType = UNSET
    biz_transaction_list: list[BizTransaction] | UnsetType = UNSET


class TransactionEvent(_Situated, kw_only=True):
    action: str
    biz_transaction_list: list[BizTransaction]
    parent_id: str | UnsetType = UNSET
    epc_list: list[str] | UnsetType = UNSET
    quantity_list: list[QuantityElement] | UnsetType = UNSET


class TransformationEvent(_Situated, kw_only=True):
    input_epc_list: list[str] | UnsetType = UNSET
    input_quantity_list: list[QuantityElement] | UnsetType = UNSET
    output_epc_list: list[str] | UnsetType = UNSET
    output_quantity_list: list[QuantityElement] | UnsetType = UNSET
    transformation_id: str | UnsetType = UNSET
    biz_transaction_list: list[BizTransaction] | UnsetType = UNSET
    persistent_disposition: PersistentDisposition | UnsetType = UNSET
    ilmd: Json | UnsetType = UNSET


class ExtendedEvent(Event, kw_only=True):
    """An event type of a firm's own: all but the common fields are extensions."""


_KINDS: Mapping[str, type[Event]] = {
    kind.__name__: kind
    for kind in (ObjectEvent, AggregationEvent, AssociationEvent, TransactionEvent, TransformationEvent)
}
_PARTS: Mapping[str, type[Part]] = {
    "readPoint": Place,
    "bizLocation": Place,
    "quantityList": QuantityElement,
    "childQuantityList": QuantityElement,
    "inputQuantityList": QuantityElement,
    "outputQuantityList": QuantityElement,
    "bizTransactionList": BizTransaction,
    "sourceList": Source,
    "destinationList": Destination,
    "persistentDisposition": PersistentDisposition,
    "errorDeclaration": ErrorDeclaration,
    "sensorElementList": SensorElement,
    "sensorMetadata": SensorMetadata,
    "sensorReport": SensorReport,
}


def read_event(raw: object, path: str = "$") -> Event:
    """Raises InvalidEventError when a field has not the type that the standard gives it."""
    if not isinstance(raw, dict):
        raise InvalidEventError([Fault(path, "an event is a JSON object")])
    kind = raw.get("type")
    if not isinstance(kind, str):
        raise InvalidEventError([Fault(f"{path}.type", "an event has a type, such as ObjectEvent")])
    cls = _KINDS.get(kind, ExtendedEvent)
    try:
        return msgspec.convert(_folded(raw, cls), cls)
    except msgspec.ValidationError as error:
        reason, _, where = str(error).partition(" - at `")
        raise InvalidEventError([Fault(path + where.rstrip("`").removeprefix("$"), reason)]) from error


def event_json(event: Event) -> Json:
    """The JSON object that it was read from."""
    unfolded: Json = _unfolded(msgspec.to_builtins(event))
    return unfolded


def _folded(raw: Json, cls: type[Part]) -> Json:
    known = {field.encode_name for field in msgspec.structs.fields(cls)}
    inside = {key: _fold_value(key, value) for key, value in raw.items() if key in known and key != "extensions"}
    outside = {key: value for key, value in raw.items() if key not in known or key == "extensions"}
    return {**inside, "extensions": outside}


def _fold_value(key: str, value: object) -> object:
    part = _PARTS.get(key)
    if part is None:
        return value
    if isinstance(value, list):
        return [_folded(item, part) if isinstance(item, dict) else item for item in value]
    return _folded(value, part) if isinstance(value, dict) else value


def _unfolded(folded: Json) -> Json:
    extensions = folded.pop("extensions", {})
    plain = {key: _unfold_value(key, value) for key, value in folded.items()}
    return {**plain, **extensions}


def _unfold_value(key: str, value: object) -> object:
    if key not in _PARTS:
        return value
    if isinstance(value, list):
        return [_unfolded(item) for item in value]
    assert isinstance(value, dict)
    return _unfolded(value)
