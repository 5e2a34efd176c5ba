"""Takes what became dirty, thinks it over from the last good checkpoint, and writes breaches and alarms.

Everything happens in the caller's transaction, the removal of the work list included: a crash leaves the work to do.
"""

from collections.abc import Iterable, Iterator
from heapq import merge

from sqlalchemy import Connection

from cloud.alarms import books
from cloud.alarms.follow import Follower
from cloud.alarms.lifecycle import AlarmEvent
from cloud.alarms.repository import alarms_since
from cloud.alarms.rerun import HOUR_MS, rerun
from cloud.alarms.revise import revise
from cloud.site.contexts import ContextSources, context_sources
from cloud.site.repository import (
    InstalledPoint,
    ZoneLimit,
    limits_of_zone,
    next_observation_at,
    observations,
    points_of_zone,
)
from cloud.store import load_queries
from rules import Entry, Limit, with_marks

AHEAD_MS = 2 * 60_000  # what claims to be measured later than this is not believed yet
_WINDOW_MS = 6 * 3_600_000

_queries = load_queries("cloud.alarms")


def evaluate(connection: Connection, now_ms: int) -> list[AlarmEvent]:
    """Thinks over all that is dirty; gives what changed for people, in the order in which it was written."""
    rows = connection.execute(_queries.dirty_zones).all()
    events: list[AlarmEvent] = []
    for zone_id, from_at, until_at in stretches((row.zone_id, row.from_at, row.until_at) for row in rows):
        for held in limits_of_zone(connection, zone_id):
            if _held_during(held.limit, from_at, until_at):
                events += _think_over(connection, zone_id, held, from_at, until_at, now_ms=now_ms)
    if rows:
        connection.execute(_queries.forget_dirty_zone, [{"id": row.id} for row in rows])
    return events


def stretches(dirty: Iterable[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Joins what is near in time; an hour of last week and today are thought over apart, without all between."""
    joined: list[tuple[int, int, int]] = []
    for zone_id, from_at, until_at in sorted(dirty):
        if joined and joined[-1][0] == zone_id and from_at - joined[-1][2] <= HOUR_MS:
            joined[-1] = (zone_id, joined[-1][1], max(joined[-1][2], until_at))
        else:
            joined.append((zone_id, from_at, until_at))
    return joined


def _held_during(limit: Limit, from_at: int, until_at: int) -> bool:
    return limit.valid_from <= until_at and (limit.valid_until is None or limit.valid_until >= from_at)


def _think_over(
    connection: Connection, zone_id: int, held: ZoneLimit, from_at: int, until_at: int, *, now_ms: int
) -> list[AlarmEvent]:
    start = books.checkpoint_before(connection, zone_id, held.id, from_at)
    outcome = rerun(
        held.limit,
        start,
        entries_from(connection, zone_id, held.limit, start.at, now_ms + AHEAD_MS),
        kept=books.checkpoints_after(connection, zone_id, held.id, start.at),
        changed_until=until_at,
    )
    revisions = revise(books.stated_breaches(connection, zone_id, held.id, outcome), outcome.breaches)
    books.replace_checkpoints(connection, zone_id, held.id, start.at, outcome)
    for revision in revisions:
        books.write_revision(connection, zone_id, held.id, revision, now_ms)
    follower = Follower(connection, zone_id, held.limit, now_ms, alarms_since(connection))
    return follower.follow(revisions, outcome.breaches)


def entries_from(
    connection: Connection, zone_id: int, limit: Limit, start_at: int | None, until_at: int
) -> Iterator[Entry]:
    """What was observed and what explains it, a few hours at a time, so that a long past fits into memory."""
    points = points_of_zone(connection, zone_id, limit.quantity)
    sources = context_sources(connection, zone_id, limit.context_delays_s)
    until_at = until_at if limit.valid_until is None else min(limit.valid_until, until_at)
    from_at = limit.valid_from if start_at is None else start_at
    planned = sources.planned(connection, from_at, until_at, with_running=start_at is None)
    yield from with_marks(_told(connection, points, sources, limit, (from_at, until_at)), planned)


def _told(
    connection: Connection,
    points: list[InstalledPoint],
    sources: ContextSources,
    limit: Limit,
    during: tuple[int, int],
) -> Iterator[Entry]:
    """Stretches without data are skipped."""
    from_at, until_at = during
    speaking = [*points, *sources.points]
    while (found := next_observation_at(connection, speaking, from_at, until_at)) is not None:
        from_at = min(found + _WINDOW_MS, until_at)
        observed = observations(connection, points, found, from_at)
        if not sources.signals:
            yield from observed
            continue
        streams: list[Iterable[Entry]] = [sources.told(connection, found, from_at, limit.max_gap_ms), observed]
        yield from merge(*streams, key=_at)


def _at(entry: Entry) -> int:
    return entry.at
