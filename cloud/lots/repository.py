"""Lots, what carries them, and where they were, from the database."""

from dataclasses import dataclass

from sqlalchemy import Connection

from cloud.lots.binding import ReadingRange, bind, stays_of
from cloud.lots.errors import UnknownLotError
from cloud.lots.residence import Residence
from cloud.site.repository import points_of_zone
from cloud.store import load_queries

AIR = "air_temperature"
_queries = load_queries("cloud.lots")


@dataclass(frozen=True, slots=True)
class Lot:
    id: int
    key: str
    gtin: str
    name_vi: str
    name_en: str
    quantity_kg: str | None
    created_at: int
    recorded_at: int


@dataclass(frozen=True, slots=True)
class Load:
    """A carrier that held the lot over [from_at, until_at)."""

    epc: str
    kind: str
    name: str
    from_at: int
    until_at: int | None


@dataclass(frozen=True, slots=True)
class LotPresence:
    """A lot that was in a zone during the time asked for."""

    key: str
    name_vi: str
    name_en: str
    quantity_kg: str | None
    from_at: int
    until_at: int | None


def lot_by_key(connection: Connection, key: str) -> Lot:
    """Raises UnknownLotError."""
    row = connection.execute(_queries.lot_by_key, {"key": key}).first()
    if row is None:
        raise UnknownLotError(key)
    return Lot(*row)


def lot_by_id(connection: Connection, lot_id: int) -> Lot:
    return Lot(*connection.execute(_queries.lot_by_id, {"lot_id": lot_id}).one())


def find_lots(connection: Connection, text: str = "", *, count: int = 50, offset: int = 0) -> list[Lot]:
    """By a part of number, GTIN or name, the newest first; an empty text finds all."""
    rows = connection.execute(_queries.find_lots, {"pattern": _pattern(text), "count": count, "offset": offset})
    return [Lot(*row) for row in rows]


def count_lots(connection: Connection, text: str = "") -> int:
    return int(connection.execute(_queries.count_lots, {"pattern": _pattern(text)}).scalar_one())


def loads_of_lot(connection: Connection, lot_id: int) -> list[Load]:
    rows = connection.execute(_queries.loads_of_lot, {"lot_id": lot_id})
    return [Load(row.epc, row.kind, row.name, row.from_at, row.until_at) for row in rows]


def residences_of_lot(connection: Connection, lot_id: int) -> list[Residence]:
    rows = connection.execute(_queries.current_residences, {"lot_id": lot_id})
    return [Residence(row.carrier_id, row.zone_id, row.from_at, row.until_at) for row in rows]


def reading_ranges(connection: Connection, lot_id: int, quantity: str = AIR) -> list[ReadingRange]:
    """Which readings are about the lot."""
    stays = stays_of(residences_of_lot(connection, lot_id))
    installed = {stay.zone_id: points_of_zone(connection, stay.zone_id, quantity) for stay in stays}
    return bind(stays, installed)


def lots_in_zone(connection: Connection, zone_id: int, from_at: int, until_at: int) -> list[LotPresence]:
    rows = connection.execute(_queries.lots_in_zone, {"zone_id": zone_id, "from_at": from_at, "until_at": until_at})
    return [LotPresence(*row) for row in rows]


def lots_of_breach(connection: Connection, breach_key: str, now_ms: int) -> list[LotPresence]:
    """The lots that were in the zone while the breach lasted; none for a breach that is not (or no more) stated."""
    breach = connection.execute(_queries.breach_by_key, {"key": breach_key}).first()
    if breach is None:
        return []
    until_at = now_ms if breach.ended_at is None else breach.ended_at
    return lots_in_zone(connection, breach.zone_id, breach.onset_at, until_at)


def _pattern(text: str) -> str:
    escaped = text.strip().lower().replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return f"%{escaped}%"
