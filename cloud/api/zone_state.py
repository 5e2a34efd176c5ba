"""The state of a zone as a person should see it now; pure.

unknown   no point of the zone is fresh: the last value may be anything by now
breach    a limit has been exceeded for longer than its on-delay
pending   over a limit, the on-delay is running
stale     known, but older than a cycle should be
normal
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

STALE_AFTER_MS = 60_000
MAX_GAP_MS = 300_000
"""How long a value counts where the zone has no limit that says so (the default of `limit_rule.max_gap_s`)."""

Quality = Literal["good", "uncertain", "bad"]
State = Literal["normal", "pending", "breach", "unknown", "stale"]


@dataclass(frozen=True, slots=True)
class PointNow:
    """The newest good or uncertain value of a point."""

    series_name: str
    value: float
    text: str
    quality: Quality
    observed_at: int


@dataclass(frozen=True, slots=True)
class Bounds:
    """The tightest limits of the zone's main quantity; a breach is judged by `rules`, these only draw."""

    low: float | None = None
    high: float | None = None
    max_gap_ms: int = MAX_GAP_MS


@dataclass(frozen=True, slots=True)
class OpenBreach:
    status: str
    onset_at: int
    due_at: int


@dataclass(frozen=True, slots=True)
class ZoneNow:
    state: State
    since: int | None
    shown: PointNow | None
    """The point whose value speaks for the zone; the last that did when the state is unknown."""


def zone_now(points: Sequence[PointNow], bounds: Bounds, breaches: Iterable[OpenBreach], now_ms: int) -> ZoneNow:
    fresh = [point for point in points if now_ms - point.observed_at <= bounds.max_gap_ms]
    if not fresh:
        last = max(points, key=lambda point: point.observed_at, default=None)
        return ZoneNow("unknown", last.observed_at if last else None, last)
    shown = worst(fresh, bounds)
    if standing := sorted(breaches, key=lambda breach: (breach.status != "active", breach.onset_at)):
        first = standing[0]
        return ZoneNow("breach" if first.status == "active" else "pending", first.onset_at, shown)
    if now_ms - shown.observed_at > min(STALE_AFTER_MS, bounds.max_gap_ms):
        return ZoneNow("stale", shown.observed_at, shown)
    return ZoneNow("normal", None, shown)


def worst(points: Sequence[PointNow], bounds: Bounds) -> PointNow:
    """The point nearest to, or furthest beyond, a limit; the warmest where only an upper limit or none is set."""

    def margin(point: PointNow) -> float:
        return min(
            bounds.high - point.value if bounds.high is not None else float("inf"),
            point.value - bounds.low if bounds.low is not None else float("inf"),
        )

    if bounds.low is None and bounds.high is None:
        return max(points, key=lambda point: (point.value, point.observed_at))
    return min(points, key=lambda point: (margin(point), -point.observed_at))
