"""Tells our own facts as events. What is understood otherwise later is declared an error and told anew, never edited.

lot_event ─────────────────> event with the same ID; a correction is its error declaration
residences of a lot ─> arrival in each zone, and when a stay has ended and settled, what the air was meanwhile
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Row

from cloud import lots
from cloud.lots.binding import stays_of
from cloud.lots.stops import View, tell_stop
from cloud.site.repository import zones
from cloud.store import load_queries
from cloud.store.engine import Store
from cloud.trace.epcis.books import events_by_id, record_event
from cloud.trace.epcis.document import read_captured
from cloud.trace.epcis.errors import DuplicateEventError, InvalidEventError, UnknownNameError
from cloud.trace.epcis.own import DEFINITIONS, of_arrival, of_lot_event, of_stay
from cloud.trace.settings import TraceSettings
from cloud.trace.times import iso

Json = dict[str, Any]  # Any: events as JSON
log = logging.getLogger(__name__)

SETTLE_MS = 600_000  # a stay is summed up when all gateways have told what they measured this long after its end
_DAY_MS = 86_400_000
_AT_ONCE = 50
_queries = load_queries("cloud.trace.epcis")


def tell_own(store: Store, settings: TraceSettings, now_ms: int) -> int:
    """One round; how many facts were told. The database is written in short transactions of its own."""
    with store.read() as connection:
        through = int(connection.execute(_queries.ledger_told_through).scalar() or 0)
        fresh = list(lots.events_after(connection, through, _AT_ONCE))
        settled = _settled(connection, now_ms)
        changed = connection.execute(_queries.changed_journeys, {"settled": settled, "count": _AT_ONCE}).all()
        journeys = [(row, _journey(connection, row, settings, now_ms, settled)) for row in changed]
    if fresh:
        with store.write() as connection:
            _tell_ledger(connection, fresh, settings, now_ms)
    for row, journey in journeys:
        with store.write() as connection:
            _tell_journey(connection, row.id, journey, now_ms)
            state = {"fact": f"journey:{row.id}", "event_id": "", "digest": row.state}
            connection.execute(_queries.tell_fact, state)
    return len(fresh) + len(journeys)


def _settled(connection: Connection, now_ms: int) -> int:
    """Stays that ended before are summed up. A gateway that was silent for a day holds up nobody."""
    through = connection.execute(_queries.measured_through, {"heard_since": now_ms - _DAY_MS}).scalar()
    return min(now_ms, now_ms if through is None else int(through)) - SETTLE_MS


def _tell_ledger(connection: Connection, fresh: Sequence[lots.Recorded], settings: TraceSettings, now_ms: int) -> None:
    for recorded in fresh:
        event = recorded.event
        gtins = {item.lot: lots.lot_by_key(connection, item.lot).gtin for item in event.items}
        body = of_lot_event(event, gtins, settings)
        if body is not None:
            _record(connection, body, now_ms)
        elif event.corrects is not None:
            _declare(connection, event.corrects, "incorrect_data", [], now_ms)
    connection.execute(_queries.note_ledger_told, {"number": str(fresh[-1].number)})


def _journey(
    connection: Connection, row: Row[Any], settings: TraceSettings, now_ms: int, settled: int
) -> dict[str, Json]:  # Any: a row of a textual query has no static shape
    """Every event that the lot's way gives now, each under the name of its fact."""
    known = {zone.id: zone for zone in zones(connection)}
    lot = settings.lot(row.gtin, row.key)
    raw_data = f"{settings.base_url}/api/v1/lots/{quote(row.key)}/readings" if settings.base_url else None
    found: dict[str, Json] = {}
    for stay in stays_of(lots.residences_of_lot(connection, row.id)):
        stop, _ = tell_stop(connection, known[stay.zone_id], stay, View(now_ms, 60_000))
        fact = f"{row.id}:{stop.zone}:{stay.from_at}"
        found[f"arrival:{fact}"] = of_arrival(lot, stop, settings)
        if stay.until_at is not None and stay.until_at <= settled:
            found[f"stay:{fact}"] = of_stay(lot, stop, stay.until_at, raw_data, settings)
    return found


def _tell_journey(connection: Connection, lot_id: int, journey: Mapping[str, Json], now_ms: int) -> None:
    told = {
        row.fact: row
        for kind in ("arrival", "stay")
        for row in connection.execute(_queries.told_facts, {"pattern": f"{kind}:{lot_id}:%"})
    }
    for fact, body in journey.items():
        digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        before = told.pop(fact, None)
        if before is not None and before.digest == digest:
            continue
        event_id = _record(connection, body, now_ms)
        if event_id is None:
            continue
        if before is not None and before.event_id != event_id:
            _declare(connection, before.event_id, "incorrect_data", [event_id], now_ms)
        connection.execute(_queries.tell_fact, {"fact": fact, "event_id": event_id, "digest": digest})
    for fact, row in told.items():
        _declare(connection, row.event_id, "did_not_occur", [], now_ms)
        connection.execute(_queries.forget_told, {"fact": fact})


def _record(connection: Connection, body: Json, now_ms: int) -> str | None:
    """The event's ID; None when it cannot be said in EPCIS, which holds up nothing else.

    What others captured under this ID stays as it is. What was declared wrong and is true again is told anew.
    """
    try:
        event = read_captured(body, DEFINITIONS)
        record_event(connection, event, now_ms)
    except InvalidEventError as error:
        log.warning("a fact cannot be told in EPCIS: %s", error)
        return None
    except DuplicateEventError as error:
        if "eventID" in body or len(events_by_id(connection, error.event_id)) == 1:
            return error.event_id
        return _record(connection, {**body, "coldlink:telling": body.get("coldlink:telling", 1) + 1}, now_ms)
    return event.event_id


def _declare(connection: Connection, event_id: str, reason: str, corrective: list[str], now_ms: int) -> None:
    try:
        said = events_by_id(connection, event_id)[0]
    except UnknownNameError:
        return  # it was never told
    declaration: Json = {"declarationTime": iso(now_ms), "reason": reason}
    if corrective:
        declaration["correctiveEventIDs"] = corrective
    _record(connection, {**said.body, "errorDeclaration": declaration}, now_ms)
