"""A line between MQTT clients and their broker that misbehaves on request, from a seed.

    client --up--> [ hold | delay | slow | spoil messages ] --> broker
           <-down- [ hold | delay | slow                  ] <--

`weather` is what the line does to bytes and `mischief` what it does to messages (mischief.py); both may change at any
time. A held direction is what TCP makes of packets that do not arrive: the bytes wait, and come when the line heals.
`reset` ends connections for both ends, `forsake` for the broker alone: the client is left half-open.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from simulator.mischief import NO_MISCHIEF, MessageSpoiler, Mischief, Past

_CHUNK = 16_384
_ABORT = struct.pack("ii", 1, 0)  # SO_LINGER of zero: the end is a RST, not a FIN


@dataclass(frozen=True, slots=True)
class Weather:
    """What happens to bytes; the default is fair."""

    refuses: bool = False  # new connections are reset at once
    holds_up: bool = False
    holds_down: bool = False
    delay_s: float = 0.0  # of each chunk, in each direction
    bytes_per_s: float | None = None  # in each direction


FAIR = Weather()
CUT = Weather(refuses=True, holds_up=True, holds_down=True)


class FaultProxy:
    """An async context manager; `port` is the real one once it is open. `past` tells what was injected."""

    def __init__(self, upstream_port: int, *, seed: int, lane: str = "/batch", host: str = "127.0.0.1") -> None:
        self.host, self.port = host, 0
        self.past = Past()
        self.connections = 0  # ever accepted
        self._upstream_port, self._lane = upstream_port, lane
        self._dice = random.Random(seed)
        self._weather, self._mischief = FAIR, NO_MISCHIEF
        self._changed = asyncio.Condition()
        self._links: set[_Link] = set()
        self._half_open: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None

    @property
    def weather(self) -> Weather:
        return self._weather

    async def set_weather(self, weather: Weather) -> None:
        async with self._changed:
            self._weather = weather
            self._changed.notify_all()

    def set_mischief(self, mischief: Mischief) -> None:
        self._mischief = mischief
        for link in self._links:
            link.spoiler.mischief = mischief

    def reset(self) -> None:
        """Every connection ends at once, at both ends."""
        for link in list(self._links):
            _abort(link.client)
            _abort(link.broker)
        for client in self._half_open:
            _abort(client)
        self._half_open.clear()

    def forsake(self) -> None:
        """The broker's ends are closed; the clients hear nothing, now or ever."""
        for link in list(self._links):
            self._half_open.append(link.client)
            link.is_forsaken = True
            _abort(link.broker)

    async def wait_while_held(self, *, is_up: bool) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: not (self._weather.holds_up if is_up else self._weather.holds_down))

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
            tasks = [link.task for link in self._links]
            self.reset()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._weather.refuses:
            _abort(writer)
            return
        try:
            broker_reader, broker_writer = await asyncio.open_connection(self.host, self._upstream_port)
        except OSError:
            _abort(writer)
            return
        self.connections += 1
        spoiler = MessageSpoiler(self._lane, self.past, random.Random(self._dice.getrandbits(64)))
        spoiler.mischief = self._mischief
        task = asyncio.current_task()
        assert task is not None
        link = _Link(writer, broker_writer, spoiler, task)
        self._links.add(link)
        try:
            up = asyncio.create_task(self._pump(reader, broker_writer, spoiler), name="up")
            down = asyncio.create_task(self._pump(broker_reader, writer, None), name="down")
            try:
                await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                up.cancel()
                down.cancel()
                await asyncio.gather(up, down, return_exceptions=True)
        finally:
            self._links.discard(link)
            _abort(broker_writer)
            if not link.is_forsaken:
                _abort(writer)

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, spoiler: MessageSpoiler | None
    ) -> None:
        try:
            while chunk := await source.read(_CHUNK):
                passed = chunk if spoiler is None else spoiler.feed(chunk)
                await self.wait_while_held(is_up=spoiler is not None)
                await asyncio.sleep(self._pause_s(len(passed)))
                sink.write(passed)
                await sink.drain()
        except (OSError, ValueError):  # the end of one side, or bytes that are no MQTT: the link ends
            return

    def _pause_s(self, size: int) -> float:
        weather = self._weather
        return weather.delay_s + (size / weather.bytes_per_s if weather.bytes_per_s else 0.0)


@dataclass(eq=False, slots=True)
class _Link:
    """One client's connection and the one made for it."""

    client: asyncio.StreamWriter
    broker: asyncio.StreamWriter
    spoiler: MessageSpoiler
    task: asyncio.Task[None]
    is_forsaken: bool = False


def _abort(writer: asyncio.StreamWriter) -> None:
    transport = writer.transport
    if not transport.is_closing():
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
        transport.abort()
