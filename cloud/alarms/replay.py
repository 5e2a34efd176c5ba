"""Recorded readings through the same rules that run live: which breaches and alarms there would have been, and when.

readings + contexts --> per zone and limit: rules.advance --> breaches, alarms
                    \\-> per point: rules.PointJudge ---------> spells of distrust
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from cloud.alarms.silence import SILENT_AFTER_MS
from cloud.site.site_file import SiteFile, ZoneEntry
from rules import (
    CONTEXT_OF_QUANTITY,
    Breach,
    ChangeKind,
    ContextKind,
    ContextMark,
    Daily,
    Distrust,
    Entry,
    Limit,
    Observation,
    Signal,
    WatchState,
    advance,
    distrust,
    settle,
    with_marks,
)

_ON = 0.5
_MINUTES_PER_DAY = 1440


class ReplayRow(NamedTuple):
    """One line of the readings; `value` None: a bad reading."""

    at: int
    point: str
    value: float | None


class ReplaySpan(NamedTuple):
    """One line of the contexts: a person's word."""

    zone: str
    kind: ContextKind
    from_at: int
    until_at: int


class ReplayedBreach(NamedTuple):
    limit: Limit
    breach: Breach


class ReplayedAlarm(NamedTuple):
    """`key` of the limit, or `no_data`; `until_at` None: to the end of the readings."""

    zone: str
    key: str
    severity: str
    at: int
    until_at: int | None


@dataclass(frozen=True, slots=True)
class Replayed:
    breaches: list[ReplayedBreach]
    alarms: list[ReplayedAlarm]
    distrust: list[Distrust]


def replay(site: SiteFile, rows: Iterable[ReplayRow], spans: Sequence[ReplaySpan] = ()) -> Replayed:
    """Rows in any order; points that the site does not know are passed over."""
    by_point: dict[str, list[ReplayRow]] = defaultdict(list)
    for row in rows:
        by_point[row.point].append(row)
    for found in by_point.values():
        found.sort(key=lambda row: row.at)
    until_at = max((found[-1].at for found in by_point.values()), default=0)
    outcome = Replayed([], [], [])
    for zone in site.zones:
        heard = _Zone(zone, by_point, site.utc_offset_min, [span for span in spans if span.zone == zone.key])
        for entry in zone.limits:
            outcome.breaches.extend(heard.breaches(entry.as_limit(zone.key), until_at))
        outcome.alarms.extend(heard.silences(until_at))
        outcome.distrust.extend(heard.distrust(until_at))
    outcome.alarms.extend(
        ReplayedAlarm(limit.zone, limit.key, limit.severity, breach.confirmed_at, breach.ended_at)
        for limit, breach in outcome.breaches
        if breach.confirmed_at is not None
    )
    outcome.alarms.sort(key=lambda alarm: (alarm.at, alarm.zone, alarm.key))
    return outcome


class _Zone:
    """What was heard of one zone."""

    def __init__(
        self, zone: ZoneEntry, by_point: Mapping[str, list[ReplayRow]], utc_offset_min: int, spans: list[ReplaySpan]
    ) -> None:
        self._zone = zone
        self._rows = {entry.point: by_point.get(entry.point, []) for entry in zone.points}
        self._number = {entry.point: n for n, entry in enumerate(zone.points)}
        self._utc_offset_min = utc_offset_min
        self._spans = spans

    def breaches(self, limit: Limit, until_at: int) -> list[ReplayedBreach]:
        observed = self._observations({limit.quantity})
        if not observed:
            return []
        entries: list[Entry] = [*observed, *self._told(limit)]
        entries.sort(key=lambda entry: entry.at)
        state, changes = advance(limit, WatchState(), with_marks(entries, self._planned(observed[0].at, until_at)))
        state, last = settle(limit, state, until_at)
        ended = [change.breach for change in [*changes, *last] if change.kind is ChangeKind.ENDED]
        return [ReplayedBreach(limit, breach) for breach in [*ended, *([state.breach] if state.breach else [])]]

    def silences(self, until_at: int) -> list[ReplayedAlarm]:
        """One for each stretch in which no point of the limits' quantities said anything good."""
        wanted = {entry.quantity for entry in self._zone.limits} - set(CONTEXT_OF_QUANTITY)
        times = sorted(entry.at for entry in self._observations(wanted))
        found = [
            ReplayedAlarm(self._zone.key, "no_data", "high", before + SILENT_AFTER_MS, after)
            for before, after in pairwise(times)
            if after - before > SILENT_AFTER_MS
        ]
        if times and until_at - times[-1] > SILENT_AFTER_MS:
            found.append(ReplayedAlarm(self._zone.key, "no_data", "high", times[-1] + SILENT_AFTER_MS, None))
        return found

    def distrust(self, until_at: int) -> list[Distrust]:
        judged = {entry.quantity for entry in self._zone.points} - set(CONTEXT_OF_QUANTITY)
        return [
            spell
            for quantity in sorted(judged)
            for spell in distrust(
                {
                    entry.point: [(row.at, row.value) for row in self._rows[entry.point]]
                    for entry in self._zone.points
                    if entry.quantity == quantity
                },
                until_at,
                self.defrosts(),
            )
        ]

    def defrosts(self) -> list[tuple[int, int]]:
        """As the controller told them."""
        found: list[tuple[int, int]] = []
        is_on = False
        for entry in sorted(self._observations({"defrost"})):
            if entry.value > _ON and not is_on:
                found.append((entry.at, entry.at))
            if is_on:
                found[-1] = (found[-1][0], entry.at)
            is_on = entry.value > _ON
        return found

    def _observations(self, quantities: set[str]) -> list[Observation]:
        return [
            Observation(row.at, self._number[entry.point], row.value)
            for entry in self._zone.points
            if entry.quantity in quantities
            for row in self._rows[entry.point]
            if row.value is not None
        ]

    def _told(self, limit: Limit) -> list[ContextMark]:
        signals = {quantity: Signal(kind) for quantity, kind in CONTEXT_OF_QUANTITY.items()}
        signals |= {
            entry.quantity: Signal(entry.kind, float(entry.above))
            for entry in self._zone.contexts
            if entry.quantity is not None
        }
        return [
            signal.mark(observation, limit.max_gap_ms)
            for quantity, signal in signals.items()
            for observation in self._observations({quantity})
        ]

    def _planned(self, from_at: int, until_at: int) -> list[ContextMark]:
        marks = [
            ContextMark(max(span.from_at, from_at), -2 * n - 2, span.kind, span.until_at)
            for n, span in enumerate(self._spans)
            if span.until_at > from_at
        ]
        timetable = [(entry, time) for entry in self._zone.contexts for time in entry.minutes_of_day()]
        for n, (entry, minute) in enumerate(timetable):
            at_minute = (minute - self._utc_offset_min) % _MINUTES_PER_DAY
            marks += Daily(entry.kind, -2 * n - 1, at_minute, entry.minutes).marks(from_at, until_at)
        return sorted(marks)
