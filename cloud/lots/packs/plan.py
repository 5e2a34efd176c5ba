"""Keeps the food plans a plant judged by; a changed file is a new plan from now on, and the old one stays."""

import hashlib
from datetime import UTC, datetime, time

import msgspec
from sqlalchemy import Connection

from cloud.lots.packs.pack_file import FoodPlan
from cloud.store import load_queries

FAR = 1 << 62
_queries = load_queries("cloud.lots", "ledger.sql")


def apply_food_plan(connection: Connection, plan: FoodPlan, now_ms: int) -> bool:
    """True when it is another plan than before."""
    body = msgspec.json.encode(plan, order="deterministic")
    digest = hashlib.sha256(body).hexdigest()
    newest = connection.execute(_queries.food_plan_at, {"at": FAR, "known_at": FAR}).first()
    if newest is not None and newest.digest == digest:
        return False
    since_ms = round(datetime.combine(plan.since, time(), UTC).timestamp() * 1000)
    connection.execute(
        _queries.insert_food_plan,
        {
            "body": body.decode(),
            "digest": digest,
            "from_at": since_ms if newest is None else now_ms,
            "recorded_at": now_ms,
        },
    )
    return True


def plan_at(connection: Connection, at: int, known_at: int | None = None) -> FoodPlan | None:
    """The plan that held at a time, as known at a time: what was made under it stays judged by it."""
    asked = {"at": at, "known_at": FAR if known_at is None else known_at}
    row = connection.execute(_queries.food_plan_at, asked).first()
    return None if row is None else msgspec.json.decode(row.body, type=FoodPlan)
