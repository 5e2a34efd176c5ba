"""What explains a warm zone for a while: the controller's word, a coil that is warm, a timetable, a person's word."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from heapq import merge

from sqlalchemy import Connection

from cloud.site.repository import InstalledPoint, mark_zone_dirty, observations, points_of_zone
from cloud.site.site_file import ContextEntry, SiteFile, ZoneEntry
from cloud.store import load_queries
from rules import CONTEXT_OF_QUANTITY, ContextKind, ContextMark, Daily, Signal

_DAY_MINUTES = 1440
_queries = load_queries("cloud.site")


@dataclass(frozen=True, slots=True)
class Span:
    """A person's word: this was or will be going on in [from_at, until_at)."""

    kind: ContextKind
    from_at: int
    until_at: int
    by: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class SignalPoint:
    point: InstalledPoint
    signal: Signal


@dataclass(frozen=True, slots=True)
class ContextSources:
    """All sources of a zone for the kinds that a limit asks for."""

    zone_id: int
    kinds: frozenset[ContextKind]
    signals: tuple[SignalPoint, ...]
    timetable: tuple[tuple[Daily, int, int | None], ...]

    @property
    def points(self) -> list[InstalledPoint]:
        return [source.point for source in self.signals]

    def told(self, connection: Connection, from_at: int, until_at: int, hold_ms: int) -> list[ContextMark]:
        """What instruments said in [from_at, until_at)."""
        return sorted(
            source.signal.mark(observation, hold_ms)
            for source in self.signals
            for observation in observations(connection, [source.point], from_at, until_at)
        )

    def planned(self, connection: Connection, from_at: int, until_at: int, *, with_running: bool) -> list[ContextMark]:
        """What people and timetables say begins in [from_at, until_at), or runs already at its begin."""
        spans = connection.execute(
            _queries.context_spans, {"zone_id": self.zone_id, "from_at": from_at, "until_at": until_at}
        )
        said = [
            ContextMark(max(row.from_at, from_at), -2 * row.id, ContextKind(row.kind), row.until_at)
            for row in spans
            if row.kind in self.kinds and (with_running or row.from_at >= from_at)
        ]
        timed = [
            mark
            for daily, since, end in self.timetable
            for mark in daily.marks(max(from_at, since), until_at if end is None else min(until_at, end))
        ]
        return list(merge(sorted(said), sorted(timed)))


def context_sources(connection: Connection, zone_id: int, kinds: Iterable[ContextKind]) -> ContextSources:
    wanted = frozenset(kinds)
    signals, timetable = [], []
    for quantity, kind in CONTEXT_OF_QUANTITY.items():
        if kind in wanted:
            signals += [SignalPoint(p, Signal(kind)) for p in points_of_zone(connection, zone_id, quantity)]
    for row in connection.execute(_queries.context_sources, {"zone_id": zone_id}) if wanted else ():
        kind = ContextKind(row.kind)
        if kind not in wanted:
            continue
        if row.quantity is None:
            timetable.append((Daily(kind, -2 * row.id - 1, row.at_minute, row.minutes), row.from_at, row.until_at))
            continue
        signal = Signal(kind, float(row.above))
        points = points_of_zone(connection, zone_id, row.quantity)
        signals += [SignalPoint(_within(p, row.from_at, row.until_at), signal) for p in points]
    return ContextSources(zone_id, wanted, tuple(signals), tuple(timetable))


def record_span(connection: Connection, zone_id: int, span: Span, now_ms: int) -> bool:
    """False when the same word was given before."""
    facts = {"zone_id": zone_id, "kind": span.kind, "from_at": span.from_at, "until_at": span.until_at}
    written = connection.execute(
        _queries.insert_context_span, {**facts, "by": span.by, "note": span.note, "now": now_ms}
    )
    if written.rowcount == 0:
        return False
    mark_zone_dirty(connection, zone_id, span.from_at, span.until_at)
    return True


def spans_between(connection: Connection, zone_id: int, from_at: int, until_at: int) -> list[Span]:
    rows = connection.execute(_queries.context_spans, {"zone_id": zone_id, "from_at": from_at, "until_at": until_at})
    return [Span(ContextKind(row.kind), row.from_at, row.until_at, row.by, row.note) for row in rows]


def apply_contexts(connection: Connection, zone_id: int, zone: ZoneEntry, site: SiteFile, now_ms: int) -> int:
    """Makes the sources of a zone those of the file; gives how many changed."""
    wanted = {facts for entry in zone.contexts for facts in _facts(entry, site.utc_offset_min)}
    changed = 0
    is_first = True
    for row in connection.execute(_queries.context_sources, {"zone_id": zone_id}).all():
        is_first = False
        if row.until_at is not None:
            continue
        found = (row.kind, row.quantity, row.above, row.at_minute, row.minutes)
        if found in wanted:
            wanted.remove(found)
            continue
        connection.execute(_queries.close_context_source, {"id": row.id, "until_at": now_ms})
        changed += 1
    from_at = site.since_ms if is_first else now_ms
    for kind, quantity, above, at_minute, minutes in sorted(wanted, key=repr):
        facts = {"kind": kind, "quantity": quantity, "above": above, "at_minute": at_minute, "minutes": minutes}
        connection.execute(_queries.insert_context_source, {**facts, "zone_id": zone_id, "from_at": from_at})
        changed += 1
    if changed:
        mark_zone_dirty(connection, zone_id, from_at, now_ms)
    return changed


_SourceFacts = tuple[str, str | None, str | None, int | None, int | None]


def _facts(entry: ContextEntry, utc_offset_min: int) -> list[_SourceFacts]:
    if entry.quantity is not None:
        return [(entry.kind.value, entry.quantity, str(Decimal(entry.above)), None, None)]
    return [
        (entry.kind.value, None, None, (minute - utc_offset_min) % _DAY_MINUTES, entry.minutes)
        for minute in entry.minutes_of_day()
    ]


def _within(point: InstalledPoint, from_at: int, until_at: int | None) -> InstalledPoint:
    ends = [end for end in (point.until_at, until_at) if end is not None]
    return InstalledPoint(point.series_id, max(point.from_at, from_at), min(ends, default=None))
