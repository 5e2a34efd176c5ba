"""A sparkline with its limit band, as numbers for an SVG of 100 by 100; pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cloud.api.series import Bucket


@dataclass(frozen=True, slots=True)
class Mark:
    y: float
    setpoint: float


@dataclass(frozen=True, slots=True)
class Spark:
    band_top: float
    band_height: float
    marks: tuple[Mark, ...]
    lines: tuple[str, ...]
    hot: tuple[str, ...]
    holes: tuple[tuple[float, float], ...]
    end: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Window:
    from_ms: int
    until_ms: int
    step_ms: int
    max_gap_ms: int

    def x(self, at: int) -> float:
        share = (at - self.from_ms) / (self.until_ms - self.from_ms)
        return round(max(0.0, min(1.0, share)) * 100, 2)


def sparkline(buckets: Sequence[Bucket], window: Window, low: float | None, high: float | None) -> Spark | None:
    """None when nothing was measured in the window."""
    if not buckets:
        return None
    scale = _Scale([extreme(bucket, low, high) for bucket in buckets], low, high)
    runs = _runs(buckets, window)
    top = scale.y(high) if high is not None else 0.0
    bottom = scale.y(low) if low is not None else 100.0
    last = buckets[-1]
    ends_now = window.until_ms - (last.at + window.step_ms) <= window.max_gap_ms
    points = [[(_middle(bucket, window), extreme(bucket, low, high)) for bucket in run] for run in runs]
    return Spark(
        band_top=top,
        band_height=round(max(0.0, bottom - top), 2),
        marks=tuple(Mark(scale.y(limit), limit) for limit in (high, low) if limit is not None),
        lines=tuple(_path((x, scale.y(value)) for x, value in run) for run in points),
        hot=tuple(path for run in points for path in _over(run, scale, high)),
        holes=_holes(runs, window),
        end=(points[-1][-1][0], scale.y(points[-1][-1][1])) if ends_now else None,
    )


def extreme(bucket: Bucket, low: float | None, high: float | None) -> float:
    """The mean, unless that would hide that a limit was passed."""
    if high is not None and bucket.high > high:
        return bucket.high
    if low is not None and bucket.low < low:
        return bucket.low
    return bucket.mean


class _Scale:
    def __init__(self, values: Sequence[float], low: float | None, high: float | None) -> None:
        known = [*values, *(limit for limit in (low, high) if limit is not None)]
        room = max((max(known) - min(known)) * 0.14, 0.6)
        self._top = max(known) + room
        self._height = max(known) - min(known) + 2 * room

    def y(self, value: float) -> float:
        return round((self._top - value) / self._height * 100, 2)


def _middle(bucket: Bucket, window: Window) -> float:
    return window.x(min(bucket.at + window.step_ms // 2, window.until_ms))


def _runs(buckets: Sequence[Bucket], window: Window) -> list[list[Bucket]]:
    runs = [[buckets[0]]]
    for bucket in buckets[1:]:
        if bucket.at - runs[-1][-1].at - window.step_ms > window.max_gap_ms:
            runs.append([])
        runs[-1].append(bucket)
    return runs


def _holes(runs: Sequence[Sequence[Bucket]], window: Window) -> tuple[tuple[float, float], ...]:
    ends = [window.from_ms, *(run[-1].at + window.step_ms for run in runs)]
    begins = [*(run[0].at for run in runs), window.until_ms]
    return tuple(
        (window.x(end), round(window.x(begin) - window.x(end), 2))
        for end, begin in zip(ends, begins, strict=True)
        if begin - end > window.max_gap_ms
    )


def _path(points: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points)


def _over(run: Sequence[tuple[float, float]], scale: _Scale, high: float | None) -> list[str]:
    """Closed areas between the upper limit and the line above it."""
    if high is None:
        return []
    edge, paths, inside = scale.y(high), [], list[tuple[float, float]]()
    for x, value in [*run, (run[-1][0], high)]:
        if value > high:
            inside.append((x, scale.y(value)))
        elif inside:
            paths.append(_path([(inside[0][0], edge), *inside, (x, edge)]) + "Z")
            inside = []
    return paths
