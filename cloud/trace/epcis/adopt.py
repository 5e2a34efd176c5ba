"""What partners captured about our lots becomes facts: received, made, shipped, held, moved into one of our zones.

A lot that is not known yet enters the books by its LGTIN. What the ledger refuses stays an event and no more; the
refusal is told to whoever captured it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from cloud import lots
from cloud.lots import EventKind, Item, LotEvent
from cloud.site.repository import zones
from cloud.trace.epcis.document import Captured
from cloud.trace.epcis.index import millis
from cloud.trace.epcis.vocabulary import expanded
from cloud.trace.keys import BadKeyError, parse_key
from cloud.trace.settings import TraceSettings

Json = Mapping[str, Any]  # Any: events as JSON
BY = "EPCIS"
_OBJECT_KINDS = {
    "receiving": EventKind.RECEIVE,
    "shipping": EventKind.SHIP,
    "holding": EventKind.HOLD,
    "destroying": EventKind.DESTROY,
}
_MAKING_KINDS = {
    "packing": EventKind.PACK,
    "repackaging": EventKind.SPLIT,
    "urn:coldlink:bizstep:slaughtering": EventKind.SLAUGHTER,
    "urn:coldlink:bizstep:merging": EventKind.MERGE,
    "urn:coldlink:bizstep:reworking": EventKind.REWORK,
}
_STEPS = {expanded("bizStep", word): kind for word, kind in {**_OBJECT_KINDS, **_MAKING_KINDS}.items()}


def adopt(
    connection: Connection, events: Iterable[Captured], settings: TraceSettings, now_ms: int
) -> Iterator[tuple[Captured, str | None]]:
    """Each event that is about lots of ours, with the reason why it became no fact (None: it did)."""
    places = [zone.key for zone in zones(connection)]
    for event in events:
        body = event.body
        if "errorDeclaration" in body or body["type"] not in ("ObjectEvent", "TransformationEvent"):
            continue
        fact = _fact(body, settings, places)
        if fact is None:
            continue
        savepoint = connection.begin_nested()
        try:
            _enter(connection, body, now_ms)
            _take(connection, fact, now_ms)
        except lots.LotError as error:
            savepoint.rollback()
            yield event, f"{event.path}: {error}"
        else:
            savepoint.commit()
            yield event, None


def _fact(body: Json, settings: TraceSettings, places: Sequence[str]) -> LotEvent | tuple[str, list[Item], int] | None:
    """A lot event, or a move (zone, lots, time); None when it is about nothing that is kept here."""
    at = millis(body["eventTime"])
    zone = settings.zone_of(body["bizLocation"]["id"], places) if "bizLocation" in body else None
    kind = _STEPS.get(expanded("bizStep", body.get("bizStep", "")))
    if body["type"] == "TransformationEvent":
        inputs, outputs = _items(body, "inputQuantityList"), _items(body, "outputQuantityList")
        if not inputs or not outputs:
            return None
        made = kind if kind in _MAKING_KINDS.values() else EventKind.CUT
        return LotEvent(
            kind=made or EventKind.CUT,
            at=at,
            by=BY,
            event_id=body["eventID"],
            inputs=tuple(inputs),
            outputs=tuple(outputs),
            zone=zone,
            transformation_id=body.get("transformationID"),
        )
    subjects = _items(body, "quantityList")
    if not subjects:
        return None
    if kind in _OBJECT_KINDS.values() and kind is not None:
        return LotEvent(
            kind=kind,
            at=at,
            by=BY,
            event_id=body["eventID"],
            subjects=tuple(subjects),
            zone=zone,
            reason=str(body.get("coldlink:reason", "EPCIS")),
        )
    return None if zone is None else (zone, subjects, at)


def _take(connection: Connection, fact: LotEvent | tuple[str, list[Item], int], now_ms: int) -> None:
    if isinstance(fact, LotEvent):
        lots.record_event(connection, fact, now_ms)
        return
    zone, items, at = fact
    for item in items:
        lots.record_lot_move(connection, lot=item.lot, zone=zone, at=at, by=BY, now_ms=now_ms)


def _enter(connection: Connection, body: Json, now_ms: int) -> None:
    """Lots that nobody has told us of before."""
    for field in ("quantityList", "inputQuantityList", "outputQuantityList"):
        for gtin, item in _lots(body, field):
            try:
                lots.lot_by_key(connection, item.lot)
            except lots.UnknownLotError:
                fact = lots.LotFact(
                    key=item.lot,
                    gtin=gtin,
                    name_vi=f"GTIN {gtin}",
                    name_en=f"GTIN {gtin}",
                    quantity_kg=item.quantity_kg,
                    created_at=millis(body["eventTime"]),
                )
                lots.record_lot(connection, fact, now_ms)


def _items(body: Json, field: str) -> list[Item]:
    return [item for _, item in _lots(body, field)]


def _lots(body: Json, field: str) -> Iterator[tuple[str, Item]]:
    for element in body.get(field, ()):
        try:
            key = parse_key(element["epcClass"])
        except BadKeyError:
            continue
        if key is None or key.kind != "lgtin":
            continue
        amount, unit = element.get("quantity"), element.get("uom")
        weight = str(amount) if amount is not None and unit == "KGM" else None
        pieces = amount if isinstance(amount, int) and unit is None else None
        yield key.element[0][1], Item(lot=key.element[1][1], quantity_kg=weight, pieces=pieces)
