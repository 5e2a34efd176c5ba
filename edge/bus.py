"""Gives turns on one line: one request in flight, paced, and silent for as long as a late answer may still come.

    Port    keeps the line open: opens it, notices its loss, opens it again with back-off and jitter
    ModbusBus.ask    one turn: wait for quiet, send, wait for the answer that belongs to the request

A serial line has no sequence numbers, so an answer that comes after its time-out could be taken for the answer to the
same question asked again. After a silence the line therefore rests for the unit's worst-case latency, and what came
meanwhile is thrown away before the next request. On TCP the transaction id does that work and nobody has to wait.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from edge.drivers.errors import PortError, PortLost
from edge.drivers.modbus import Fault, Request, Response, RtuMatcher, TcpMatcher
from edge.drivers.transport import Stream, StreamSettings, open_stream
from edge.errors import BadAnswer, NoAnswer, PortDown, Refused
from edge.line import NO_PACE, Pace

log = logging.getLogger(__name__)

_REOPEN_SOON_S = 0.1  # a port that was just lost is usually back at once
_SPOILT_REST_S = 0.05  # how long after a spoilt answer a good one may still follow


@dataclass(slots=True)
class Statistics:
    """What the line did for one device since the agent started."""

    requests: int = 0
    answers: int = 0
    timeouts: int = 0
    checksum_errors: int = 0
    exceptions: int = 0
    retries: int = 0
    late_answers: int = 0
    missed_cycles: int = 0
    busy_s: float = 0.0  # time in which the device held the line
    answer_s: float = 0.0  # smoothed
    longest_answer_s: float = 0.0

    def note_answer(self, took_s: float) -> None:
        self.answers += 1
        self.answer_s = took_s if self.answers == 1 else 0.9 * self.answer_s + 0.1 * took_s
        self.longest_answer_s = max(self.longest_answer_s, took_s)


@dataclass(slots=True)
class Unit:
    """One device on a bus: how long it may take, how much rest it wants, and how it has behaved."""

    name: str
    unit_id: int
    timeout_s: float
    gap_s: float
    statistics: Statistics
    is_given_up: bool = False  # offline: its silence is expected and costs the line no rest
    is_late: bool = False  # has been seen to answer after its time-out


def backoff_s(attempt: int) -> float:
    """0.5 s more each time up to 10 s, with ±20 % so that a hundred gateways do not knock at once."""
    return min(0.5 * (attempt + 1), 10.0) * random.uniform(0.8, 1.2)


class Port:
    """A line that is kept open. `stream` is None while it is not; `run` is a task."""

    def __init__(
        self,
        name: str,
        settings: StreamSettings,
        *,
        opener: Callable[[StreamSettings], Awaitable[Stream]] = open_stream,
    ) -> None:
        self.name = name
        self.stream: Stream | None = None
        self._settings, self._opener = settings, opener
        self.tried = asyncio.Event()  # set once it is known whether the first opening worked
        self._lost = asyncio.Event()
        self._why = "not opened yet"
        self._is_suspicion = False

    @property
    def why_down(self) -> str:
        return self._why

    def lose(self, why: str, *, is_suspicion: bool = False) -> None:
        """The line is dead, or suspected to be: close it; `run` opens it again."""
        if self.stream is not None:
            self._why, self._is_suspicion = why, is_suspicion
            self.stream.close()
            self.stream = None
            self._lost.set()

    async def run(self) -> None:
        """Until cancelled. A condition is logged when it begins and when it ends."""
        attempt = 0
        try:
            while True:
                self._lost.clear()
                try:
                    self.stream = await self._opener(self._settings)
                except PortError as error:
                    if attempt == 0:
                        log.warning("%s: port down: %s", self.name, error.why)
                    self._why, self._is_suspicion = error.why, False
                    self.tried.set()
                    await asyncio.sleep(backoff_s(attempt))
                    attempt += 1
                    continue
                if attempt:
                    log.log(logging.DEBUG if self._is_suspicion else logging.INFO, "%s: port up again", self.name)
                self.tried.set()
                await self._lost.wait()
                level = logging.DEBUG if self._is_suspicion else logging.WARNING
                log.log(level, "%s: port down: %s", self.name, self._why)
                attempt = 1
                await asyncio.sleep(_REOPEN_SOON_S)
        finally:
            self.lose("stopped")


class ModbusBus:
    """Turns for the devices of one port."""

    def __init__(self, port: Port, matcher: RtuMatcher | TcpMatcher, pace: Pace = NO_PACE) -> None:
        self.port = port
        self._matcher, self._pace = matcher, pace
        self._is_serial = isinstance(matcher, RtuMatcher)
        self._turn = asyncio.Lock()
        self._loop = asyncio.get_running_loop()
        self._last_end = 0.0
        self._quiet_until = 0.0
        self._silent: Unit | None = None  # who kept silent last, and may answer yet

    async def ask(self, request: Request, unit: Unit) -> bytes:
        """One read: register or bit bytes. Raises BusError."""
        async with self._turn:
            stream = self.port.stream
            if stream is None:
                raise PortDown(self.port.why_down)
            try:
                return await self._exchange(stream, request, unit)
            except PortLost as error:
                self.port.lose(error.why)
                raise PortDown(error.why) from error

    async def _exchange(self, stream: Stream, request: Request, unit: Unit) -> bytes:
        if self._is_serial or unit.gap_s:
            await self._rest(stream, unit)
        statistics, matcher = unit.statistics, self._matcher
        statistics.requests += 1
        began = self._loop.time()
        await stream.write(matcher.arm(request))
        try:
            response = await self._answer(stream, request, unit, began)
        finally:
            ended = self._last_end = self._loop.time()
            statistics.busy_s += ended - began
        if matcher.faults:
            self._blame_late(matcher.faults)
        self._silent = None
        unit.is_late = False
        if response.exception:
            statistics.exceptions += 1
            raise Refused(response.exception)
        statistics.note_answer(ended - began)
        return response.payload

    async def _rest(self, stream: Stream, unit: Unit) -> None:
        """Wait until the line may be used, then throw away what came unasked."""
        quiet_until = max(self._quiet_until, self._last_end + max(self._pace.silence_s, unit.gap_s))
        pause = quiet_until - self._loop.time()
        if pause > 0:
            await asyncio.sleep(pause)
        if self._is_serial and (stale := stream.reset_input()):
            log.debug("%s: %d bytes came unasked: %s", self.port.name, len(stale), stale[:64].hex())
            self._blame_late([Fault.LATE])

    async def _answer(self, stream: Stream, request: Request, unit: Unit, began: float) -> Response:
        """Reads until the answer is there or its time is over. The wire's own time is not the device's fault."""
        matcher = self._matcher
        until = began + unit.timeout_s + self._pace.transaction_s(request.size + 3)
        now, received = began, 0
        while now < until:
            chunk = await stream.read(4096, until - now)
            response = matcher.feed(chunk) if chunk else None
            if response is not None:
                return response
            now, received = self._loop.time(), received + len(chunk)
            if Fault.CHECKSUM in matcher.faults:
                until = min(until, now + _SPOILT_REST_S)
        raise self._failed(unit, received)

    def _failed(self, unit: Unit, received: int) -> BadAnswer | NoAnswer:
        faults = self._matcher.faults
        self._blame_late(faults)
        if Fault.CHECKSUM in faults:
            unit.statistics.checksum_errors += 1
            return BadAnswer("crc")
        unit.statistics.timeouts += 1
        self._silent = unit
        if self._is_serial and (unit.is_late or not unit.is_given_up):
            self._quiet_until = self._loop.time() + unit.timeout_s
        if Fault.WRONG_FUNCTION in faults or Fault.FORMAT in faults:
            return BadAnswer("wrong_answer", ", ".join(sorted(set(faults))))
        return BadAnswer("truncated", f"{received} bytes") if received and not faults else NoAnswer()

    def _blame_late(self, faults: Sequence[Fault]) -> None:
        """An answer that nobody waits for, after a silence: the silent unit is slower than its profile says."""
        silent = self._silent
        if silent is None or not (Fault.LATE in faults or Fault.WRONG_UNIT in faults):
            return
        silent.statistics.late_answers += 1
        if not silent.is_late:
            log.warning(
                "%s: answers after its %g s are over; give it a longer timeout_ms", silent.name, silent.timeout_s
            )
        silent.is_late = True
