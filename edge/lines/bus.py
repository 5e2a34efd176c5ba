"""Gives turns on one line: one request in flight, paced, and silent for as long as a late answer may still come.

    Port    keeps the line open: opens it, notices its loss, opens it again with back-off and jitter
    ModbusBus.ask     one turn of the poller: wait for quiet, send, wait for the answer that belongs to the request
    ModbusBus.talk    one turn of the commissioning, in a pause between polls, at other line settings if need be

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
from typing import NamedTuple

from edge.drivers.errors import PortError, PortLost
from edge.drivers.modbus import Fault, Request, Response, RtuMatcher, TcpMatcher, read_request
from edge.drivers.transport import Stream, StreamSettings, Tunable, open_stream
from edge.errors import BadAnswer, CannotTune, NoAnswer, PortDown, Refused
from edge.lines.line import NO_PACE, Pace, serial_pace
from ground.kernel_timer import KernelTimer

log = logging.getLogger(__name__)

_REOPEN_SOON_S = 0.1  # a port that was just lost is usually back at once
_SPOILT_REST_S = 0.05  # how long after a spoilt answer a good one may still follow
_ECHO_COMES_WITHIN_S = 0.05  # longer than an adapter keeps bytes to itself (FTDI: 16 ms)
_PROBE_AT_LEAST_S = 0.05  # what a device that went silent gets to answer a probe, however fast it used to be
_BORROWER_WAITS_S = 0.25  # for a pause that is long enough; then the next pause has to do
_BORROWER_WAITS_MOST_S = 2.0  # on a line that is never idle the commissioning takes a turn after so long
_SPOILT_MEMORY = 0.05  # weight of the newest request in the share of spoilt ones


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
    second_answers: int = 0  # the same question answered twice
    missed_cycles: int = 0
    busy_s: float = 0.0  # time in which the device held the line
    answer_s: float = 0.0  # smoothed
    longest_answer_s: float = 0.0
    longest_turn_round_s: float = 0.0  # the device's own part of an answer, without the time on the wire
    spoilt_share: float = 0.0  # smoothed over some 20 requests

    def note_answer(self, took_s: float, on_wire_s: float = 0.0) -> None:
        self.answers += 1
        self.answer_s = took_s if self.answers == 1 else 0.9 * self.answer_s + 0.1 * took_s
        self.longest_answer_s = max(self.longest_answer_s, took_s)
        self.longest_turn_round_s = max(self.longest_turn_round_s, took_s - on_wire_s, 1e-6)
        self.spoilt_share *= 1 - _SPOILT_MEMORY

    def note_spoilt(self) -> None:
        self.checksum_errors += 1
        self.spoilt_share += _SPOILT_MEMORY * (1 - self.spoilt_share)


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

    @property
    def patience_s(self) -> float:
        """Its time-out; less for a probe of one that went silent and was never slow, so that neighbours keep theirs."""
        longest_s = self.statistics.longest_turn_round_s
        if not self.is_given_up or self.is_late or not longest_s:
            return self.timeout_s
        return min(self.timeout_s, max(_PROBE_AT_LEAST_S, 3 * longest_s))


class LineSettings(NamedTuple):
    """How fast and in which format a serial line speaks."""

    baud: int
    format: str

    def __str__(self) -> str:
        return f"{self.baud} {self.format}"


class Patience(NamedTuple):
    """How long to listen: `wait_s` for the first byte, then until `quiet_s` of silence or `enough` bytes."""

    wait_s: float
    quiet_s: float
    enough: int = 0  # 0: only silence ends it
    likely_s: float = 0.0  # what it will probably take, so that it fits a shorter pause; 0: `wait_s`


class Chunk(NamedTuple):
    """Bytes that came together, so many seconds after the request was sent; below 0: unasked, before it."""

    after_s: float
    raw: bytes


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
    def url(self) -> str:
        return self._settings.url

    @property
    def line_settings(self) -> LineSettings:
        return LineSettings(self._settings.baud, self._settings.format)

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
    """Turns for the devices of one port. `finds_echo`: at each opening of the port, see whether it hears itself."""

    def __init__(
        self, port: Port, matcher: RtuMatcher | TcpMatcher, pace: Pace = NO_PACE, *, finds_echo: bool = False
    ) -> None:
        self.port = port
        self.tap: Callable[[bytes, Sequence[Chunk]], None] | None = None  # is shown every exchange (`device record`)
        self.unused_unit = 247  # nobody is there: asked to see whether the line echoes
        self._matcher, self._pace, self._finds_echo = matcher, pace, finds_echo
        self.is_serial = isinstance(matcher, RtuMatcher)
        self._turn = asyncio.Lock()
        self._loop = asyncio.get_running_loop()
        self._timer: KernelTimer | None = None
        self._last_end = 0.0
        self._quiet_until = 0.0
        self._silent: Unit | None = None  # who kept silent last, and may answer yet
        self._answered: tuple[Unit, Request, bytes] | None = None  # who answered last, and what came behind it
        self._greeted: Stream | None = None
        self._tuned: LineSettings | None = None  # not the port's own settings but these
        self._idle_until = float("inf")
        self._idle_began = asyncio.Event()

    @property
    def is_echoing(self) -> bool:
        return isinstance(self._matcher, RtuMatcher) and self._matcher.is_echoing

    async def ask(self, request: Request, unit: Unit) -> bytes:
        """One read: register or bit bytes. Raises BusError."""
        async with self._turn:
            stream = self.port.stream
            if stream is None:
                raise PortDown(self.port.why_down)
            try:
                await self._make_ready(stream, None)
                return await self._exchange(stream, request, unit)
            except PortLost as error:
                self.port.lose(error.why)
                raise PortDown(error.why) from error

    def lend(self, until: float) -> None:
        """The poller asks for nothing before `until` (loop time); who wants to `talk` may do so."""
        self._idle_until = until
        self._idle_began.set()
        self._idle_began.clear()

    async def talk(self, frame: bytes, patience: Patience, settings: LineSettings | None = None) -> list[Chunk]:
        """Sends plain bytes and brings whatever comes. Polls go first. Raises BusError."""
        pace = self._pace if settings is None else serial_pace(*settings)
        likely_s = patience.likely_s or patience.wait_s
        await self._borrow(len(frame) * pace.character_s + likely_s + 2 * pace.silence_s)
        async with self._turn:
            stream = self.port.stream
            if stream is None:
                raise PortDown(self.port.why_down)
            try:
                await self._make_ready(stream, settings)
                return await self._listen(stream, frame, pace, patience)
            except PortLost as error:
                self.port.lose(error.why)
                raise PortDown(error.why) from error

    def close(self) -> None:
        if self._timer is not None:
            self._timer.close()
            self._timer = None

    # ---- a turn of the poller

    async def _exchange(self, stream: Stream, request: Request, unit: Unit) -> bytes:
        if self.is_serial or unit.gap_s:
            await self._rest(stream, unit.gap_s)
        statistics, matcher = unit.statistics, self._matcher
        statistics.requests += 1
        sent = matcher.arm(request)
        began = self._loop.time()
        await stream.write(sent)
        try:
            response = await self._answer(stream, request, sent, unit, began)
        finally:
            ended = self._last_end = self._loop.time()
            statistics.busy_s += ended - began
        if matcher.faults:
            self._blame_late(matcher.faults)
        self._silent = None
        if isinstance(matcher, RtuMatcher):
            self._answered = (unit, request, matcher.rest)
        unit.is_late = False
        if response.exception:
            statistics.exceptions += 1
            raise Refused(response.exception)
        statistics.note_answer(ended - began, self._pace.transaction_s(request.size + 3))
        return response.payload

    async def _rest(self, stream: Stream, gap_s: float) -> bytes:
        """Wait until the line may be used, then take away what came unasked."""
        quiet_until = max(self._quiet_until, self._last_end + max(self._pace.silence_s, gap_s))
        pause = quiet_until - self._loop.time()
        if pause > 0:
            await self._sleep(pause)
        stale = stream.reset_input() if self.is_serial else b""
        if stale:
            log.debug("%s: %d bytes came unasked: %s", self.port.name, len(stale), stale[:64].hex())
            self._blame_late([Fault.LATE])
        if self._answered is not None:
            self._blame_twin(*self._answered, stale)
            self._answered = None
        return stale

    async def _sleep(self, pause: float) -> None:
        if self._timer is None:
            self._timer = KernelTimer()
        await self._timer.sleep(pause)

    async def _answer(self, stream: Stream, request: Request, sent: bytes, unit: Unit, began: float) -> Response:
        """Reads until the answer is there or its time is over. The wire's own time is not the device's fault."""
        matcher, tap = self._matcher, self.tap
        heard: list[Chunk] = []
        until = began + unit.patience_s + self._pace.transaction_s(request.size + 3)
        now, received = began, 0
        try:
            while now < until:
                chunk = await stream.read(4096, until - now)
                if tap is not None and chunk:
                    heard.append(Chunk(self._loop.time() - began, chunk))
                response = matcher.feed(chunk) if chunk else None
                if response is not None:
                    return response
                now, received = self._loop.time(), received + len(chunk)
                if Fault.CHECKSUM in matcher.faults:
                    until = min(until, now + _SPOILT_REST_S)
        finally:
            if tap is not None:
                tap(sent, heard)
        raise self._failed(unit, received)

    def _failed(self, unit: Unit, received: int) -> BadAnswer | NoAnswer:
        faults = self._matcher.faults
        self._blame_late(faults)
        if Fault.CHECKSUM in faults:
            unit.statistics.note_spoilt()
            return BadAnswer("crc")
        unit.statistics.timeouts += 1
        self._silent = unit
        if self.is_serial and (unit.is_late or not unit.is_given_up):
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

    def _blame_twin(self, unit: Unit, request: Request, behind: bytes, stale: bytes) -> None:
        """The question that was just answered, answered once more: two devices have this unit id."""
        if self._silent is not None or not (behind or stale):
            return
        matcher = RtuMatcher()
        matcher.arm(request)
        unit.statistics.second_answers += matcher.feed(behind + stale) is not None

    # ---- a turn of the commissioning

    async def _borrow(self, cost_s: float) -> None:
        """Until the line is idle for so long; after a while any pause will do, and in the end none is needed."""
        began = self._loop.time()
        while self._idle_until - self._loop.time() < cost_s:
            try:
                async with asyncio.timeout_at(began + _BORROWER_WAITS_MOST_S):
                    await self._idle_began.wait()
            except TimeoutError:
                return
            if self._loop.time() - began > _BORROWER_WAITS_S:
                return

    async def _listen(self, stream: Stream, frame: bytes, pace: Pace, patience: Patience) -> list[Chunk]:
        stale = await self._rest(stream, pace.silence_s) if self.is_serial else b""
        began = self._loop.time()
        await stream.write(frame)
        heard = [Chunk(-pace.silence_s, stale)] if stale else []
        received = 0
        until = began + len(frame) * pace.character_s + patience.wait_s
        while (left := until - self._loop.time()) > 0 and not 0 < patience.enough <= received:
            if raw := await stream.read(4096, left):
                now = self._loop.time()
                heard.append(Chunk(now - began, raw))
                received += len(raw)
                until = now + patience.quiet_s
        self._last_end = self._loop.time()
        self._silent = None
        if self.tap is not None:
            self.tap(frame, heard)
        return heard

    # ---- the line itself

    async def _make_ready(self, stream: Stream, settings: LineSettings | None) -> None:
        if stream is not self._greeted:
            self._greeted, self._tuned = stream, None
            if self._finds_echo:
                await self._look_for_echo(stream)
        if settings == self.port.line_settings:
            settings = None
        if settings != self._tuned:
            wanted = settings or self.port.line_settings
            if not isinstance(stream, Tunable):
                raise CannotTune(self.port.name)
            await self._rest(stream, 0.0)
            await stream.tune(*wanted)
            self._tuned = settings

    async def _look_for_echo(self, stream: Stream) -> None:
        """An adapter that hears itself returns what it sends. For a write that looks like success, so it must be known:
        a question to nobody can only be answered by its echo.
        """
        assert isinstance(self._matcher, RtuMatcher)
        request = read_request(self.unused_unit, 3, 0, 1)
        patience = Patience(_ECHO_COMES_WITHIN_S, _ECHO_COMES_WITHIN_S, len(request.rtu))
        heard = await self._listen(stream, request.rtu, self._pace, patience)
        is_echoing = b"".join(chunk.raw for chunk in heard if chunk.after_s >= 0).startswith(request.rtu)
        if is_echoing and not self._matcher.is_echoing:
            log.info("%s: the adapter returns what is sent; its echo is taken off", self.port.name)
        self._matcher.is_echoing = is_echoing
