"""Byte streams to instruments: serial ports and ptys, TCP, and serial servers that speak RFC 2217.

    serial:///dev/serial/by-id/usb-...?baud=9600&format=8N1      /dev/ttyS1 (a bare path is a serial port)
    tcp://10.0.0.7:4001                                          rfc2217://10.0.0.7:2217?baud=9600&format=7E1

No thread per port: the loop watches the descriptor. A stream never reconnects; when it raises PortLost, close it and
open another one.
"""

import asyncio
import contextlib
import os
import socket
import termios
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable
from urllib.parse import parse_qs, urlsplit

import serial

from edge.drivers.errors import BadParameter, PortError, PortLost, PortUnavailable
from edge.drivers.telnet import TelnetFilter

_INBOX_MOST = 1 << 16  # beyond this the peer has to wait
_EMPTY_READS_MOST = 3  # one may be a race with reset_input; a port that is gone gives nothing else


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """Where an instrument is and how its line is set; baud and format matter to serial ports only."""

    url: str
    baud: int = 9600
    format: str = "8N1"
    connect_timeout_s: float = 3.0

    @classmethod
    def of(cls, url: str) -> "StreamSettings":
        """From a URL that carries the line settings as `?baud=...&format=...`."""
        query = parse_qs(urlsplit(url).query)
        baud, form = query.get("baud", ["9600"])[0], query.get("format", ["8N1"])[0].upper()
        if not baud.isdecimal() or int(baud) == 0:
            raise BadParameter("baud", baud, "a number such as 9600")
        line_format(form)
        return cls(url.partition("?")[0], int(baud), form)


def line_format(text: str) -> tuple[int, str, int]:
    """'7E1' -> 7 data bits, even parity, 1 stop bit."""
    if len(text) == 3 and text[0] in "78" and text[1] in "NEO" and text[2] in "12":
        return int(text[0]), text[1], int(text[2])
    raise BadParameter("format", text, "data bits 7 or 8, parity N, E or O, stop bits 1 or 2, such as 8N1")


class Stream(Protocol):
    async def read(self, most: int = 4096, timeout_s: float | None = None) -> bytes:
        """At least one byte; nothing when `timeout_s` passes in silence. Raises PortLost."""
        ...

    async def write(self, message: bytes) -> None:
        """Returns when the system has taken all of it. Raises PortLost."""
        ...

    def reset_input(self) -> bytes:
        """Drops what has arrived and was not read, and returns it for the log."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class Tunable(Protocol):
    """A stream whose line settings can be changed while it is open: a serial port, here or behind RFC 2217."""

    async def tune(self, baud: int, form: str) -> None:
        """Raises PortLost, BadParameter."""
        ...


async def open_stream(settings: StreamSettings) -> Stream:
    """Raises PortUnavailable. A serial port is opened for us alone."""
    parts = urlsplit(settings.url)
    if parts.scheme in ("tcp", "rfc2217"):
        try:
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise BadParameter("url", settings.url, f"{parts.scheme}://host:port") from error
        if not host or not port:
            raise BadParameter("url", settings.url, f"{parts.scheme}://host:port")
        return await (_open_tcp if parts.scheme == "tcp" else _open_rfc2217)(settings, host, port)
    if parts.scheme in ("serial", "") and parts.path:
        return await _open_serial(settings, parts.path)
    raise BadParameter("url", settings.url, "serial:///dev/..., tcp://host:port or rfc2217://host:port")


class _Inbox:
    """What has arrived and was not read yet, and the one reader that may wait for it."""

    def __init__(self) -> None:
        self._arrived = bytearray()
        self._waiter: asyncio.Future[None] | None = None
        self._lost: PortError | None = None
        self.loop = asyncio.get_running_loop()

    def __len__(self) -> int:
        return len(self._arrived)

    def put(self, chunk: bytes) -> None:
        self._arrived += chunk
        self._wake()

    def fail(self, error: PortError) -> None:
        """What arrived before is still read first."""
        self._lost = self._lost or error
        self._wake()

    def check(self) -> None:
        if self._lost is not None:
            raise self._lost

    async def take(self, most: int, timeout_s: float | None) -> bytes:
        if not self._arrived:
            await self._wait(timeout_s)
        if not self._arrived:
            self.check()
            return b""
        chunk = bytes(self._arrived[:most])
        del self._arrived[:most]
        return chunk

    def drop(self) -> bytes:
        dropped = bytes(self._arrived)
        self._arrived.clear()
        return dropped

    async def _wait(self, timeout_s: float | None) -> None:
        self.check()
        assert self._waiter is None, "a stream has one reader"
        self._waiter = self.loop.create_future()
        alarm = None if timeout_s is None else self.loop.call_later(timeout_s, self._wake)
        try:
            await self._waiter
        finally:
            self._waiter = None
            if alarm is not None:
                alarm.cancel()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


# ---- TCP


class _TcpStream(asyncio.Protocol):
    def __init__(self, name: str) -> None:
        self._name = name
        self._inbox = _Inbox()
        self._transport: asyncio.Transport | None = None
        self._writable = asyncio.Event()
        self._writable.set()

    # what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        peer = transport.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def data_received(self, chunk: bytes) -> None:  # the name is asyncio's
        self._inbox.put(chunk)
        if len(self._inbox) > _INBOX_MOST and self._transport is not None:
            self._transport.pause_reading()

    def connection_lost(self, error: Exception | None) -> None:
        self._inbox.fail(PortLost(self._name, str(error or "the peer closed the connection")))
        self._writable.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    # what we offer

    async def read(self, most: int = 4096, timeout_s: float | None = None) -> bytes:
        chunk = await self._inbox.take(most, timeout_s)
        self._resume()
        return chunk

    async def write(self, message: bytes) -> None:
        self._inbox.check()
        assert self._transport is not None
        self._transport.write(message)
        if not self._writable.is_set():
            await self._writable.wait()
            self._inbox.check()

    def reset_input(self) -> bytes:
        dropped = self._inbox.drop()
        self._resume()
        return dropped

    def close(self) -> None:
        self._inbox.fail(PortLost(self._name, "closed"))
        if self._transport is not None:
            self._transport.abort()

    def _resume(self) -> None:
        if self._transport is not None and not self._transport.is_reading() and not self._transport.is_closing():
            self._transport.resume_reading()


async def _open_tcp(settings: StreamSettings, host: str, port: int) -> _TcpStream:
    loop = asyncio.get_running_loop()
    name = f"tcp://{host}:{port}"
    try:
        async with asyncio.timeout(settings.connect_timeout_s):
            _, stream = await loop.create_connection(lambda: _TcpStream(name), host, port)
    except (OSError, TimeoutError) as error:
        raise PortUnavailable(name, str(error) or "no connection in time") from error
    return stream


# ---- RFC 2217


class _Rfc2217Stream:
    """A serial port at the far end of a telnet connection."""

    def __init__(self, tcp: _TcpStream, telnet: TelnetFilter) -> None:
        self._tcp = tcp
        self._telnet = telnet

    async def read(self, most: int = 4096, timeout_s: float | None = None) -> bytes:
        loop = asyncio.get_running_loop()
        until = None if timeout_s is None else loop.time() + timeout_s
        while True:
            left = None if until is None else max(0.0, until - loop.time())
            raw = await self._tcp.read(most, left)
            if not raw or (chunk := await self._plain(raw)):
                return chunk if raw else b""

    async def write(self, message: bytes) -> None:
        await self._tcp.write(self._telnet.escape(message))

    async def tune(self, baud: int, form: str) -> None:
        await self._tcp.write(self._telnet.open_port(baud, *line_format(form)))

    def reset_input(self) -> bytes:
        return self._telnet.feed(self._tcp.reset_input())

    def close(self) -> None:
        self._tcp.close()

    async def _plain(self, raw: bytes) -> bytes:
        chunk = self._telnet.feed(raw)
        if self._telnet.replies:
            await self._tcp.write(self._telnet.take_replies())
        return chunk


async def _open_rfc2217(settings: StreamSettings, host: str, port: int) -> _Rfc2217Stream:
    telnet = TelnetFilter()
    tcp = await _open_tcp(settings, host, port)
    try:
        await tcp.write(telnet.open_port(settings.baud, *line_format(settings.format)))
    except PortLost as error:
        tcp.close()
        raise PortUnavailable(settings.url, error.why) from error
    return _Rfc2217Stream(tcp, telnet)


# ---- serial ports and ptys


class _SerialStream:
    def __init__(self, port: Any) -> None:  # pyserial's class has no common type for all platforms
        self._port = port
        self._inbox = _Inbox()
        self._empty_reads = 0  # in a row, although the system says there is something to read
        self._inbox.loop.add_reader(port.fd, self._receive)

    async def read(self, most: int = 4096, timeout_s: float | None = None) -> bytes:
        return await self._inbox.take(most, timeout_s)

    async def write(self, message: bytes) -> None:
        self._inbox.check()
        rest = memoryview(message)
        while rest:
            try:
                rest = rest[os.write(self._port.fd, rest) :]
            except BlockingIOError:
                await self._until_writable()
            except OSError as error:
                raise self._lose(str(error)) from error

    async def tune(self, baud: int, form: str) -> None:
        bits, parity, stop = line_format(form)
        wanted = {"baudrate": baud, "bytesize": bits, "parity": parity, "stopbits": stop}
        self._inbox.check()
        try:
            # in a thread: an adapter may take its time over it
            await self._inbox.loop.run_in_executor(None, _apply, self._port, wanted)
        except (OSError, ValueError, termios.error) as error:
            raise self._lose(str(error)) from error

    def reset_input(self) -> bytes:
        if self._port.is_open:
            self._receive()  # what the kernel has and the loop has not yet shown us
            self._empty_reads = 0
        return self._inbox.drop()

    def close(self) -> None:
        self._lose("closed")

    def _receive(self) -> None:
        try:
            chunk = os.read(self._port.fd, 4096)
        except BlockingIOError:
            return
        except OSError as error:
            self._lose(str(error))
            return
        self._empty_reads = 0 if chunk else self._empty_reads + 1
        if chunk:
            self._inbox.put(chunk)
        elif self._empty_reads > _EMPTY_READS_MOST:
            self._lose("the port hung up")
        if len(self._inbox) > _INBOX_MOST:  # nobody reads a line that never rests
            self._inbox.drop()

    def _lose(self, why: str) -> PortLost:
        lost = PortLost(str(self._port.port), why)
        if self._port.is_open:
            self._inbox.loop.remove_reader(self._port.fd)
            self._inbox.loop.remove_writer(self._port.fd)
            with contextlib.suppress(OSError):  # an unplugged adapter may complain once more
                self._port.close()
        self._inbox.fail(lost)
        return lost

    async def _until_writable(self) -> None:
        writable = self._inbox.loop.create_future()
        self._inbox.loop.add_writer(self._port.fd, _resolve, writable)
        try:
            await writable
        finally:
            if self._port.is_open:
                self._inbox.loop.remove_writer(self._port.fd)
        self._inbox.check()


def _apply(port: Any, wanted: dict[str, object]) -> None:
    """Setting by setting, for a pty has no parity and says so when nothing else changes with it."""
    for name, value in wanted.items():
        try:
            setattr(port, name, value)
        except termios.error:
            if not os.ttyname(port.fd).startswith("/dev/pts/"):
                raise


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


async def _open_serial(settings: StreamSettings, path: str) -> _SerialStream:
    bits, parity, stop = line_format(settings.format)

    def open_port() -> Any:
        return serial.Serial(
            path,
            baudrate=settings.baud,
            bytesize=bits,
            parity=parity,
            stopbits=stop,
            timeout=0,
            write_timeout=0,
            exclusive=True,
        )

    try:
        port = await _in_thread(open_port)
    except (OSError, ValueError) as error:  # SerialException is an OSError; ValueError: a baud rate it cannot do
        raise PortUnavailable(path, str(error)) from error
    with contextlib.suppress(OSError, ValueError, NotImplementedError):  # ptys and some adapters lack it
        port.set_low_latency_mode(True)  # an FTDI adapter otherwise waits 16 ms before it hands bytes on
    return _SerialStream(port)


async def _in_thread(opener: Callable[[], Any]) -> Any:
    """Opening a sick USB adapter can block. A port that opens after we were cancelled is closed again."""
    opening = asyncio.get_running_loop().run_in_executor(None, opener)
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close_late)
        raise


def _close_late(opening: "asyncio.Future[Any]") -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
