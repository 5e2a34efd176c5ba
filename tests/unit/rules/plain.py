"""The rules in their plainest form, tick by tick, to hold the real ones against. Slow and obvious on purpose."""

from rules import Breach, ContextMark, Limit, Observation, Trigger, breach_key

TICK_MS = 1000


def known_at(limit: Limit, observations: list[Observation], at: int) -> float | None:
    values = []
    for point in {entry.point for entry in observations}:
        said = [entry for entry in observations if entry.point == point and entry.at <= at]
        last = max((entry.at for entry in said), default=None)
        if last is not None and at - last < limit.max_gap_ms:
            values.append(max((entry.value for entry in said if entry.at == last), key=lambda v: limit.sign * v))
    return max(values, key=lambda value: limit.sign * value, default=None)


def reach_of(mark_source: int, marks: list[ContextMark], before: int) -> int | None:
    """Until when a source's word held, of all that it said before a time."""
    until = said_at = None
    for at, _, _, until_at in sorted(mark for mark in marks if mark.source == mark_source and mark.at < before):
        if until_at > at:
            until = max(until, until_at) if said_at == at else until_at
            said_at = at
        elif until is not None and said_at != at and until > at:
            until = at
    return until


def begins(marks: list[ContextMark], at: int) -> set:
    """Kinds of context that begin at a time: on now, and not on until now."""
    now_on = {mark.kind for mark in marks if mark.at == at and mark.until_at > at}
    for source in {mark.source for mark in marks}:
        until = reach_of(source, marks, at)
        if until is not None and until >= at:
            now_on -= {mark.kind for mark in marks if mark.source == source}
    return now_on


def is_anything_on(marks: list[ContextMark], at: int) -> bool:
    reaches = [reach_of(source, marks, at + 1) for source in {mark.source for mark in marks}]
    return any(until is not None and until > at for until in reaches)


def breaches(
    limit: Limit, observations: list[Observation], horizon: int, marks: list[ContextMark] = ()
) -> list[Breach]:
    """Every breach with an onset before `horizon`, also one still pending there."""
    found: list[Breach] = []
    marks = [mark for mark in marks if mark.kind in limit.context_delays_s]
    start = min((entry.at for entry in [*observations, *marks]), default=horizon)
    longest = max(limit.context_delays_s.values(), default=0) * 1000
    onset = extreme = extreme_at = confirmed = trigger = calm = grace = None
    held = heat = 0
    is_excused = False
    for at in range(start, horizon, TICK_MS):
        for kind in begins(marks, at):
            if onset is None or is_excused:
                grace = max(at + limit.context_delays_s[kind] * 1000, grace or at)
        value = known_at(limit, observations, at)
        if value is None:
            continue
        if not limit.is_exceeded_by(value) and not is_anything_on(marks, at):
            grace = None
        if onset is None and limit.is_exceeded_by(value):
            onset, extreme, extreme_at, held, heat = at, value, at, 0, 0
            is_excused = grace is not None and grace > at
        if onset is None:
            continue
        if confirmed is None:
            if not limit.is_exceeded_by(value):
                onset, is_excused = None, False
                continue
            if limit.sign * value > limit.sign * extreme:
                extreme, extreme_at = value, at
            due = at + max(0, limit.on_delay_s * 1000 - held)
            if is_excused and grace is not None:
                due = max(due, min(grace, onset + longest))
            full = due + 1
            if limit.degree_minutes is not None:
                excess = round(abs(value * 1000 - float(limit.setpoint) * 1000))
                full = at + max(0, -(-(round(limit.degree_minutes * 60_000_000) - heat) // excess))
                heat += excess * TICK_MS
            held += TICK_MS
            if min(due, full) <= at + TICK_MS:
                confirmed, trigger = min(due, full), Trigger.DELAY if due <= full else Trigger.DEGREE_MINUTES
                held, calm, is_excused = 0, None, False
            continue
        if not limit.is_cleared_by(value):
            calm, held = None, 0
            if limit.sign * value > limit.sign * extreme:
                extreme, extreme_at = value, at
            continue
        calm = at if calm is None else calm
        held += TICK_MS
        if held >= limit.off_delay_s * 1000:
            found.append(Breach(breach_key(limit, onset), onset, extreme, extreme_at, confirmed, calm, trigger))
            onset = confirmed = trigger = calm = None
    if onset is not None:
        found.append(Breach(breach_key(limit, onset), onset, extreme, extreme_at, confirmed, None, trigger))
    return found
