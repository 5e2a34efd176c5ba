"""Keeps lot events and finds them again. The same event again changes nothing and says so; a wrong one is refused.

Where lots are is understood anew in the same transaction.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Row, bindparam

from cloud.lots.errors import BadEventError, ConflictingFactError, CycleError, UnknownEventError
from cloud.lots.events import TRANSFORMATIONS, EventKind, LotEvent, Recorded, checked, digest
from cloud.lots.facts import carrier_id_of, lot_id_of, record_load, zone_id_of
from cloud.lots.holds import refuse_shipment
from cloud.lots.recompute import recompute_lot
from cloud.store import load_queries

FAR = 1 << 62
_queries = load_queries("cloud.lots", "ledger.sql")
_ANCESTORS = _queries.ancestors.bindparams(bindparam("lots", expanding=True))


class Taken(NamedTuple):
    """What became of an event that was handed in."""

    event: LotEvent
    is_new: bool


def record_event(connection: Connection, event: LotEvent, now_ms: int) -> Taken:
    """Raises a LotError where it cannot be taken."""
    plain = checked(event)
    known = connection.execute(_queries.event_by_id, {"event_id": plain.event_id}).first()
    if known is not None:
        return _known_already(plain, known)
    lots = {item.lot: lot_id_of(connection, item.lot) for item in plain.items}
    _refuse_impossible(connection, plain, lots)
    number = connection.execute(_queries.insert_event, _columns(connection, plain, now_ms)).scalar_one()
    for side, items in (("input", plain.inputs), ("output", plain.outputs), ("subject", plain.subjects)):
        for position, item in enumerate(items):
            row = {"event": number, "side": side, "lot_id": lots[item.lot], "position": position}
            connection.execute(_queries.insert_item, {**row, "quantity_kg": item.quantity_kg, "pieces": item.pieces})
    _follow(connection, plain, sorted(lots.values()), now_ms)
    return Taken(plain, is_new=True)


def event_by_id(connection: Connection, event_id: str) -> Recorded:
    """Raises UnknownEventError."""
    row = connection.execute(_queries.event_by_id, {"event_id": event_id}).first()
    if row is None:
        raise UnknownEventError(event_id)
    return _recorded(row)


def events_of_lot(connection: Connection, lot_id: int, known_at: int = FAR) -> list[Recorded]:
    """In the order in which they happened, as known then; corrected ones are among them and say so."""
    rows = connection.execute(_queries.events_of_lot, {"lot_id": lot_id})
    return [_recorded(row) for row in rows if row.recorded_at <= known_at]


def events_after(connection: Connection, number: int = 0, count: int = 100) -> Iterator[Recorded]:
    """In the order of arrival: how others follow the ledger."""
    for row in connection.execute(_queries.events_after, {"after": number, "count": count}):
        yield _recorded(row)


def is_valid(recorded: Recorded, known_at: int = FAR) -> bool:
    """Not corrected, as known then."""
    return recorded.corrected_at is None or recorded.corrected_at > known_at


def _known_already(event: LotEvent, known: Row[Any]) -> Taken:
    if known.digest != digest(event):
        recorded = msgspec.to_builtins(_recorded(known).event)
        raise ConflictingFactError(f"event {event.event_id}", recorded, msgspec.to_builtins(event))
    return Taken(event, is_new=False)


def _refuse_impossible(connection: Connection, event: LotEvent, lots: dict[str, int]) -> None:
    if event.corrects is not None:
        wrong = event_by_id(connection, event.corrects).event
        if wrong.kind in {EventKind.AGGREGATE, EventKind.CORRECTION}:
            raise BadEventError(event.kind, f"a `{wrong.kind}` is not corrected: record what is right instead")
    if event.kind in TRANSFORMATIONS:
        _refuse_cycle(connection, event, lots)
    if event.kind is EventKind.SHIP:
        refuse_shipment(connection, event, lots)


def _refuse_cycle(connection: Connection, event: LotEvent, lots: dict[str, int]) -> None:
    inputs = [lots[item.lot] for item in event.inputs]
    older = set(connection.execute(_ANCESTORS, {"lots": inputs, "known_at": FAR}).scalars())
    for item in event.outputs:
        if lots[item.lot] in older:
            raise CycleError([item.lot, *(each.lot for each in event.inputs), item.lot])


def _follow(connection: Connection, event: LotEvent, lots: list[int], now_ms: int) -> None:
    """What else is true now."""
    if event.kind is EventKind.AGGREGATE and event.carrier is not None:
        for item in event.subjects:
            record_load(connection, epc=event.carrier, lot=item.lot, at=event.at, now_ms=now_ms)
    if event.corrects is not None:
        lots = sorted(connection.execute(_queries.lots_of_event, {"event_id": event.corrects}).scalars())
    for lot_id in lots:
        recompute_lot(connection, lot_id)


def _columns(connection: Connection, event: LotEvent, now_ms: int) -> dict[str, object]:
    return {
        "event_id": event.event_id,
        "kind": event.kind.value,
        "at": event.at,
        "recorded_at": now_ms,
        "zone_id": None if event.zone is None else zone_id_of(connection, event.zone),
        "carrier_id": None if event.carrier is None else carrier_id_of(connection, event.carrier),
        "by": event.by,
        "reason": event.reason,
        "biz_step": event.biz_step,
        "disposition": event.disposition,
        "breach_key": event.breach,
        "corrects": event.corrects,
        "body": msgspec.json.encode(event).decode(),
        "digest": digest(event),
    }


def _recorded(row: Row[Any]) -> Recorded:  # Any: a row of a textual query has no static shape
    event = msgspec.json.decode(row.body, type=LotEvent)
    return Recorded(event=event, number=row.id, recorded_at=row.recorded_at, corrected_at=row.corrected_at)
