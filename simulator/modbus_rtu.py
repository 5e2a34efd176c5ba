"""Modbus RTU instruments on one pty: true line times if asked for, and the faults that only a serial line has."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from ground.kernel_timer import KernelTimer
from simulator.ledger import Ledger
from simulator.modbus import RtuRequests, rtu_frame
from simulator.pty_port import PtyPort
from simulator.station import Answer, Station

_FORGET_AFTER_S = 0.1  # longer than any gap a computer makes inside one request, far longer than t3.5
_CHUNK_BYTES = 16  # a USB adapter hands on what it has about this often


@dataclass(frozen=True, slots=True)
class LineTiming:
    """`character_s` 0: bytes take no time."""

    character_s: float = 0.0

    @property
    def silence_s(self) -> float:
        """t3.5, fixed to 1.75 ms above 19,200 Bd (Modbus over Serial Line V1.02, 2.5.1.1)."""
        return max(3.5 * self.character_s, 0.00175) if self.character_s else 0.0


class ModbusRtuLine:
    """A context manager; answers are put on the line one after the other, never over each other."""

    def __init__(
        self,
        link: Path,
        station: Station,
        ledger: Ledger,
        timing: LineTiming,
        chance: random.Random,
        *,
        echo: bool = False,
    ) -> None:
        self._station, self._ledger, self._timing, self._chance, self._echo = station, ledger, timing, chance, echo
        self._requests = RtuRequests()
        self._port = PtyPort(link, self._receive)
        self._heard_at = self._free_at = 0.0
        self._timer: KernelTimer | None = None

    def __enter__(self) -> Self:
        self._port.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.close()
            self._timer = None
        self._port.__exit__(kind, error, trace)

    def _receive(self, chunk: bytes) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._heard_at > _FORGET_AFTER_S:
            self._requests.forget()
        self._heard_at = now
        if self._echo:
            self._port.write(chunk)
        for unit_id, pdu in self._requests.feed(chunk):
            answer = self._station.answer(unit_id, pdu)
            if answer is not None:
                self._give(unit_id, len(pdu) + 3, answer)

    def _give(self, unit_id: int, request_bytes: int, answer: Answer) -> None:
        timing, now = self._timing, asyncio.get_running_loop().time()
        asked_at = max(now, self._free_at) + request_bytes * timing.character_s + timing.silence_s
        starts_at = asked_at + (answer.turnaround_ms + answer.treatment.delay_ms) / 1000
        if answer.treatment.why == "dead":
            self._send(answer, b"", now)
            return
        frame = spoil(rtu_frame(unit_id, answer.pdu), answer.treatment.why, self._chance)
        if answer.treatment.why != "late":  # a late unit keeps itself busy, not its neighbours
            self._free_at = starts_at + len(frame) * timing.character_s
        if starts_at <= now:
            self._send(answer, frame, now)
            return
        self._at(starts_at, partial(self._send, answer, frame, starts_at))

    def _send(self, answer: Answer, frame: bytes, starts_at: float) -> None:
        """All of it is in the ledger before its first byte is on the line. Timers are late; the line's time is not."""
        treatment = answer.treatment
        why, delivered = treatment.why, treatment.delivered
        if delivered and not self._port.is_plugged:
            why, delivered = why or "gone", False
        if answer.points:
            self._ledger.write(answer.device, answer.points, answer.values, why=why, delivered=delivered)
        if not self._timing.character_s:
            self._port.write(frame)
            return
        for begin in range(0, len(frame), _CHUNK_BYTES):
            chunk = frame[begin : begin + _CHUNK_BYTES]
            self._at(starts_at + (begin + len(chunk)) * self._timing.character_s, partial(self._port.write, chunk))

    def _at(self, when: float, act: Callable[[], object]) -> None:
        if self._timer is None:
            self._timer = KernelTimer()
        self._timer.call_at(when, act)


def spoil(frame: bytes, why: str | None, chance: random.Random) -> bytes:
    """The frame as a bad line would deliver it; sound for every `why` that does not touch bytes."""
    if why == "crc":
        spoilt = bytearray(frame)
        spoilt[chance.randrange(3, len(frame))] ^= 1 << chance.randrange(8)
        return bytes(spoilt)
    if why == "truncated":
        return frame[: chance.randrange(1, len(frame))]
    if why == "wrong_unit":
        return rtu_frame(frame[0] % 247 + 1, frame[1:-2])
    if why == "noise":
        return bytes(chance.randrange(256) for _ in range(chance.randrange(1, 4))) + frame
    return frame
