"""From a breach, or from a lot, to everything it touched and where that is now: the forward recall list."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import msgspec
from sqlalchemy import BindParameter, Connection, bindparam

from cloud.lots.events import LotEvent
from cloud.lots.family import Family, descendants
from cloud.lots.genealogy import Edge, affected, affected_kilograms
from cloud.lots.holds import standings
from cloud.lots.repository import Lot, lot_by_key, lots_in_zone
from cloud.lots.standing import Standing
from cloud.store import load_queries

FAR = 1 << 62
_MINUTE_MS = 60_000
_queries = load_queries("cloud.lots", "ledger.sql")
_LOTS: BindParameter[int] = bindparam("lots", expanding=True)
_SHIPMENTS = _queries.shipments_of.bindparams(_LOTS)
_PLACES = _queries.places_of.bindparams(_LOTS)


@dataclass(frozen=True, slots=True)
class Shipment:
    at: int
    destination: str
    quantity_kg: str | None
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Place:
    zone: str
    name_vi: str
    name_en: str
    since: int


@dataclass(frozen=True, slots=True)
class TouchedLot:
    lot: Lot
    since: int  # from when on it is touched
    parents: Sequence[str]  # touched lots that it was made of; none: it was there itself
    affected_kg: Decimal | None  # None: it is in there, nobody weighed how much
    exposed_minutes: float | None  # for those that were there
    standing: Standing
    places: Sequence[Place]
    shipments: Sequence[Shipment]


@dataclass(frozen=True, slots=True)
class TracedBreach:
    key: str
    zone: str
    name_vi: str
    name_en: str
    onset_at: int
    ended_at: int | None
    extreme: float | None
    kind: str
    setpoint: str


@dataclass(frozen=True, slots=True)
class Trace:
    """`breach` None: it began with a lot."""

    breach: TracedBreach | None
    lots: Sequence[TouchedLot]
    edges: Sequence[Edge]


def trace_breach(connection: Connection, key: str, now_ms: int) -> Trace | None:
    """None for a breach that is not, or no more, stated."""
    row = connection.execute(_queries.breach_facts, {"key": key}).first()
    if row is None:
        return None
    end = now_ms if row.ended_at is None else row.ended_at
    seeds: dict[str, int] = {}
    minutes: dict[str, float] = {}
    for lot in lots_in_zone(connection, row.zone_id, row.onset_at, end):
        seeds[lot.key] = since = max(lot.from_at, row.onset_at)
        until = end if lot.until_at is None else min(lot.until_at, end)
        minutes[lot.key] = (until - since) / _MINUTE_MS
    breach = TracedBreach(
        key=row.key,
        zone=row.zone,
        name_vi=row.name_vi,
        name_en=row.name_en,
        onset_at=row.onset_at,
        ended_at=row.ended_at,
        extreme=row.extreme,
        kind=row.kind,
        setpoint=row.setpoint,
    )
    return _trace(connection, breach, seeds, minutes)


def trace_lot(connection: Connection, key: str) -> Trace:
    """Raises UnknownLotError."""
    return _trace(connection, None, {lot_by_key(connection, key).key: 0}, {})


def shipments_of(connection: Connection, lot_ids: Sequence[int], known_at: int = FAR) -> dict[int, list[Shipment]]:
    found: dict[int, list[Shipment]] = {}
    for row in connection.execute(_SHIPMENTS, {"lots": lot_ids, "known_at": known_at}):
        event = msgspec.json.decode(row.body, type=LotEvent)
        shipment = Shipment(event.at, event.destination or "", row.quantity_kg, event.by, event.reason)
        found.setdefault(row.lot_id, []).append(shipment)
    return found


def _trace(
    connection: Connection, breach: TracedBreach | None, seeds: Mapping[str, int], minutes: Mapping[str, float]
) -> Trace:
    ids = [lot_by_key(connection, key).id for key in seeds]
    family = descendants(connection, ids)
    touched = affected(seeds, family.edges)
    edges = [edge for edge in family.edges if edge.parent in touched and edge.at >= touched[edge.parent]]
    return Trace(breach, _touched_lots(connection, family, seeds, touched, edges, minutes), edges)


def _touched_lots(  # noqa: PLR0917  the facts of one list, gathered above
    connection: Connection,
    family: Family,
    seeds: Mapping[str, int],
    touched: Mapping[str, int],
    edges: Sequence[Edge],
    minutes: Mapping[str, float],
) -> list[TouchedLot]:
    lots = {key: family.lots[key] for key in touched}
    ids = [lot.id for lot in lots.values()]
    weights = {key: None if lot.quantity_kg is None else Decimal(lot.quantity_kg) for key, lot in lots.items()}
    amounts = affected_kilograms(seeds, edges, touched, weights)
    states, shipped, places = standings(connection, ids), shipments_of(connection, ids), _places(connection, ids)
    return [
        TouchedLot(
            lot=lot,
            since=touched[key],
            parents=[] if key in seeds else _parents(key, edges),
            affected_kg=amounts.get(key),
            exposed_minutes=minutes.get(key),
            standing=states[lot.id],
            places=places.get(lot.id, []),
            shipments=shipped.get(lot.id, []),
        )
        for key, lot in sorted(lots.items(), key=lambda pair: (pair[0] not in seeds, touched[pair[0]], pair[0]))
    ]


def _parents(key: str, edges: Iterable[Edge]) -> list[str]:
    return sorted({edge.parent for edge in edges if edge.child == key})


def _places(connection: Connection, lot_ids: Sequence[int]) -> dict[int, list[Place]]:
    found: dict[int, list[Place]] = {}
    for row in connection.execute(_PLACES, {"lots": lot_ids}):
        found.setdefault(row.lot_id, []).append(Place(row.key, row.name_vi, row.name_en, row.since))
    return found
