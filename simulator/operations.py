"""When a zone defrosts and when people open its door: the same timetable for the same seed, zone and day; pure."""

from __future__ import annotations

import random
from typing import NamedTuple

from simulator.thermal import DEFROST_TAKES_S

DAY_S = 86_400
SITE_OFFSET_S = 7 * 3600  # Asia/Ho_Chi_Minh has no summer time
_FIRST_HOUR, _LAST_HOUR = 5, 20  # people work between these
_DOOR_OPEN_S = (60, 300)


class Span(NamedTuple):
    """Half-open [from_s, until_s), UTC seconds."""

    from_s: float
    until_s: float


def site_day(utc_s: float) -> int:
    """Days since 1970 on the site's calendar."""
    return int((utc_s + SITE_OFFSET_S) // DAY_S)


def day_begins(day: int) -> int:
    """UTC seconds at which the site's day begins."""
    return day * DAY_S - SITE_OFFSET_S


def defrosts(seed: int, zone: str, per_day: int, day: int) -> list[Span]:
    """Evenly over the day, each zone with its own phase, as a controller's clock does it."""
    if per_day == 0:
        return []
    phase = random.Random(f"{seed}/{zone}/phase").random() * DAY_S / per_day
    chance = random.Random(f"{seed}/{zone}/{day}/defrost")
    begins = (day_begins(day) + phase + k * DAY_S / per_day for k in range(per_day))
    return [Span(at, at + DEFROST_TAKES_S * chance.uniform(0.85, 1.1)) for at in begins]


def door_openings(seed: int, zone: str, per_day: int, day: int) -> list[Span]:
    chance = random.Random(f"{seed}/{zone}/{day}/door")
    spans = []
    for _ in range(per_day):
        at = day_begins(day) + chance.uniform(_FIRST_HOUR, _LAST_HOUR) * 3600
        spans.append(Span(at, at + chance.uniform(*_DOOR_OPEN_S)))
    return sorted(spans)


class Timetable:
    """Both lists, asked for one moment after another; `shorten` divides the lengths where physics runs faster."""

    def __init__(
        self, seed: int, zone: str, *, defrosts_per_day: int, doors_per_day: int, shorten: float = 1.0
    ) -> None:
        self._seed, self._zone = seed, zone
        self._defrosts_per_day, self._doors_per_day, self._shorten = defrosts_per_day, doors_per_day, shorten
        self._day: int | None = None
        self._defrosts: list[Span] = []
        self._doors: list[Span] = []

    def is_defrost(self, utc_s: float) -> bool:
        self._turn_to(site_day(utc_s))
        return any(begin <= utc_s < end for begin, end in self._defrosts)

    def is_door_open(self, utc_s: float) -> bool:
        self._turn_to(site_day(utc_s))
        return any(begin <= utc_s < end for begin, end in self._doors)

    def _turn_to(self, day: int) -> None:
        if day == self._day:
            return
        self._day = day
        nearby = (day - 1, day)  # the last defrost of yesterday may reach over midnight
        self._defrosts = self._shortened(
            [span for d in nearby for span in defrosts(self._seed, self._zone, self._defrosts_per_day, d)]
        )
        self._doors = self._shortened(
            [span for d in nearby for span in door_openings(self._seed, self._zone, self._doors_per_day, d)]
        )

    def _shortened(self, spans: list[Span]) -> list[Span]:
        return [Span(begin, begin + (end - begin) / self._shorten) for begin, end in spans]
