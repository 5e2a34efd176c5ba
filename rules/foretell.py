"""When will a warming room pass its limit if nothing changes? Newton's law of cooling, fitted to the last good minutes.

    T(t) = rest + (now - rest) e^(-t / tau)

Half an hour does not tell tau, so every tau that fits about as well as the best one speaks: the answer is a range.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rules.limit import Limit

_TAUS_MIN = (*(8.0 * 1.25**n for n in range(20)), 1e6)  # 8 min to 9 h; the last is a straight line
_LEAST_MINUTES = 15
_STEPS_PER_HOUR = 60
_NOISE_KELVIN = 0.1  # what a sensor of 0.1 K resolution cannot tell


@dataclass(frozen=True, slots=True)
class Foretold:
    """As it will be `ahead_min` from now. Minutes to the breach are None where it is not reached in that time."""

    low: float
    high: float
    earliest_min: float | None
    latest_min: float | None


@dataclass(frozen=True, slots=True)
class _Curve:
    rest: float
    swing: float
    tau_min: float
    error: float

    def at(self, minutes: float) -> float:
        return self.rest + self.swing * math.exp(-minutes / self.tau_min)


def foretell(limit: Limit, values: Sequence[tuple[int, float]], ahead_min: float = 60) -> Foretold | None:
    """`values` are (UTC ms, value) of one point, in time order. None when they are too few or do not get worse."""
    points = _smoothed(values)
    if len(points) < 5 or points[-1][0] - points[0][0] < _LEAST_MINUTES:
        return None
    rise = limit.sign * (points[-1][1] - points[0][1])
    if rise <= 2 * _NOISE_KELVIN:
        return None
    curves = [curve for tau in _TAUS_MIN if (curve := _fit(points, tau)) is not None]
    best = min(curve.error for curve in curves)
    likely = [curve for curve in curves if curve.error <= 1.5 * best + _NOISE_KELVIN / 2]
    ends = [curve.at(ahead_min) for curve in likely]
    spread = 2 * best + 3 * _NOISE_KELVIN + 0.1 * (max(ends) - min(ends))
    crossings = [_crossing(limit, curve, ahead_min) for curve in likely]
    reached = [minutes for minutes in crossings if minutes is not None]
    return Foretold(
        min(ends) - spread,
        max(ends) + spread,
        min(reached, default=None),
        max(reached) if len(reached) == len(crossings) else None,
    )


def _smoothed(values: Sequence[tuple[int, float]]) -> list[tuple[float, float]]:
    """Minutes before now, and the middle of each three: one odd reading bends nothing."""
    if not values:
        return []
    now = values[-1][0]
    heights = [value for _, value in values]
    return [
        ((at - now) / 60_000, sorted(heights[max(0, n - 1) : n + 2])[len(heights[max(0, n - 1) : n + 2]) // 2])
        for n, (at, _) in enumerate(values)
    ]


def _fit(points: Sequence[tuple[float, float]], tau_min: float) -> _Curve | None:
    """Least squares in e^(-t/tau), which is linear once tau is given."""
    shapes = [math.exp(-minutes / tau_min) for minutes, _ in points]
    count = len(points)
    mean_shape = sum(shapes) / count
    mean_value = sum(value for _, value in points) / count
    variance = sum((shape - mean_shape) ** 2 for shape in shapes)
    if variance == 0:
        return None
    swing = (
        sum((shape - mean_shape) * (value - mean_value) for shape, (_, value) in zip(shapes, points, strict=True))
        / variance
    )
    rest = mean_value - swing * mean_shape
    squares = ((rest + swing * shape - value) ** 2 for shape, (_, value) in zip(shapes, points, strict=True))
    return _Curve(rest, swing, tau_min, math.sqrt(sum(squares) / count))


def _crossing(limit: Limit, curve: _Curve, ahead_min: float) -> float | None:
    for step in range(math.ceil(ahead_min * _STEPS_PER_HOUR / 60) + 1):
        minutes = step * 60 / _STEPS_PER_HOUR
        if limit.is_exceeded_by(curve.at(minutes)):
            return minutes
    return None
