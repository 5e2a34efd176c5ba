"""Takes what became dirty, thinks it over from the last good checkpoint, and writes breaches and alarms.

Everything happens in the caller's transaction, the removal of the work list included: a crash leaves the work to do.
"""

from collections.abc import Iterator

from sqlalchemy import Connection

from cloud.alarms import books
from cloud.alarms.follow import Follower
from cloud.alarms.lifecycle import AlarmEvent
from cloud.alarms.repository import alarms_since
from cloud.alarms.rerun import rerun
from cloud.alarms.revise import revise
from cloud.site.repository import (
    InstalledPoint,
    ZoneLimit,
    limits_of_zone,
    next_observation_at,
    observations,
    points_of_zone,
)
from cloud.store import load_queries
from rules import Limit, Observation, WatchState

AHEAD_MS = 2 * 60_000  # what claims to be measured later than this is not believed yet
_WINDOW_MS = 6 * 3_600_000

_queries = load_queries("cloud.alarms")


def evaluate(connection: Connection, now_ms: int) -> list[AlarmEvent]:
    """Thinks over all that is dirty; gives what changed for people, in the order in which it was written."""
    events: list[AlarmEvent] = []
    for zone in connection.execute(_queries.dirty_zones).all():
        for held in limits_of_zone(connection, zone.zone_id):
            if _held_during(held.limit, zone.from_at, zone.until_at):
                events += _think_over(connection, zone.zone_id, held, zone.from_at, zone.until_at, now_ms=now_ms)
        connection.execute(_queries.forget_dirty_zone, {"zone_id": zone.zone_id, "last_id": zone.last_id})
    return events


def _held_during(limit: Limit, from_at: int, until_at: int) -> bool:
    return limit.valid_from <= until_at and (limit.valid_until is None or limit.valid_until >= from_at)


def _think_over(
    connection: Connection, zone_id: int, held: ZoneLimit, from_at: int, until_at: int, *, now_ms: int
) -> list[AlarmEvent]:
    start = books.checkpoint_before(connection, zone_id, held.id, from_at)
    points = points_of_zone(connection, zone_id, held.limit.quantity)
    outcome = rerun(
        held.limit,
        start,
        _observations_from(connection, points, held.limit, start, now_ms),
        kept=books.checkpoints_after(connection, zone_id, held.id, start.at),
        changed_until=until_at,
    )
    revisions = revise(books.stated_breaches(connection, zone_id, held.id, outcome), outcome.breaches)
    books.replace_checkpoints(connection, zone_id, held.id, start.at, outcome)
    for revision in revisions:
        books.write_revision(connection, zone_id, held.id, revision, now_ms)
    follower = Follower(connection, zone_id, held.limit, now_ms, alarms_since(connection))
    return follower.follow(revisions, outcome.breaches)


def _observations_from(
    connection: Connection, points: list[InstalledPoint], limit: Limit, start: WatchState, now_ms: int
) -> Iterator[Observation]:
    """A few hours at a time, so that a long past fits into memory; stretches without data are skipped."""
    until_at = now_ms + AHEAD_MS if limit.valid_until is None else min(limit.valid_until, now_ms + AHEAD_MS)
    from_at = limit.valid_from if start.at is None else start.at
    while (found := next_observation_at(connection, points, from_at, until_at)) is not None:
        from_at = min(found + _WINDOW_MS, until_at)
        yield from observations(connection, points, found, from_at)
