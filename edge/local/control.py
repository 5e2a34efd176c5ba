"""The agent's local socket: tells how the lines are doing and lends turns on them, so that nobody has to stop it.

A UNIX socket `control.sock` in the data folder, for its owner alone. The messages are in control_messages.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from edge.errors import BusError
from edge.instruments.instrument import Instrument
from edge.lines.bus import Chunk, LineSettings, ModbusBus, Patience
from edge.lines.only_reads import only_reads
from edge.lines.poller import Poller
from edge.local.control_messages import (
    MAX_LINE,
    Asked,
    Exchange,
    Failure,
    Heard,
    StatusRequest,
    TalkRequest,
    TapRequest,
    Told,
)
from edge.local.status import agent_status

log = logging.getLogger(__name__)

SOCKET_NAME = "control.sock"
_TAP_MOST = 1000  # exchanges that may wait for a slow listener; beyond, the oldest are dropped


class ControlServer:
    """`run` is a task of the agent."""

    def __init__(self, data_dir: Path, gateway: str, instruments: Sequence[Poller | Instrument]) -> None:
        self._data_dir, self._gateway, self._instruments = data_dir, gateway, instruments
        self._buses = {one.bus.port.name: one.bus for one in instruments if isinstance(one, Poller)}
        self._loop = asyncio.get_running_loop()
        self._started_at = self._loop.time()

    async def run(self) -> None:
        """Until cancelled. An agent whose socket cannot be made still measures."""
        try:
            listener = _listener(self._data_dir)
        except OSError as error:
            log.warning("no control socket: %s; `coldlink device` cannot share the lines of this agent", error)
            return
        server = await asyncio.start_unix_server(self._serve, sock=listener, limit=MAX_LINE)
        try:
            async with server:
                await server.serve_forever()
        finally:
            (self._data_dir / SOCKET_NAME).unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                await self._answer(line, writer)
        except (OSError, ValueError):  # gone, or a line without end
            pass
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, line: bytes, writer: asyncio.StreamWriter) -> None:
        try:
            asked = msgspec.json.decode(line, type=Asked)
        except msgspec.DecodeError as error:
            await _tell(writer, Failure(reason="bad_request", detail=str(error)))
            return
        if isinstance(asked, StatusRequest):
            uptime_s = self._loop.time() - self._started_at
            await _tell(writer, agent_status(self._gateway, self._instruments, uptime_s))
        elif asked.bus not in self._buses:
            known = ", ".join(sorted(self._buses))
            await _tell(writer, Failure(reason="unknown_bus", detail=f"Modbus lines here: {known or 'none'}"))
        elif isinstance(asked, TalkRequest):
            await _tell(writer, await _talk(asked, self._buses[asked.bus]))
        else:
            await self._show(self._buses[asked.bus], asked, writer)

    async def _show(self, bus: ModbusBus, asked: TapRequest, writer: asyncio.StreamWriter) -> None:
        if bus.tap is not None:
            await _tell(writer, Failure(reason="busy", detail=f"{asked.bus} is being recorded already"))
            return
        waiting: asyncio.Queue[Exchange] = asyncio.Queue(_TAP_MOST)
        began = self._loop.time()

        def keep(frame: bytes, chunks: Sequence[Chunk]) -> None:
            if waiting.full():
                waiting.get_nowait()
            at_ms = round((self._loop.time() - began) * 1000, 1)
            waiting.put_nowait(Exchange(at_ms=at_ms, frame=frame.hex(), chunks=_told(chunks)))

        bus.tap = keep
        try:
            while not writer.is_closing():
                await _tell(writer, await waiting.get())
        finally:
            bus.tap = None


async def _talk(asked: TalkRequest, bus: ModbusBus) -> Told:
    frame = bytes.fromhex(asked.frame)
    if not asked.is_write and not only_reads(frame, is_tcp=not bus.is_serial):
        return Failure(reason="not_a_read", detail="only a write that was consented to may change something")
    settings = LineSettings(asked.baud, asked.format) if asked.baud and asked.format else None
    patience = Patience(asked.wait_ms / 1000, asked.quiet_ms / 1000, asked.enough, asked.likely_ms / 1000)
    try:
        chunks = await bus.talk(frame, patience, settings)
    except BusError as error:
        return Failure(reason=error.reason, detail=error.detail)
    return Heard(chunks=_told(chunks), is_echoing=bus.is_echoing)


def _told(chunks: Sequence[Chunk]) -> tuple[tuple[float, str], ...]:
    return tuple((round(chunk.after_s * 1000, 2), chunk.raw.hex()) for chunk in chunks)


async def _tell(writer: asyncio.StreamWriter, told: Told) -> None:
    writer.write(msgspec.json.encode(told) + b"\n")
    await writer.drain()


def _listener(data_dir: Path) -> socket.socket:
    """Bound with mode 0600 from its first moment. What an agent that was killed left behind is taken away."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        os.fchmod(listener.fileno(), 0o600)
        with short_path(data_dir) as near:
            try:
                listener.bind(near)
            except OSError:
                if _is_answered(near):
                    raise
                Path(near).unlink()
                listener.bind(near)
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)
    return listener


@contextlib.contextmanager
def short_path(data_dir: Path) -> Iterator[str]:
    """A name of the socket that fits the 107 bytes a socket address has, however deep the folder lies."""
    folder = os.open(data_dir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{SOCKET_NAME}"
    finally:
        os.close(folder)


def _is_answered(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        try:
            caller.connect(path)
        except OSError:
            return False
        return True
