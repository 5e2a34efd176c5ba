"""A room with a known past: minute by minute what its instruments said, and what truly went wrong when.

The room is the running plant's room at its true pace, with its timetable of defrosts and doors, and goods that come in
warm. What goes wrong comes in turn, days apart, so that an alarm belongs to one cause or to none.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from simulator.faults import FaultBoard
from simulator.plan import Name, ZonePlan
from simulator.zone_life import ZoneLife

STEP_S = 60
_DAY_S = 86_400
_SETTLES_S = 6 * 3600
_NOISE_KELVIN = 0.04
_LEAK_PER_H = 0.16  # an older store: without cooling it is at its limit in about half an hour
_DEFROST_PER_H = 0.3  # heaters near the fan: spikes as in a store whose guard has learnt to ignore them


class Label(NamedTuple):
    """The truth: this was wrong in [from_s, until_s)."""

    kind: str  # compressor, heater, door, icing, drift, flat, gap
    from_s: int
    until_s: int


class Minute(NamedTuple):
    """What a gateway read at one time; None: the instrument said nothing."""

    at_s: int
    probe: float | None
    controller: float
    is_defrost: bool
    is_door_open: bool


@dataclass(frozen=True, slots=True)
class LabelledRoom:
    seed: int
    days: int
    begin_s: int
    defrosts_per_day: int = 4
    doors_per_day: int = 14
    setpoint: float = -20.5

    def labels(self) -> list[Label]:
        """One trouble each two and a half days, at any phase of the defrosts; slow ones take their days."""
        chance = random.Random(f"{self.seed}/labels")
        turn = ["compressor", "flat", "door", "compressor", "heater", "gap", "compressor", "icing", "drift", "door"]
        found: list[Label] = []
        at_s, number = self.begin_s + 2 * _DAY_S, 0
        while True:
            kind = turn[number % len(turn)]
            begin = round(at_s + chance.uniform(0, 0.5) * _DAY_S)
            end = begin + _LENGTH_S[kind]
            if end + _DAY_S > self.begin_s + self.days * _DAY_S:
                return found
            found.append(Label(kind, begin, end))
            at_s, number = end + 2 * _DAY_S, number + 1

    def minutes(self) -> Iterator[Minute]:
        plan = ZonePlan(
            id="room",
            name=Name(vi="Kho", en="Store"),
            climate="cold_store",
            setpoint=self.setpoint,
            defrosts_per_day=self.defrosts_per_day,
            doors_per_day=self.doors_per_day,
        )
        zone = ZoneLife(plan, self.seed, 28.0, physics_speed=1.0)
        board = FaultBoard([], ["room"])
        chance = random.Random(f"{self.seed}/instruments")
        zone.climate = replace(zone.climate, defrost_per_h=_DEFROST_PER_H, leak_per_h=_LEAK_PER_H)
        sound, labels = zone.climate, self.labels()
        frozen: float | None = None
        for at_s in range(self.begin_s - _SETTLES_S, self.begin_s + self.days * _DAY_S, STEP_S):
            label = next((one for one in labels if one.from_s <= at_s < one.until_s), None)
            kind = label.kind if label else ""
            _befall(board, kind)
            share = (at_s - label.from_s) / (label.until_s - label.from_s) if label else 0.0
            iced = 1 - 0.97 * min(1.0, 2 * share) if kind == "icing" else 1.0
            zone.climate = replace(sound, coil_per_h=sound.coil_per_h * iced) if iced < 1 else sound
            if chance.random() < 2 / 7 * STEP_S / _DAY_S:
                zone.take_in(-12.0)  # a pallet that stood on the dock, twice a week
                zone.open_door_until(at_s + 900)
            zone.advance(at_s, STEP_S, board)
            drift = 3.5 * share * (1 if self.seed % 2 else -1) if kind == "drift" else 0.0
            probe: float | None = round(zone.room.air_celsius + 0.2 + drift + chance.gauss(0, _NOISE_KELVIN), 1)
            frozen = probe if kind == "flat" and frozen is None else frozen if kind == "flat" else None
            if kind == "gap":
                probe = None
            elif frozen is not None:
                probe = frozen
            if at_s >= self.begin_s:
                controller = round(zone.room.air_celsius, 1)
                yield Minute(at_s, probe, controller, zone.is_defrosting, zone.is_door_open)


_LENGTH_S = {
    "compressor": 4 * 3600,
    "heater": 3 * 3600,
    "door": 2 * 3600,
    "icing": 24 * 3600,
    "drift": 5 * _DAY_S,
    "flat": 24 * 3600,
    "gap": 2 * 3600,
}
_ZONE_FAULT = {"compressor": "compressor-dead", "heater": "defrost", "door": "door-open"}


def _befall(board: FaultBoard, kind: str) -> None:
    for cause, fault in _ZONE_FAULT.items():
        if kind == cause and not board.is_on("room", fault):
            board.set(fault, "room", rate=None, ms=None, code=None)
        elif kind != cause and board.is_on("room", fault):
            board.clear("room", fault)
