"""A lot's family out of the ledger: everything it was made of, and everything that was made of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import BindParameter, Connection, bindparam

from cloud.lots.events import TRANSFORMATIONS, EventKind
from cloud.lots.genealogy import Edge, Transformation, edges_of
from cloud.lots.repository import Lot
from cloud.store import load_queries

FAR = 1 << 62
_AT_ONCE = 5000  # a database takes no statement with any number of parameters
_queries = load_queries("cloud.lots", "ledger.sql")
_LOTS: BindParameter[int] = bindparam("lots", expanding=True)
_ANCESTORS = _queries.ancestors.bindparams(_LOTS)
_DESCENDANTS = _queries.descendants.bindparams(_LOTS)
_TRANSFORMATIONS = _queries.transformations_among.bindparams(_LOTS)
_LOTS_BY_IDS = _queries.lots_by_ids.bindparams(_LOTS)


@dataclass(frozen=True, slots=True)
class Family:
    """`lots` by key; the lots one began with are among them."""

    lots: dict[str, Lot]
    transformations: Sequence[Transformation]
    edges: Sequence[Edge]


def ancestors(connection: Connection, lot_ids: Sequence[int], known_at: int = FAR) -> Family:
    found = connection.execute(_ANCESTORS, {"lots": lot_ids, "known_at": known_at}).scalars().all()
    family = _family(connection, found, known_at)
    kept = set(family.lots)
    return _only(family, [edge for edge in family.edges if edge.child in kept])


def descendants(connection: Connection, lot_ids: Sequence[int], known_at: int = FAR) -> Family:
    found = connection.execute(_DESCENDANTS, {"lots": lot_ids, "known_at": known_at}).scalars().all()
    family = _family(connection, found, known_at)
    kept = set(family.lots)
    return _only(family, [edge for edge in family.edges if edge.parent in kept])


def _only(family: Family, edges: list[Edge]) -> Family:
    """Without the other parents of children and the other children of parents."""
    inside = [edge for edge in edges if edge.parent in family.lots and edge.child in family.lots]
    events = {edge.event_id for edge in inside}
    return Family(family.lots, [made for made in family.transformations if made.event_id in events], inside)


def _family(connection: Connection, lot_ids: Sequence[int], known_at: int) -> Family:
    lots: dict[str, Lot] = {}
    parts: dict[str, _Parts] = {}
    for some in _in_portions(lot_ids):
        lots |= {row.key: Lot(*row) for row in connection.execute(_LOTS_BY_IDS, {"lots": some})}
        for row in connection.execute(_TRANSFORMATIONS, {"lots": some, "known_at": known_at}):
            if EventKind(row.kind) in TRANSFORMATIONS:
                made = parts.setdefault(row.event_id, _Parts(EventKind(row.kind), row.at, {}, {}, {}))
                side = made.inputs if row.side == "input" else made.outputs
                side[row.lot] = None if row.quantity_kg is None else Decimal(row.quantity_kg)
                if row.pieces is not None:
                    made.pieces[row.side] = made.pieces.get(row.side, 0) + row.pieces
    known = [
        Transformation(event_id, made.kind, made.at, made.inputs, made.outputs, _pieces(made))
        for event_id, made in parts.items()
    ]
    return Family(lots, known, edges_of(known))


@dataclass(frozen=True, slots=True)
class _Parts:
    kind: EventKind
    at: int
    inputs: dict[str, Decimal | None]
    outputs: dict[str, Decimal | None]
    pieces: dict[str, int]


def _pieces(made: _Parts) -> int | None:
    """How many pieces came out; as many as went in, if nobody counted them again."""
    return made.pieces.get("output", made.pieces.get("input"))


def _in_portions(lot_ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (lot_ids[start : start + _AT_ONCE] for start in range(0, len(lot_ids), _AT_ONCE))
