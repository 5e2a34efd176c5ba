"""The instruments' faces: how a zone's state becomes register values, and a scale's or reader's words utterances."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Protocol

from simulator.faults import Ailments
from simulator.reader import Reader, ReaderFrame
from simulator.registers import (
    STATUS_ALARM,
    STATUS_COMPRESSOR,
    STATUS_DEFROST,
    STATUS_DOOR_OPEN,
    STATUS_PROBE_FAULT,
    CounterRegisters,
    Registers,
    controller,
    probe,
)
from simulator.scale import Scale, ScaleLine
from simulator.serial_instrument import Utterance
from simulator.zone_life import ZoneLife

_TEMPERATURE_NOISE, _HUMIDITY_NOISE = 0.04, 0.25


class ModbusFace(Protocol):
    device: str

    @property
    def registers(self) -> Registers: ...

    def show(self, ailments: Ailments) -> None:
        """Put the present state into the registers."""


class Probe:
    def __init__(self, device: str, unit_id: int, zone: ZoneLife, offset: float, chance: random.Random) -> None:
        self.device = device
        self.registers = probe(unit_id)
        self._zone, self._offset, self._chance = zone, offset, chance

    def show(self, ailments: Ailments) -> None:
        self.registers.frozen = ailments.frozen
        if ailments.probe_broken:
            self.registers.set("temperature", None)
            self.registers.set("humidity", None)
            return
        air = self._zone.room.air_celsius + self._offset + self._chance.gauss(0, _TEMPERATURE_NOISE)
        damp = self._zone.humidity_percent() + self._chance.gauss(0, _HUMIDITY_NOISE)
        self.registers.set("temperature", round(air * 10))
        self.registers.set("humidity", min(round(damp * 10), 999))


class Controller:
    def __init__(self, device: str, unit_id: int, zone: ZoneLife) -> None:
        self.device = device
        self.registers = controller(unit_id)
        self._zone = zone

    def show(self, ailments: Ailments) -> None:
        self.registers.frozen = ailments.frozen
        zone = self._zone
        air = None if ailments.probe_broken else round(zone.room.air_celsius * 10)
        bits = (
            (STATUS_COMPRESSOR if zone.room.compressor_on else 0)
            | (STATUS_DEFROST if zone.is_defrosting else 0)
            | (STATUS_DOOR_OPEN if zone.is_door_open else 0)
            | (STATUS_ALARM if zone.is_alarmed or ailments.probe_broken else 0)
            | (STATUS_PROBE_FAULT if ailments.probe_broken else 0)
        )
        self.registers.set("room_temperature", air)
        self.registers.set("evaporator_temperature", round(zone.room.coil_celsius * 10))
        self.registers.set("status", bits)


class CounterFace:
    def __init__(self, device: str) -> None:
        self.device = device
        self.registers = CounterRegisters()

    def show(self, ailments: Ailments) -> None:
        self.registers.frozen = ailments.frozen


class ScaleVoice:
    def __init__(self, scale: Scale, ailments: Callable[[], Ailments]) -> None:
        self._scale, self._ailments = scale, ailments

    def receive(self, chunk: bytes, now_s: float) -> list[Utterance]:
        self._suffer(now_s)
        return [_weight(line) for line in self._scale.receive(chunk, now_s)]

    def poll(self, now_s: float) -> list[Utterance]:
        self._suffer(now_s)
        return [_weight(line) for line in self._scale.poll(now_s)]

    def _suffer(self, now_s: float) -> None:
        ailments = self._ailments()
        self._scale.freeze(ailments.frozen, now_s)
        self._scale.is_overloaded = ailments.probe_broken  # a torn load cell reads far beyond its range


class ReaderVoice:
    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def receive(self, chunk: bytes, now_s: float) -> list[Utterance]:
        return [_tag(frame) for frame in self._reader.receive(chunk, now_s)]

    def poll(self, now_s: float) -> list[Utterance]:
        return [_tag(frame) for frame in self._reader.poll(now_s)]


def _weight(line: ScaleLine) -> Utterance:
    if line.value is None:
        return Utterance(line.content)
    return Utterance(line.content, "weight", line.value, "kg", line.stable)


def _tag(frame: ReaderFrame) -> Utterance:
    return Utterance(frame.content, "tag", frame.epc) if frame.epc else Utterance(frame.content)
