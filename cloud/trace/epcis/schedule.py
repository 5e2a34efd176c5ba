"""When a scheduled subscription is due: like cron, in UTC (EPCIS 2.0, 8.2.5.3). Pure.

A finer field that is left out is 0 when a coarser one is given: hour 1 with minute 5 is once a day, not sixty times.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from cloud.trace.epcis.errors import Fault, InvalidEventError

_FIELDS = {
    "second": (0, 59),
    "minute": (0, 59),
    "hour": (0, 23),
    "dayOfMonth": (1, 31),
    "month": (1, 12),
    "dayOfWeek": (1, 7),
}
_FINER = ("second", "minute", "hour")
_RANGE = re.compile(r"\[(\d+)-(\d+)\]|(\d+)")
_YEARS_AHEAD = 9  # 29 February on a given weekday may be that far


def refuse_bad_schedule(raw: object) -> dict[str, str]:
    """Raises InvalidEventError."""
    if not isinstance(raw, dict) or not raw:
        raise InvalidEventError([Fault("$.schedule", "such as {'hour': '1', 'minute': '5'}")])
    for name, value in raw.items():
        if name not in _FIELDS:
            raise InvalidEventError([Fault(f"$.schedule.{name}", f"one of {', '.join(_FIELDS)}")])
        _numbers(name, str(value))
    return {name: str(value) for name, value in raw.items()}


def next_due(schedule: Mapping[str, str], after_ms: int) -> int | None:
    """The first moment behind `after_ms`; None when there is none, as on 31 February."""
    after = datetime.fromtimestamp(after_ms // 1000, UTC)
    clock = [_clock(schedule, place) for place in range(len(_FINER))]
    for day in range(366 * _YEARS_AHEAD):
        date = (after + timedelta(days=day)).date()
        if not _is_day(schedule, date.month, date.day, date.isoweekday()):
            continue
        for hour in clock[2]:
            for minute in clock[1]:
                for second in clock[0]:
                    at = datetime(date.year, date.month, date.day, hour, minute, second, tzinfo=UTC)
                    if at > after:
                        return int(at.timestamp()) * 1000
    return None


def _is_day(schedule: Mapping[str, str], month: int, day: int, weekday: int) -> bool:
    wanted = {"month": month, "dayOfMonth": day, "dayOfWeek": weekday}
    return all(name not in schedule or value in _numbers(name, schedule[name]) for name, value in wanted.items())


def _clock(schedule: Mapping[str, str], place: int) -> Sequence[int]:
    name = _FINER[place]
    if name in schedule:
        return _numbers(name, schedule[name])
    is_coarser_given = any(coarser in schedule for coarser in list(_FIELDS)[place + 1 :])
    return [0] if is_coarser_given else range(_FIELDS[name][1] + 1)


def _numbers(name: str, text: str) -> Sequence[int]:
    low, high = _FIELDS[name]
    found: set[int] = set()
    for part in text.split(","):
        match = _RANGE.fullmatch(part.strip())
        if match is None:
            raise InvalidEventError([Fault(f"$.schedule.{name}", f"{text!r} is not such as 5 or 1,[10-20]")])
        first = int(match[1] or match[3])
        last = int(match[2] or match[3])
        if not low <= first <= last <= high:
            raise InvalidEventError([Fault(f"$.schedule.{name}", f"{part.strip()} is not within {low} to {high}")])
        found.update(range(first, last + 1))
    return sorted(found)
