"""The Modbus instruments that share one line or one TCP gateway: a request in, an answer with its fate out."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from simulator.faults import HEALTHY, SOUND, Ailments, Treatment, treat
from simulator.modbus import Refusal, exception_pdu, parse_read
from simulator.registers import Registers


@dataclass(frozen=True, slots=True)
class Instrument:
    """One Modbus unit. `turnaround_ms` is the time it takes from request to answer."""

    device: str
    registers: Registers
    turnaround_ms: int = 0


class Answer(NamedTuple):
    device: str
    pdu: bytes
    points: str
    values: str
    treatment: Treatment
    turnaround_ms: int


class Station:
    """Answers for every unit id that has an instrument; is silent for all others."""

    def __init__(
        self, units: dict[int, Instrument], ailments: Callable[[str], Ailments], chance: random.Random
    ) -> None:
        self._units, self._ailments, self._chance = units, ailments, chance

    def answer(self, unit_id: int, request: bytes) -> Answer | None:
        instrument = self._units.get(unit_id)
        if instrument is None or not request:
            return None
        device, registers, turnaround_ms = instrument.device, instrument.registers, instrument.turnaround_ms
        ailments = self._ailments(device)
        treatment = SOUND if ailments is HEALTHY else treat(ailments, self._chance)
        try:
            if ailments.exception:
                raise Refusal(ailments.exception)
            block = registers.read(parse_read(request))
        except Refusal as refusal:
            return Answer(device, exception_pdu(request[0], refusal.code), "", "", treatment, turnaround_ms)
        pdu = bytes((request[0], len(block.payload))) + block.payload
        return Answer(device, pdu, block.points, block.values, treatment, turnaround_ms)
