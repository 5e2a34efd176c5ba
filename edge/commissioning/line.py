"""A line to commission: opened for ourselves, or lent by the running agent. It only reads until it is allowed more."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from edge.drivers.modbus import RtuMatcher, TcpMatcher
from edge.drivers.transport import Stream, StreamSettings, open_stream
from edge.errors import BusError, PortDown
from edge.lines.bus import Chunk, LineSettings, ModbusBus, Patience, Port
from edge.lines.line import NO_PACE, serial_pace
from edge.lines.only_reads import only_reads
from edge.local.control_client import AgentConnection, AgentError, NoAgent
from edge.local.control_messages import TalkRequest

Opener = Callable[[StreamSettings], Awaitable[Stream]]


class WriteRefused(Exception):
    """A frame that would change something, while nobody has consented to a change."""


class Place(NamedTuple):
    """Where a line is: a URL of edge/drivers/transport.py, its settings, and whether it speaks Modbus TCP."""

    name: str
    url: str
    settings: LineSettings
    is_tcp: bool = False


class Line:
    """One exchange at a time, as plain bytes. `is_lent`: the agent goes on polling meanwhile."""

    is_lent = False

    def __init__(self, place: Place) -> None:
        self.place = place
        self.may_write = False
        self.frames_sent = 0

    async def talk(self, frame: bytes, patience: Patience, settings: LineSettings | None = None) -> tuple[Chunk, ...]:
        """Raises BusError when the line is down, WriteRefused."""
        if not self.may_write and not only_reads(frame, is_tcp=self.place.is_tcp):
            raise WriteRefused(frame.hex())
        self.frames_sent += 1
        return await self._talk(frame, patience, settings)

    @property
    def is_echoing(self) -> bool:
        raise NotImplementedError

    async def _talk(self, frame: bytes, patience: Patience, settings: LineSettings | None) -> tuple[Chunk, ...]:
        raise NotImplementedError


class OwnLine(Line):
    """The port, opened for us alone."""

    def __init__(self, place: Place, bus: ModbusBus) -> None:
        super().__init__(place)
        self.bus = bus

    @property
    def is_echoing(self) -> bool:
        return self.bus.is_echoing

    async def _talk(self, frame: bytes, patience: Patience, settings: LineSettings | None) -> tuple[Chunk, ...]:
        return tuple(await self.bus.talk(frame, patience, settings))


class LentLine(Line):
    """Turns between the agent's polls."""

    is_lent = True

    def __init__(self, place: Place, agent: AgentConnection) -> None:
        super().__init__(place)
        self.agent = agent
        self._is_echoing = False

    @property
    def is_echoing(self) -> bool:
        return self._is_echoing

    async def _talk(self, frame: bytes, patience: Patience, settings: LineSettings | None) -> tuple[Chunk, ...]:
        asked = TalkRequest(
            bus=self.place.name,
            frame=frame.hex(),
            wait_ms=patience.wait_s * 1000,
            quiet_ms=patience.quiet_s * 1000,
            enough=patience.enough,
            likely_ms=patience.likely_s * 1000,
            baud=settings.baud if settings else None,
            format=settings.format if settings else None,
            is_write=self.may_write,
        )
        try:
            heard = await self.agent.talk(asked)
        except AgentError as error:
            raise BusError(error.reason, error.detail) from error
        self._is_echoing = heard.is_echoing
        return tuple(Chunk(after_ms / 1000, bytes.fromhex(raw)) for after_ms, raw in heard.chunks)


@contextlib.asynccontextmanager
async def open_line(place: Place, data_dir: Path | None = None, opener: Opener = open_stream) -> AsyncIterator[Line]:
    """The agent's line if one runs in `data_dir`, else the port itself. Raises PortDown."""
    if data_dir is not None:
        with contextlib.suppress(NoAgent):
            async with AgentConnection(data_dir) as agent:
                yield LentLine(place, agent)
                return
    async with own_line(place, opener) as line:
        yield line


@contextlib.asynccontextmanager
async def own_line(place: Place, opener: Opener = open_stream) -> AsyncIterator[OwnLine]:
    """The port, whoever else may want it. Raises PortDown."""
    port = Port(place.name, StreamSettings(place.url, *place.settings), opener=opener)
    keeping = asyncio.create_task(port.run(), name=f"port {place.name}")
    pace = NO_PACE if place.is_tcp else serial_pace(*place.settings)
    bus = ModbusBus(port, TcpMatcher() if place.is_tcp else RtuMatcher(), pace, finds_echo=not place.is_tcp)
    try:
        await port.tried.wait()
        if port.stream is None:
            hint = "; if the agent holds it, name its settings FILE" if "lock" in port.why_down else ""
            raise PortDown(f"{place.url}: {port.why_down}{hint}")
        yield OwnLine(place, bus)
    finally:
        keeping.cancel()
        await asyncio.wait([keeping])
        bus.close()
