"""Named queries: questions that are kept, asked again, and listened to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from cloud.store import load_queries
from cloud.trace.epcis.errors import Fault, InvalidEventError, NameTakenError, QueryParameterError, UnknownNameError
from cloud.trace.epcis.query import parse_query

_queries = load_queries("cloud.trace.epcis")
Json = dict[str, Any]  # Any: the EPCIS query language as JSON


@dataclass(frozen=True, slots=True)
class Question:
    name: str
    body: Json
    created_at: int

    @property
    def parameters(self) -> dict[str, list[str]]:
        return parameters_of(self.body)


def ask(connection: Connection, raw: object, now_ms: int) -> Question:
    """Keeps `{"name": ..., "query": {...}}`. Raises QueryParameterError, NameTakenError, InvalidEventError."""
    if not isinstance(raw, dict) or not isinstance(raw.get("name"), str) or not isinstance(raw.get("query"), dict):
        raise InvalidEventError([Fault("$", 'a named query is {"name": ..., "query": {...}}')])
    name, body = raw["name"], raw["query"]
    if not name or "/" in name or len(name) > 200:
        raise InvalidEventError([Fault("$.name", "1 to 200 characters without a slash")])
    parse_query(parameters_of(body))
    row = {"name": name, "parameters": json.dumps(body, ensure_ascii=False), "created_at": now_ms}
    if not connection.execute(_queries.insert_query, row).rowcount:
        raise NameTakenError(name)
    return Question(name, body, now_ms)


def question_by_name(connection: Connection, name: str) -> Question:
    """Raises UnknownNameError."""
    row = connection.execute(_queries.query_by_name, {"name": name}).first()
    if row is None:
        raise UnknownNameError("query", name)
    return _question(row)


def questions_after(connection: Connection, name: str, count: int) -> list[Question]:
    return [_question(row) for row in connection.execute(_queries.queries_after, {"after": name, "count": count})]


def forget(connection: Connection, name: str) -> None:
    """With everybody who listened to it. Raises UnknownNameError."""
    connection.execute(_queries.delete_subscriptions, {"query": name})
    if not connection.execute(_queries.delete_query, {"name": name}).rowcount:
        raise UnknownNameError("query", name)


def parameters_of(body: Mapping[str, object]) -> dict[str, list[str]]:
    """The JSON spelling of a query in that of a URL: all values as text."""
    found = {}
    for name, value in body.items():
        if name != "@context":
            values = value if isinstance(value, list) else [value]
            found[name] = [_text(name, each) for each in values]
    return found


def _text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None and name.startswith("EXISTS_"):
        return "true"
    if not isinstance(value, str | int | float):
        raise QueryParameterError(name, "its values are texts, numbers or truths")
    return str(value)


def _question(row: Row[Any]) -> Question:  # Any: a row of a textual query has no static shape
    return Question(row.name, json.loads(row.parameters), row.created_at)
