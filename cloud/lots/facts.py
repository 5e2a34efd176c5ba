"""Takes facts about lots and carriers. The same fact again changes nothing and says so; a wrong one is refused.

Each `record_*` answers True when it was new. Where lots are is understood anew in the same transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from sqlalchemy import Connection

from cloud.lots.errors import (
    BadQuantityError,
    ConflictingFactError,
    OverlappingLoadError,
    UnknownCarrierError,
    UnknownLotError,
    UnknownZoneError,
    UnloadBeforeLoadError,
)
from cloud.lots.identifiers import epc_hex, gtin_14
from cloud.lots.recompute import recompute_lot
from cloud.site.repository import zone_by_key
from cloud.store import load_queries

_queries = load_queries("cloud.lots")


@dataclass(frozen=True, slots=True, kw_only=True)
class LotFact:
    key: str  # the lot number, as it stands on the label
    gtin: str
    name_vi: str
    name_en: str
    quantity_kg: str | None
    created_at: int


def record_lot(connection: Connection, lot: LotFact, now_ms: int) -> bool:
    facts: dict[str, object] = {
        "key": lot.key,
        "gtin": gtin_14(lot.gtin),
        "name_vi": lot.name_vi,
        "name_en": lot.name_en,
        "quantity_kg": None if lot.quantity_kg is None else _quantity(lot.quantity_kg),
        "created_at": lot.created_at,
    }
    product = {name: facts[name] for name in ("gtin", "name_vi", "name_en")}
    connection.execute(_queries.insert_product, product)
    if connection.execute(_queries.insert_lot, {**facts, "recorded_at": now_ms}).rowcount:
        return True
    recorded = connection.execute(_queries.lot_by_key, {"key": lot.key}).one()._asdict()
    _refuse_conflict(f"lot {lot.key}", recorded, facts)
    return False


def record_carrier(connection: Connection, *, epc: str, kind: str, name: str, now_ms: int) -> bool:
    facts: dict[str, object] = {"epc": epc_hex(epc), "kind": kind, "name": name}
    if connection.execute(_queries.insert_carrier, {**facts, "recorded_at": now_ms}).rowcount:
        return True
    recorded = connection.execute(_queries.carrier_by_epc, {"epc": facts["epc"]}).one()._asdict()
    _refuse_conflict(f"carrier {facts['epc']}", recorded, facts)
    return False


def record_load(connection: Connection, *, epc: str, lot: str, at: int, now_ms: int) -> bool:
    carrier_id = carrier_id_of(connection, epc)
    lot_id = lot_id_of(connection, lot)
    for load in connection.execute(_queries.loads_of_carrier, {"carrier_id": carrier_id}):
        if load.lot_id == lot_id and load.from_at == at:
            return False
        # A load is open-ended at first, so whatever begins later stands in its way, too.
        if load.until_at is None or load.until_at > at:
            raise OverlappingLoadError(epc_hex(epc), lot, load.lot, load.from_at, load.until_at)
    connection.execute(
        _queries.insert_load, {"carrier_id": carrier_id, "lot_id": lot_id, "from_at": at, "recorded_at": now_ms}
    )
    recompute_lot(connection, lot_id)
    return True


def record_unload(connection: Connection, *, epc: str, at: int, now_ms: int) -> bool:
    carrier_id = carrier_id_of(connection, epc)
    loads = connection.execute(_queries.loads_of_carrier, {"carrier_id": carrier_id}).all()
    if any(load.until_at == at for load in loads):
        return False
    holding = next((load for load in loads if load.until_at is None and load.from_at <= at), None)
    if holding is None:
        raise UnloadBeforeLoadError(epc_hex(epc), at)
    connection.execute(_queries.close_load, {"id": holding.id, "until_at": at, "recorded_at": now_ms})
    recompute_lot(connection, holding.lot_id)
    return True


def record_lot_move(connection: Connection, *, lot: str, zone: str | None, at: int, by: str, now_ms: int) -> bool:
    """`zone` None: it left the site."""
    lot_id = lot_id_of(connection, lot)
    if not _record_move(connection, zone, {"lot_id": lot_id, "carrier_id": None, "at": at, "by": by}, now_ms):
        return False
    recompute_lot(connection, lot_id)
    return True


def record_carrier_move(connection: Connection, *, epc: str, zone: str | None, at: int, by: str, now_ms: int) -> bool:
    """`zone` None: it left the site."""
    carrier_id = carrier_id_of(connection, epc)
    fact = {"lot_id": None, "carrier_id": carrier_id, "at": at, "by": by}
    if not _record_move(connection, zone, fact, now_ms):
        return False
    for lot_id in connection.execute(_queries.lots_of_carrier, {"epc": epc_hex(epc)}).scalars().all():
        recompute_lot(connection, lot_id)
    return True


def _record_move(connection: Connection, zone: str | None, fact: Mapping[str, object], now_ms: int) -> bool:
    place = {**fact, "zone_id": None if zone is None else zone_id_of(connection, zone)}
    if connection.execute(_queries.find_lot_move, {**place, "has_left": int(zone is None)}).first():
        return False
    connection.execute(_queries.insert_lot_move, {**place, "recorded_at": now_ms})
    return True


def _refuse_conflict(what: str, recorded: dict[str, object], given: dict[str, object]) -> None:
    if any(recorded[name] != value for name, value in given.items()):
        raise ConflictingFactError(what, recorded, given)


def _quantity(text: str) -> str:
    try:
        quantity = Decimal(text)
    except InvalidOperation as error:
        raise BadQuantityError(text) from error
    if not quantity.is_finite() or quantity < 0:
        raise BadQuantityError(text)
    return f"{quantity:f}"


def zone_id_of(connection: Connection, key: str) -> int:
    zone = zone_by_key(connection, key)
    if zone is None:
        raise UnknownZoneError(key)
    return zone.id


def lot_id_of(connection: Connection, key: str) -> int:
    row = connection.execute(_queries.lot_by_key, {"key": key}).first()
    if row is None:
        raise UnknownLotError(key)
    return int(row.id)


def carrier_id_of(connection: Connection, epc: str) -> int:
    row = connection.execute(_queries.carrier_by_epc, {"epc": epc_hex(epc)}).first()
    if row is None:
        raise UnknownCarrierError(epc_hex(epc))
    return int(row.id)
