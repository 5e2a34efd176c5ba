"""The heat of one room: air, evaporator and goods as first-order bodies; pure, with no clock and no chance in it.

                 outside          neighbour's air          goods
                    |  leak             |  door open          |  load
                    v                   v                     v
    evaporator <-> AIR ------------------------------------------
    (cold while the compressor runs, +8 degrees in a defrost, as warm as the air otherwise)

Each step moves every body exactly towards the weighted mean of what it touches, so a temperature can never leave the
range of its surroundings, however long the step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

DEFROST_ENDS_AT_CELSIUS = 8.0  # the evaporator probe ends a defrost, the time limit only guards it
DEFROST_TAKES_S = 25 * 60


@dataclass(frozen=True, slots=True)
class Climate:
    """What a room is built like. Rates are shares of the temperature difference per hour."""

    setpoint_celsius: float
    differential_kelvin: float
    evaporator_celsius: float  # what the compressor makes of the coil
    door_air_celsius: float
    leak_per_h: float
    coil_per_h: float
    door_per_h: float
    goods_per_h: float = 0.15
    goods_gain_per_h: float = 0.4  # how fast goods take the air's temperature
    defrost_per_h: float = 0.1  # what a warm coil without fan gives off to the air
    humidity_percent: float = 85.0


@dataclass(frozen=True, slots=True)
class Influences:
    """What acts on the room during one step."""

    outside_celsius: float
    door_open: bool = False
    defrost: bool = False
    compressor_works: bool = True


@dataclass(frozen=True, slots=True)
class Room:
    """The state of one room."""

    air_celsius: float
    coil_celsius: float
    goods_celsius: float
    compressor_on: bool = False

    @classmethod
    def at_rest(cls, climate: Climate) -> Room:
        return cls(climate.setpoint_celsius, climate.setpoint_celsius, climate.setpoint_celsius)


_COIL_CHILLS_PER_H = 12.0
_COIL_WARMS_PER_H = 6.0


def step(room: Room, climate: Climate, influences: Influences, dt_s: float) -> Room:
    """The room `dt_s` seconds later."""
    hours = dt_s / 3600
    wants = _thermostat(room, climate)
    runs = wants and influences.compressor_works and not influences.defrost
    coil = _coil(room, climate, influences, runs, hours)
    coil_rate = climate.defrost_per_h if influences.defrost else climate.coil_per_h
    door_rate = climate.door_per_h if influences.door_open else 0.0
    rates = climate.leak_per_h + coil_rate + door_rate + climate.goods_per_h
    rest = (
        climate.leak_per_h * influences.outside_celsius
        + coil_rate * coil
        + door_rate * climate.door_air_celsius
        + climate.goods_per_h * room.goods_celsius
    ) / rates
    air = rest + (room.air_celsius - rest) * math.exp(-rates * hours)
    goods = air + (room.goods_celsius - air) * math.exp(-climate.goods_gain_per_h * hours)
    return Room(air, coil, goods, runs)


def take_in(room: Room, goods_celsius: float, share: float) -> Room:
    """Warm goods arrive and make up `share` of all that is stored."""
    return replace(room, goods_celsius=room.goods_celsius + (goods_celsius - room.goods_celsius) * share)


def is_defrosted(room: Room) -> bool:
    return room.coil_celsius >= DEFROST_ENDS_AT_CELSIUS - 0.5


def _thermostat(room: Room, climate: Climate) -> bool:
    half = climate.differential_kelvin / 2
    if room.air_celsius > climate.setpoint_celsius + half:
        return True
    return room.compressor_on and room.air_celsius > climate.setpoint_celsius - half


def _coil(room: Room, climate: Climate, influences: Influences, runs: bool, hours: float) -> float:
    if influences.defrost:
        towards, rate = max(DEFROST_ENDS_AT_CELSIUS, room.air_celsius), _COIL_WARMS_PER_H
    elif runs:
        towards, rate = min(climate.evaporator_celsius, room.air_celsius), _COIL_CHILLS_PER_H
    else:
        towards, rate = room.air_celsius, _COIL_WARMS_PER_H
    return towards + (room.coil_celsius - towards) * math.exp(-rate * hours)


CLIMATES = {
    "chiller_tank": Climate(1.6, 1.0, -3.0, 14.0, 0.10, 1.0, 0.15, humidity_percent=98.0),
    "air_chill": Climate(1.0, 1.2, -7.0, 14.0, 0.12, 1.2, 1.4, humidity_percent=92.0),
    "work_room": Climate(10.0, 1.2, 2.0, 22.0, 0.25, 1.2, 0.5, humidity_percent=78.0),
    "chill_store": Climate(2.0, 1.2, -6.0, 13.0, 0.10, 1.2, 1.4, humidity_percent=88.0),
    "blast_freezer": Climate(-35.0, 1.6, -46.0, 8.0, 0.09, 1.4, 0.6, goods_per_h=0.3, humidity_percent=80.0),
    "cold_store": Climate(-20.5, 1.0, -31.0, 10.0, 0.10, 1.3, 0.6, defrost_per_h=0.08, humidity_percent=84.0),
    "dock": Climate(8.5, 1.6, 1.0, 27.0, 0.20, 1.2, 0.8, humidity_percent=75.0),
}
