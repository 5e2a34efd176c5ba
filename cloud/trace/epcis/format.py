"""How identifiers are spelled in an answer: as Digital Links, as EPC URNs, or as they came (GS1-EPC-Format)."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

from cloud.trace.keys import BadKeyError, parse_key

Json = dict[str, Any]  # Any: events as JSON
_LISTS = ("epcList", "childEPCs", "inputEPCList", "outputEPCList")
_SINGLE = ("parentID", "transformationID")
_IDS = ("readPoint", "bizLocation")
_ELEMENTS = {
    "quantityList": "epcClass",
    "childQuantityList": "epcClass",
    "inputQuantityList": "epcClass",
    "outputQuantityList": "epcClass",
    "bizTransactionList": "bizTransaction",
    "sourceList": "source",
    "destinationList": "destination",
}


class EpcFormat(enum.Enum):
    NO_PREFERENCE = "No_Preference"
    DIGITAL_LINK = "Always_GS1_Digital_Link"
    URN = "Always_EPC_URN"
    NEVER = "Never_Translates"


def formatted(event: Json, wanted: EpcFormat, prefix_digits: int | None = None) -> Json:
    """`prefix_digits` is how long our own company prefix is: a link of somebody else's stays a link."""
    if wanted in (EpcFormat.NO_PREFERENCE, EpcFormat.NEVER):
        return event
    spell = speller(wanted, prefix_digits)
    spelled = dict(event)
    for name in _LISTS:
        if name in event:
            spelled[name] = [spell(text) for text in event[name]]
    for name in _SINGLE:
        if name in event:
            spelled[name] = spell(event[name])
    for name in _IDS:
        if name in event:
            spelled[name] = {**event[name], "id": spell(event[name]["id"])}
    for name, field in _ELEMENTS.items():
        if name in event:
            spelled[name] = [{**element, field: spell(element[field])} for element in event[name]]
    if "sensorElementList" in event:
        spelled["sensorElementList"] = [_element(element, spell) for element in event["sensorElementList"]]
    return spelled


def speller(wanted: EpcFormat, prefix_digits: int | None = None) -> Callable[[str], str]:
    def spell(text: str) -> str:
        is_urn = text.startswith("urn:epc:")
        if is_urn == (wanted is EpcFormat.URN):
            return text
        try:
            key = parse_key(text)
        except BadKeyError:
            return text
        if key is None:
            return text
        return key.link if is_urn else key.urn(prefix_digits) or text

    return spell


def _element(element: Json, spell: Callable[[str], str]) -> Json:
    spelled = {**element, "sensorReport": [_device(report, spell) for report in element["sensorReport"]]}
    if "sensorMetadata" in element:
        spelled["sensorMetadata"] = _device(element["sensorMetadata"], spell)
    return spelled


def _device(part: Json, spell: Callable[[str], str]) -> Json:
    return {**part, "deviceID": spell(part["deviceID"])} if "deviceID" in part else part
