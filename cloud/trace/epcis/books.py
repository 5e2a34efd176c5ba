"""The books: events in the order in which they were recorded, never edited, and what a query finds in them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection, Row, bindparam

from cloud.store import load_queries
from cloud.trace.epcis.context import Definitions
from cloud.trace.epcis.document import Captured
from cloud.trace.epcis.errors import DuplicateEventError, QueryTooLargeError, UnknownNameError
from cloud.trace.epcis.index import Json, millis, names_of
from cloud.trace.epcis.query import Named, Query

_queries = load_queries("cloud.trace.epcis")
_DISTINCT = _queries.distinct_names.bindparams(bindparam("fields", expanding=True))
_IS_NAMED = _queries.is_named.bindparams(bindparam("fields", expanding=True))
_CHUNK = 256


@dataclass(frozen=True, slots=True)
class Booked:
    """`number` counts up in the order of recording."""

    number: int
    event_id: str
    is_declaration: bool
    event_at: int
    recorded_at: int
    body: Json
    definitions: Definitions


class Position(NamedTuple):
    """Behind which event the next page begins, and how many were given out before."""

    at: int
    number: int
    given: int


@dataclass(frozen=True, slots=True)
class Page:
    events: Sequence[Booked]
    following: Position | None


def record_event(connection: Connection, event: Captured, now_ms: int, capture_id: int | None = None) -> int:
    """Raises DuplicateEventError."""
    body = event.body
    is_declaration = "errorDeclaration" in body
    known = connection.execute(_queries.events_by_id, {"event_id": event.event_id}).all()
    if any(bool(row.is_declaration) is is_declaration for row in known):
        raise DuplicateEventError(event.event_id)
    row = {
        "event_id": event.event_id,
        "is_declaration": int(is_declaration),
        "event_at": millis(body["eventTime"]),
        "recorded_at": now_ms,
        "capture_id": capture_id,
        "body": json.dumps(body, ensure_ascii=False),
        "definitions": json.dumps(event.definitions, ensure_ascii=False),
    }
    number = int(connection.execute(_queries.insert_event, row).scalar_one())
    names = [{**name._asdict(), "event": number} for name in sorted(names_of(body))]
    connection.execute(_queries.insert_name, names)
    return number


def events_by_id(connection: Connection, event_id: str) -> list[Booked]:
    """The event and its declaration, if there is one. Raises UnknownNameError."""
    found = [_booked(row) for row in connection.execute(_queries.events_by_id, {"event_id": event_id})]
    if not found:
        raise UnknownNameError("event", event_id)
    return found


def newest_number(connection: Connection) -> int:
    return int(connection.execute(_queries.newest_event).scalar_one())


def distinct_names(connection: Connection, fields: Sequence[str], after: str, count: int) -> list[str]:
    rows = connection.execute(_DISTINCT, {"fields": list(fields), "after": after, "count": count})
    return [str(row.value) for row in rows]


def is_named(connection: Connection, fields: Sequence[str], value: str) -> bool:
    return connection.execute(_IS_NAMED, {"fields": list(fields), "value": value}).first() is not None


def search(connection: Connection, query: Query, per_page: int, start: Position | None = None) -> Page:
    """One page of what the query finds. Raises QueryTooLargeError."""
    given = 0 if start is None else start.given
    most = per_page if query.event_count_limit is None else min(per_page, query.event_count_limit - given)
    wanted = most if query.max_event_count is None else max(most, query.max_event_count)
    found: list[Booked] = []
    for event in _matching(connection, query, start):
        if query.max_event_count is not None and len(found) >= query.max_event_count:
            raise QueryTooLargeError(query.max_event_count)
        found.append(event)
        if len(found) > wanted:
            break
    page, has_more = found[:most], len(found) > most
    if not has_more or not page or given + most == query.event_count_limit:
        return Page(page, None)
    last = page[-1]
    return Page(page, Position(_order_value(query, last), last.number, given + len(page)))


def search_after(connection: Connection, query: Query, number: int, count: int) -> list[Booked]:
    """What the query finds among events recorded after a number, in that order."""
    rows = connection.execute(_narrowed(query).where(_event.c.id > number).order_by(_event.c.id))
    found = []
    for row in rows:
        event = _booked(row)
        if query.holds(event.body, names_of(event.body)):
            found.append(event)
            if len(found) == count:
                break
    return found


# The one statement here that is put together: which clauses it has depends on what is asked.
_event = sa.table(
    "epcis_event",
    *map(sa.column, ("id", "event_id", "is_declaration", "event_at", "recorded_at", "body", "definitions")),
)
_name = sa.table("epcis_name", *map(sa.column, ("field", "value", "event")))


def _matching(connection: Connection, query: Query, start: Position | None) -> Iterator[Booked]:
    column = _event.c.event_at if query.order_by == "eventTime" else _event.c.recorded_at
    directed = (column.desc(), _event.c.id.desc()) if query.is_descending else (column, _event.c.id)
    statement = _narrowed(query).order_by(*directed).limit(_CHUNK)
    at = None if start is None else (start.at, start.number)
    while True:
        here = statement if at is None else statement.where(_behind(column, at, is_descending=query.is_descending))
        rows = connection.execute(here).all()
        for row in rows:
            event = _booked(row)
            if query.holds(event.body, names_of(event.body)):
                yield event
        if len(rows) < _CHUNK:
            return
        last = _booked(rows[-1])
        at = (_order_value(query, last), last.number)


def _narrowed(query: Query) -> sa.Select[Any]:  # Any: columns of a lightweight table have no static type
    statement = sa.select(*_event.c)
    for column, low, high in (
        (_event.c.event_at, query.event_from, query.event_until),
        (_event.c.recorded_at, query.record_from, query.record_until),
    ):
        if low is not None:
            statement = statement.where(column >= low)
        if high is not None:
            statement = statement.where(column < high)
    for named in query.named:
        statement = statement.where(_event.c.id.in_(_naming(named)))
    return statement


def _naming(named: Named) -> sa.Select[Any]:  # Any: as above
    value = _name.c.value
    ways = [value.in_(sorted(named.values))] if named.values else []
    ways += [value.like(_like(pattern), escape="!") for pattern in named.patterns]
    return sa.select(_name.c.event).where(_name.c.field.in_(named.fields), sa.or_(*ways))


def _like(pattern: str) -> str:
    escaped = pattern.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return escaped.replace("*", "%").replace("?", "_")


def _behind(column: Any, at: tuple[int, int], *, is_descending: bool) -> sa.ColumnElement[bool]:  # Any: as above
    here = sa.tuple_(column, _event.c.id)
    return here < sa.tuple_(*at) if is_descending else here > sa.tuple_(*at)


def _order_value(query: Query, event: Booked) -> int:
    return event.event_at if query.order_by == "eventTime" else event.recorded_at


def _booked(row: Row[Any]) -> Booked:  # Any: a row of a textual query has no static shape
    return Booked(
        number=row.id,
        event_id=row.event_id,
        is_declaration=bool(row.is_declaration),
        event_at=row.event_at,
        recorded_at=row.recorded_at,
        body=json.loads(row.body),
        definitions=json.loads(row.definitions),
    )
