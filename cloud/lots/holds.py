"""Holds: a breach holds back the lots that were there and what was made of them; only a person lets them go.

A hold is made once for each lot and breach; neither a new version of the breach nor its withdrawal makes or lifts one.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import BindParameter, Connection, bindparam

from cloud.lots.errors import ShipmentRefusedError
from cloud.lots.events import EventKind, Item, LotEvent
from cloud.lots.family import ancestors, descendants
from cloud.lots.genealogy import affected, used_until
from cloud.lots.standing import Standing, State, standing
from cloud.store import load_queries

FAR = 1 << 62
AUTOMATIC = "coldlink"
_HELD_THROUGH = "lots.held_through"
_queries = load_queries("cloud.lots", "ledger.sql")
_LOTS: BindParameter[int] = bindparam("lots", expanding=True)
_DECISIONS = _queries.decisions_about.bindparams(_LOTS)
_MET = _queries.breaches_met.bindparams(_LOTS)
_MET_BY = _queries.breaches_met_by.bindparams(_LOTS)
_INSIDE = _queries.lots_inside.bindparams(_LOTS)


class Met(NamedTuple):
    """A lot that was in a breach, from `since` on."""

    lot_id: int
    lot: str
    breach: str
    zone: str
    limit: str
    since: int


def standings(connection: Connection, lot_ids: Sequence[int], known_at: int = FAR) -> dict[int, Standing]:
    events: dict[int, list[LotEvent]] = {lot_id: [] for lot_id in lot_ids}
    for row in connection.execute(_DECISIONS, {"lots": lot_ids, "known_at": known_at}):
        events[row.lot_id].append(msgspec.json.decode(row.body, type=LotEvent))
    return {lot_id: standing(found) for lot_id, found in events.items()}


def holds_due(connection: Connection, now_ms: int, moved: Sequence[int]) -> list[LotEvent]:
    """The holds that breaches ask for and that nobody has made yet; `moved` are lots whose way changed."""
    after = int(connection.execute(_queries.setting, {"key": _HELD_THROUGH}).scalar() or 0)
    newest = connection.execute(_queries.newest_breach).scalar_one()
    met = [Met(*row) for row in connection.execute(_MET, {"after": after, "lots": list(moved)})]
    if newest != after:
        connection.execute(_queries.keep_setting, {"key": _HELD_THROUGH, "value": str(newest)})
    by_breach: dict[str, list[Met]] = {}
    for one in met:
        by_breach.setdefault(one.breach, []).append(one)
    return [hold for key, found in sorted(by_breach.items()) for hold in _holds_of(connection, key, found, now_ms)]


def refuse_shipment(connection: Connection, event: LotEvent, lots: dict[str, int]) -> None:
    """The review before shipment. A reason lets a held lot pass, and stands in the books; none lets a rejected or
    recalled one pass. Raises ShipmentRefusedError.
    """
    states = standings(connection, list(lots.values()))
    obstacles = []
    for key, lot_id in lots.items():
        held = states[lot_id]
        if held.state not in {State.FREE, State.HELD}:
            obstacles.append(f"lot {key} is {held.state}: {held.reason}")
        elif not event.reason.strip():
            obstacles += _open_questions(connection, key, lot_id, held)
    if obstacles:
        raise ShipmentRefusedError(obstacles)


def open_breaches(connection: Connection, lot_id: int, held: Standing) -> list[Met]:
    """Breaches that the lot, or what it was made of, was in, and that no person has decided on for it."""
    family = ancestors(connection, [lot_id])
    ids = {lot.id: key for key, lot in family.lots.items()}
    own = ids.get(lot_id, "")
    until = used_until(own, family.edges)
    met = [Met(*row) for row in connection.execute(_MET_BY, {"lots": list(ids)})]
    mine = [one for one in met if one.lot_id == lot_id or one.since < until.get(one.lot, 0)]
    return [one for one in mine if one.breach not in held.settled_breaches]


def _open_questions(connection: Connection, key: str, lot_id: int, held: Standing) -> list[str]:
    if held.state is State.HELD:
        return [f"lot {key} is held: {held.reason}"]
    return [f"lot {key} was in the breach {one.breach}" for one in open_breaches(connection, lot_id, held)]


def _holds_of(connection: Connection, breach: str, found: Sequence[Met], now_ms: int) -> list[LotEvent]:
    family = descendants(connection, sorted({one.lot_id for one in found}))
    seeds: dict[str, int] = {}
    for one in found:
        seeds[one.lot] = min(one.since, seeds.get(one.lot, one.since))
    touched = [family.lots[key] for key in affected(seeds, family.edges)]
    inside = set(connection.execute(_INSIDE, {"lots": [lot.id for lot in touched]}).scalars())
    before = set(connection.execute(_queries.held_about, {"breach": breach}).scalars())
    return [
        LotEvent(
            kind=EventKind.HOLD,
            at=now_ms,
            by=AUTOMATIC,
            subjects=(Item(lot=lot.key),),
            reason=f"breach of {found[0].limit} in {found[0].zone}",
            breach=breach,
        )
        for lot in sorted(touched, key=lambda lot: lot.key)
        if lot.id in inside and lot.id not in before
    ]
