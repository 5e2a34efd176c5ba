"""The rules in their plainest form, tick by tick, to hold the real ones against. Slow and obvious on purpose."""

from rules import Breach, Limit, Observation, breach_key

TICK_MS = 1000


def known_at(limit: Limit, observations: list[Observation], at: int) -> float | None:
    values = []
    for point in {entry.point for entry in observations}:
        said = [entry for entry in observations if entry.point == point and entry.at <= at]
        last = max((entry.at for entry in said), default=None)
        if last is not None and at - last < limit.max_gap_ms:
            values.append(max((entry.value for entry in said if entry.at == last), key=lambda v: limit.sign * v))
    return max(values, key=lambda value: limit.sign * value, default=None)


def breaches(limit: Limit, observations: list[Observation], horizon: int) -> list[Breach]:
    """Every breach with an onset before `horizon`, also one still pending there."""
    found: list[Breach] = []
    start = min((entry.at for entry in observations), default=horizon)
    onset = extreme = extreme_at = confirmed = calm = None
    held = 0
    for at in range(start, horizon, TICK_MS):
        value = known_at(limit, observations, at)
        if value is None:
            continue
        if onset is None and limit.is_exceeded_by(value):
            onset, extreme, extreme_at, held = at, value, at, 0
        if onset is None:
            continue
        if confirmed is None:
            if not limit.is_exceeded_by(value):
                onset = None
                continue
            held += TICK_MS
            if limit.sign * value > limit.sign * extreme:
                extreme, extreme_at = value, at
            if held >= limit.on_delay_s * 1000:
                confirmed = at + TICK_MS - (held - limit.on_delay_s * 1000)
                held, calm = 0, None
            continue
        if not limit.is_cleared_by(value):
            calm, held = None, 0
            if limit.sign * value > limit.sign * extreme:
                extreme, extreme_at = value, at
            continue
        calm = at if calm is None else calm
        held += TICK_MS
        if held >= limit.off_delay_s * 1000:
            found.append(Breach(breach_key(limit, onset), onset, extreme, extreme_at, confirmed, calm))
            onset = confirmed = calm = None
    if onset is not None:
        found.append(Breach(breach_key(limit, onset), onset, extreme, extreme_at, confirmed, None))
    return found
