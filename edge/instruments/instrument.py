"""A serial instrument that has a port to itself: keeps the line open, notices silence, ends in good order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from edge.drivers.errors import PortLost
from edge.drivers.frames import Decoder
from edge.drivers.transport import Stream
from edge.lines.bus import Port, Statistics
from wire.entries import Entry

log = logging.getLogger(__name__)

_REOPEN_AFTER_S = 10.0  # an instrument silent for so long: the port itself is suspect


class Sink(Protocol):
    def __call__(self, entries: list[Entry], *, urgent: bool) -> None: ...


@dataclass(frozen=True)
class Wiring:
    """What an instrument hangs on: its port and driver, its rhythm, and where its entries go."""

    name: str
    port: Port
    decoder: Decoder
    period_s: float
    timeout_s: float
    sink: Sink
    now_ms: Callable[[], int]


class Instrument:
    """One device on its own port. Subclasses say how they are spoken to (`_turn`)."""

    def __init__(self, wiring: Wiring) -> None:
        self.name, self.port, self.statistics = wiring.name, wiring.port, Statistics()
        self._decoder, self._sink, self._now_ms = wiring.decoder, wiring.sink, wiring.now_ms
        self._period_s, self._timeout_s = wiring.period_s, wiring.timeout_s
        self._loop = asyncio.get_running_loop()
        self._heard_at = 0.0
        self.is_silent = False
        self._last_at = 0
        self._is_stopping = False

    async def run(self) -> None:
        """Until `stop` or cancellation."""
        async with asyncio.TaskGroup() as tasks:
            port = tasks.create_task(self.port.run(), name=f"port {self.port.name}")
            await self.port.tried.wait()
            self._heard_at = self._loop.time()
            while not self._is_stopping:
                await self._one_turn()
            self.give_held()
            port.cancel()

    def stop(self) -> None:
        """End after the turn in hand, within a period."""
        self._is_stopping = True

    async def _one_turn(self) -> None:
        stream = self.port.stream
        if stream is None:
            self._absent("port_down")
            await asyncio.sleep(min(self._period_s, 0.25))
            return
        try:
            await self._turn(stream)
        except PortLost as error:
            self.port.lose(error.why)
            return
        if self._loop.time() - self._heard_at > _REOPEN_AFTER_S:
            self._heard_at = self._loop.time()
            self.port.lose(f"{self.name} is silent", is_suspicion=True)

    async def _turn(self, stream: Stream) -> None:
        raise NotImplementedError

    def _absent(self, reason: str) -> None:
        """Nothing can be had from it; to be called at least once a period while that lasts."""
        raise NotImplementedError

    def give_held(self) -> None:
        """Give out what is still held back; called before each flush and at the end."""

    def _note_heard(self) -> None:
        self._heard_at = self._loop.time()
        if self.is_silent:
            log.info("%s: speaks again", self.name)
        self.is_silent = False

    def _note_silence(self) -> None:
        self.statistics.timeouts += 1
        if not self.is_silent:
            log.warning("%s: silent for %g s", self.name, self._timeout_s)
        self.is_silent = True

    def _stamp(self) -> int:
        """Times of a point strictly increase."""
        now = self._now_ms()
        self._last_at = now if now > self._last_at else self._last_at + 1
        return self._last_at
