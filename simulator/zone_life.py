"""One zone of the running plant: its room, its timetable and what people and faults do to it."""

from __future__ import annotations

import math

from simulator.faults import FaultBoard
from simulator.operations import DAY_S, Timetable
from simulator.plan import ZonePlan, climate_of
from simulator.thermal import Influences, Room, is_defrosted, step, take_in

_DAILY_SWING_KELVIN = 5.0
_WARMEST_HOUR_UTC = 7  # 14:00 at the site
_ALARM_ABOVE_KELVIN = 4.0  # a controller's usual high alarm over its setpoint
_GOODS_SHARE = 0.05  # of what is stored, one carrier


def outside_celsius(mean: float, utc_s: float) -> float:
    return mean + _DAILY_SWING_KELVIN * math.cos((utc_s / 3600 - _WARMEST_HOUR_UTC) / 24 * math.tau)


class ZoneLife:
    """`advance` takes the room from moment to moment; the rest reads what it has become."""

    def __init__(self, plan: ZonePlan, seed: int, outside: float, physics_speed: float) -> None:
        self.id = plan.id
        self.climate = climate_of(plan)
        self.room = Room.at_rest(self.climate)
        self.is_defrosting = self.is_door_open = False
        self._outside, self._physics_speed = outside, physics_speed
        self._timetable = Timetable(
            seed,
            plan.id,
            defrosts_per_day=plan.defrosts_per_day,
            doors_per_day=plan.doors_per_day,
            shorten=physics_speed,
        )
        self._passage_until_s = 0.0
        self._defrost_done = False
        self._damp = 0.0

    def advance(self, utc_s: float, dt_s: float, board: FaultBoard) -> None:
        self.is_door_open = (
            board.is_on(self.id, "door-open") or utc_s < self._passage_until_s or self._timetable.is_door_open(utc_s)
        )
        self.is_defrosting = self._wants_defrost(utc_s) or board.is_on(self.id, "defrost")
        influences = Influences(
            outside_celsius(self._outside, utc_s % DAY_S),
            self.is_door_open,
            self.is_defrosting,
            not board.is_on(self.id, "compressor-dead"),
        )
        self.room = step(self.room, self.climate, influences, dt_s * self._physics_speed)
        target = 8.0 if self.is_door_open else 0.0
        self._damp += (target - self._damp) * (1 - math.exp(-dt_s * self._physics_speed / 300))

    def open_door_until(self, utc_s: float) -> None:
        self._passage_until_s = max(self._passage_until_s, utc_s)

    def take_in(self, goods_celsius: float) -> None:
        self.room = take_in(self.room, goods_celsius, _GOODS_SHARE)

    @property
    def is_alarmed(self) -> bool:
        return self.room.air_celsius > self.climate.setpoint_celsius + _ALARM_ABOVE_KELVIN

    def humidity_percent(self) -> float:
        return min(self.climate.humidity_percent + self._damp, 99.9)

    def _wants_defrost(self, utc_s: float) -> bool:
        """The clock begins a defrost; a warm coil or the clock ends it."""
        if not self._timetable.is_defrost(utc_s):
            self._defrost_done = False
            return False
        self._defrost_done = self._defrost_done or is_defrosted(self.room)
        return not self._defrost_done
