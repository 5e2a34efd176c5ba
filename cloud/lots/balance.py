"""How much of a lot is left, and what its events say about where it is. Pure; the order of arrival never matters."""

from collections.abc import Iterable
from decimal import Decimal

from cloud.lots.events import EventKind, Item, LotEvent
from cloud.lots.residence import Move

# Drip and the scale: what is left below this share of a lot is nothing that anybody will find.
RESIDUE_SHARE = Decimal("0.02")
_LEAVING = {EventKind.SHIP, EventKind.DESTROY}
_NO_PLACE = {*_LEAVING, EventKind.HOLD, EventKind.RELEASE, EventKind.REJECT, EventKind.DOWNGRADE, EventKind.RECALL}


def taken_from(lot: str, event: LotEvent) -> Item | None:
    """What an event took away from the lot for good."""
    items = event.subjects if event.kind in _LEAVING else event.inputs
    return next((item for item in items if item.lot == lot), None)


def left_of(lot: str, quantity_kg: str | None, events: Iterable[LotEvent]) -> Decimal | None:
    """Kilograms; None where nobody ever said how much there was."""
    left = _begin(lot, quantity_kg, events)
    for event in events:
        item = taken_from(lot, event)
        if item is None:
            continue
        if item.quantity_kg is None:
            return Decimal(0)
        if left is not None:
            left -= Decimal(item.quantity_kg)
    return None if left is None else max(left, Decimal(0))


def gone_at(lot: str, quantity_kg: str | None, events: Iterable[LotEvent]) -> int | None:
    """When the last of it was used up, shipped or destroyed."""
    in_order = sorted(events, key=_order)
    begin = left = _begin(lot, quantity_kg, in_order)
    for event in in_order:
        item = taken_from(lot, event)
        if item is None:
            continue
        if item.quantity_kg is None:
            return event.at
        if left is None or begin is None:
            continue
        left -= Decimal(item.quantity_kg)
        if left <= begin * RESIDUE_SHARE:
            return event.at
    return None


def moves_of_events(
    lot: str, quantity_kg: str | None, events: Iterable[LotEvent], zone_ids: dict[str, int]
) -> list[Move]:
    """An event's zone is where the lot is afterwards; a lot that is used up is nowhere."""
    valid = list(events)
    moves = [
        Move(event.at, is_by_hand=True, zone_id=zone_ids[event.zone])
        for event in valid
        if event.zone is not None and event.kind not in _NO_PLACE and _is_there(lot, event)
    ]
    end = gone_at(lot, quantity_kg, valid)
    if end is None:
        return moves
    return [*(move for move in moves if move.at < end), Move(end, is_by_hand=True, zone_id=None)]


def _is_there(lot: str, event: LotEvent) -> bool:
    return any(item.lot == lot for item in (*event.outputs, *event.subjects))


def _begin(lot: str, quantity_kg: str | None, events: Iterable[LotEvent]) -> Decimal | None:
    if quantity_kg is not None:
        return Decimal(quantity_kg)
    made = [item.quantity_kg for event in events for item in event.outputs if item.lot == lot]
    said = [Decimal(text) for text in made if text is not None]
    return sum(said, Decimal(0)) if said else None


def _order(event: LotEvent) -> tuple[int, str]:
    return (event.at, event.event_id)
