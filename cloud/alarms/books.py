"""What is written about breaches: their versions, and the checkpoints from which they can be thought over."""

from sqlalchemy import Connection

from cloud.alarms.rerun import Checkpoint, Rerun
from cloud.alarms.revise import Revision, StatedBreach
from cloud.store import load_queries
from rules import Breach, BreachStatus, Trigger, WatchState

KEPT_BETWEEN_HOURS = 12  # one flush each 5 s: data up to a minute late needs no longer way back
_FIRST, _LAST = -(1 << 62), 1 << 62

_queries = load_queries("cloud.alarms")


def checkpoint_before(connection: Connection, zone_id: int, limit_id: int, at: int) -> WatchState:
    row = connection.execute(_queries.checkpoint_before, {"zone_id": zone_id, "limit_id": limit_id, "at": at}).first()
    return WatchState() if row is None else WatchState.from_json(row.state)


def checkpoints_after(connection: Connection, zone_id: int, limit_id: int, at: int | None) -> list[Checkpoint]:
    after = _FIRST if at is None else at
    rows = connection.execute(_queries.checkpoints_after, {"zone_id": zone_id, "limit_id": limit_id, "at": after})
    return [Checkpoint(row.at, WatchState.from_json(row.state)) for row in rows]


def replace_checkpoints(
    connection: Connection, zone_id: int, limit_id: int, start_at: int | None, outcome: Rerun
) -> None:
    watch = {"zone_id": zone_id, "limit_id": limit_id}
    after = _FIRST if start_at is None else start_at
    before = _LAST if outcome.until_at is None else outcome.until_at
    connection.execute(_queries.delete_checkpoints, {**watch, "after": after, "before": before})
    rows = [{**watch, "at": made.at, "state": made.state.to_json()} for made in outcome.checkpoints]
    if rows:
        connection.execute(_queries.upsert_checkpoint, rows)
    connection.execute(_queries.thin_checkpoints, {**watch, "keep": KEPT_BETWEEN_HOURS})


def stated_breaches(connection: Connection, zone_id: int, limit_id: int, outcome: Rerun) -> dict[str, StatedBreach]:
    """What was stated about the stretch of time that was thought over."""
    rows = connection.execute(
        _queries.stated_breaches,
        {
            "zone_id": zone_id,
            "limit_id": limit_id,
            "from_at": _FIRST if outcome.from_at is None else outcome.from_at,
            "until_at": _LAST if outcome.until_at is None else outcome.until_at,
        },
    )
    stated = {
        row.key: StatedBreach(
            Breach(
                row.key,
                row.onset_at,
                row.extreme,
                row.extreme_at,
                row.confirmed_at,
                row.ended_at,
                Trigger(row.confirmed_by) if row.confirmed_by else None,
            ),
            BreachStatus(row.status),
            row.version,
        )
        for row in rows
    }
    if outcome.going_on is not None:
        stated.pop(outcome.going_on.key, None)
    return stated


def write_revision(connection: Connection, zone_id: int, limit_id: int, revision: Revision, now_ms: int) -> None:
    breach = revision.breach
    facts = {
        "key": breach.key,
        "extreme": breach.extreme,
        "extreme_at": breach.extreme_at,
        "computed_at": now_ms,
    }
    if not revision.is_new_version:
        connection.execute(_queries.grow_breach, facts)
        return
    connection.execute(_queries.retire_breach_version, {"key": breach.key})
    connection.execute(
        _queries.insert_breach_version,
        {
            **facts,
            "version": revision.version,
            "zone_id": zone_id,
            "limit_id": limit_id,
            "status": revision.status,
            "onset_at": breach.onset_at,
            "confirmed_at": breach.confirmed_at,
            "confirmed_by": breach.confirmed_by,
            "ended_at": breach.ended_at,
        },
    )
