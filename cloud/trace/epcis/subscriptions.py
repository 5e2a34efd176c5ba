"""Who wants to be told what a named query finds: at once, or by a timetable; how far each has been told."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, Row

from cloud.store import load_queries
from cloud.trace.epcis.books import newest_number
from cloud.trace.epcis.errors import Fault, InvalidEventError, UnknownNameError
from cloud.trace.epcis.questions import question_by_name
from cloud.trace.epcis.schedule import next_due, refuse_bad_schedule

NEVER = 1 << 62
_FIRST_RETRY_MS, _LAST_RETRY_MS = 5_000, 3_600_000
_queries = load_queries("cloud.trace.epcis")


@dataclass(frozen=True, slots=True)
class Subscription:
    """`after` is the number of the last event that it was told or that did not concern it."""

    key: str
    query: str
    dest: str
    signature_token: str | None
    schedule: Mapping[str, str] | None
    reports_empty: bool
    created_at: int
    after: int
    failures: int
    last_notified_at: int | None


def subscribe(connection: Connection, query: str, raw: object, now_ms: int) -> Subscription:
    """From `{"dest": ..., "stream": true}` or with a schedule. Raises InvalidEventError, UnknownNameError."""
    question_by_name(connection, query)
    if not isinstance(raw, dict):
        raise InvalidEventError([Fault("$", "a subscription is a JSON object with a dest")])
    dest = raw.get("dest")
    if not isinstance(dest, str) or urlsplit(dest).scheme not in ("http", "https") or not urlsplit(dest).hostname:
        raise InvalidEventError([Fault("$.dest", f"{dest!r} is no address such as https://client.example/epcis")])
    token = raw.get("signatureToken", raw.get("secret"))
    if not isinstance(token, str | None):
        raise InvalidEventError([Fault("$.signatureToken", "it is a text")])
    schedule = _schedule(raw)
    due = now_ms if schedule is None else next_due(schedule, now_ms)
    key = secrets.token_hex(12)
    row = {
        "key": key,
        "query": query,
        "dest": dest,
        "signature_token": token,
        "schedule": None if schedule is None else json.dumps(schedule),
        "report_if_empty": int(raw.get("reportIfEmpty") is True),
        "created_at": now_ms,
        "after": newest_number(connection),
        "due_at": NEVER if due is None else due,
    }
    connection.execute(_queries.insert_subscription, row)
    return subscription_by_key(connection, query, key)


def subscriptions_of(connection: Connection, query: str) -> list[Subscription]:
    """Raises UnknownNameError."""
    question_by_name(connection, query)
    return [_subscription(row) for row in connection.execute(_queries.subscriptions_of_query, {"query": query})]


def subscription_by_key(connection: Connection, query: str, key: str) -> Subscription:
    """Raises UnknownNameError."""
    for each in subscriptions_of(connection, query):
        if each.key == key:
            return each
    raise UnknownNameError("subscription", key)


def unsubscribe(connection: Connection, query: str, key: str) -> None:
    """Raises UnknownNameError."""
    if not connection.execute(_queries.delete_subscription, {"query": query, "key": key}).rowcount:
        raise UnknownNameError("subscription", key)


def due_subscriptions(connection: Connection, now_ms: int) -> list[Subscription]:
    rows = connection.execute(_queries.due_subscriptions, {"now": now_ms, "newest": newest_number(connection)})
    return [_subscription(row) for row in rows]


def note_told(connection: Connection, subscription: Subscription, through: int, now_ms: int, *, was_sent: bool) -> None:
    due = now_ms if subscription.schedule is None else next_due(subscription.schedule, now_ms)
    due_at = NEVER if due is None else due
    _advance(connection, subscription, through, due_at, failures=0, notified_at=now_ms if was_sent else None)


def note_failed(connection: Connection, subscription: Subscription, now_ms: int) -> None:
    """Tried again later and later; what it has not been told yet is kept for it."""
    wait_ms = min(_FIRST_RETRY_MS << min(subscription.failures, 20), _LAST_RETRY_MS)
    _advance(connection, subscription, subscription.after, now_ms + wait_ms, failures=subscription.failures + 1)


def _advance(
    connection: Connection,
    subscription: Subscription,
    after: int,
    due_at: int,
    *,
    failures: int,
    notified_at: int | None = None,
) -> None:
    row = {"key": subscription.key, "after": after, "due_at": due_at, "failures": failures, "notified_at": notified_at}
    connection.execute(_queries.advance_subscription, row)


def _schedule(raw: Mapping[str, object]) -> dict[str, str] | None:
    is_stream, schedule = raw.get("stream") is True, raw.get("schedule")
    if is_stream == (schedule is not None):
        raise InvalidEventError([Fault("$.stream", "say either stream: true or a schedule")])
    return None if schedule is None else refuse_bad_schedule(schedule)


def _subscription(row: Row[Any]) -> Subscription:  # Any: a row of a textual query has no static shape
    return Subscription(
        key=row.key,
        query=row.query,
        dest=row.dest,
        signature_token=row.signature_token,
        schedule=None if row.schedule is None else json.loads(row.schedule),
        reports_empty=bool(row.report_if_empty),
        created_at=row.created_at,
        after=row.after,
        failures=row.failures,
        last_notified_at=row.last_notified_at,
    )
