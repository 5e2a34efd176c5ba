"""Understands anew where lots were, for exactly those of which something new is known.

Everything happens in the caller's transaction, the removal of the work list included: a crash leaves the work to do.
"""

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection

from cloud.lots.balance import moves_of_events
from cloud.lots.events import LotEvent
from cloud.lots.residence import CarrierFacts, Move, Residence, Role, Seen, Span, movements, residences
from cloud.site.repository import zones
from cloud.store import load_queries

FAR = 1 << 62
_queries = load_queries("cloud.lots")


def recompute(connection: Connection) -> list[int]:
    """Takes all carriers that readers saw since last time; gives the ids of the lots whose way changed."""
    lots: set[int] = set()
    for dirty in connection.execute(_queries.dirty_carriers).all():
        lots.update(connection.execute(_queries.lots_of_carrier, {"epc": dirty.epc}).scalars())
        connection.execute(_queries.forget_dirty_carrier, {"epc": dirty.epc, "last_id": dirty.last_id})
    return [lot_id for lot_id in sorted(lots) if recompute_lot(connection, lot_id)]


def recompute_lot(connection: Connection, lot_id: int) -> bool:
    """True when the lot's way is now understood otherwise; the old understanding is kept as an older version."""
    stated = {
        Residence(row.carrier_id, row.zone_id, row.from_at, row.until_at): row.id
        for row in connection.execute(_queries.current_residences, {"lot_id": lot_id})
    }
    found = understood(connection, lot_id)
    fresh = [stay for stay in found if stay not in stated]
    outdated = [row_id for stay, row_id in stated.items() if stay not in set(found)]
    if not fresh and not outdated:
        return False
    version = connection.execute(_queries.newest_residence_version, {"lot_id": lot_id}).scalar_one() + 1
    for row_id in outdated:
        connection.execute(_queries.retire_residence, {"id": row_id})
    for stay in fresh:
        connection.execute(_queries.insert_residence, {**stay._asdict(), "lot_id": lot_id, "version": version})
    connection.execute(_queries.mark_lot_dirty, {"lot_id": lot_id})
    return True


def understood(connection: Connection, lot_id: int, known_at: int = FAR) -> list[Residence]:
    """Where the lot was, by the facts that were known at a time."""
    known = {"known_at": known_at}
    loads: dict[tuple[int, str], list[Span]] = {}
    for row in connection.execute(_queries.loads_known, {"lot_id": lot_id, **known}):
        loads.setdefault((row.carrier_id, row.epc), []).append(Span(row.from_at, row.until_at))
    carriers = [
        CarrierFacts(carrier_id, _moves_of_carrier(connection, carrier_id, epc, known_at), spans)
        for (carrier_id, epc), spans in loads.items()
    ]
    return residences(_moves_of_lot(connection, lot_id, known_at), carriers)


def _moves_of_lot(connection: Connection, lot_id: int, known_at: int) -> list[Move]:
    said = connection.execute(_queries.moves_of_lot, {"lot_id": lot_id, "known_at": known_at})
    moves = [Move(row.at, is_by_hand=True, zone_id=row.zone_id) for row in said]
    rows = connection.execute(_queries.event_bodies, {"lot_id": lot_id, "known_at": known_at}).scalars().all()
    return moves + _moves_by_events(connection, lot_id, rows) if rows else moves


def _moves_by_events(connection: Connection, lot_id: int, bodies: Iterable[str]) -> list[Move]:
    lot = connection.execute(_queries.lot_by_id, {"lot_id": lot_id}).one()
    zone_ids = {zone.key: zone.id for zone in zones(connection)}
    events = [msgspec.json.decode(body, type=LotEvent) for body in bodies]
    return moves_of_events(lot.key, lot.quantity_kg, events, zone_ids)


def _moves_of_carrier(connection: Connection, carrier_id: int, epc: str, known_at: int) -> list[Move]:
    said = connection.execute(_queries.moves_of_carrier, {"carrier_id": carrier_id, "known_at": known_at})
    seen = connection.execute(_queries.sightings_of_carrier, {"epc": epc, "known_at": known_at})
    by_hand = [Move(row.at, is_by_hand=True, zone_id=row.zone_id) for row in said]
    sights = [
        Seen(row.observed_at, row.last_at, row.series_name, Role(row.role), row.zone_id, row.inside_zone_id)
        for row in seen
    ]
    return [*by_hand, *movements(sights)]
