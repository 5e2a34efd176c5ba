"""Streams over real ptys and sockets, and RFC 2217 against the server that pyserial brings."""

import asyncio
import os
import pty
import socket
import threading
import tty
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
import serial
import serial.rfc2217

from edge.drivers.errors import BadParameter, PortLost, PortUnavailable
from edge.drivers.transport import Stream, StreamSettings, open_stream


@pytest.fixture
def line() -> Iterator[tuple[int, str]]:
    """The instrument's end of a pty, and the path of ours."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    yield ours, os.ttyname(theirs)
    os.close(theirs)
    try:
        os.close(ours)
    except OSError:  # a test has pulled the plug
        pass


@asynccontextmanager
async def opened(settings: StreamSettings) -> AsyncIterator[Stream]:
    stream = await open_stream(settings)
    try:
        yield stream
    finally:
        stream.close()


async def read_all(stream: Stream, count: int) -> bytes:
    got = b""
    while len(got) < count:
        got += await stream.read(timeout_s=5)
    return got


async def test_a_pty_carries_bytes_both_ways(line: tuple[int, str]) -> None:
    instrument, path = line
    async with opened(StreamSettings(path)) as stream:
        await stream.write(b"SI\r\n")
        assert os.read(instrument, 10) == b"SI\r\n"
        os.write(instrument, bytes(range(256)))
        assert await read_all(stream, 256) == bytes(range(256))


async def test_silence_is_told_apart_from_bytes(line: tuple[int, str]) -> None:
    async with opened(StreamSettings(f"serial://{line[1]}")) as stream:
        assert await stream.read(timeout_s=0.02) == b""


async def test_old_input_is_dropped_and_shown(line: tuple[int, str]) -> None:
    async with opened(StreamSettings(line[1])) as stream:
        os.write(line[0], b"late answer")
        dropped = stream.reset_input()
        assert dropped == b"late answer"
        assert stream.reset_input() == b""
        os.write(line[0], b"fresh")
        assert await stream.read(timeout_s=5) == b"fresh"


async def test_a_port_is_opened_by_one_only(line: tuple[int, str]) -> None:
    async with opened(StreamSettings(line[1])):
        with pytest.raises(PortUnavailable):
            await open_stream(StreamSettings(line[1]))
    async with opened(StreamSettings(line[1])):  # free again
        pass


async def test_a_pulled_plug_is_port_lost(line: tuple[int, str]) -> None:
    async with opened(StreamSettings(line[1])) as stream:
        reading = asyncio.create_task(stream.read())
        await asyncio.sleep(0)
        os.close(line[0])
        with pytest.raises(PortLost):
            await asyncio.wait_for(reading, 5)
        with pytest.raises(PortLost):
            await stream.write(b"x")


async def test_a_cancelled_read_loses_nothing(line: tuple[int, str]) -> None:
    async with opened(StreamSettings(line[1])) as stream:
        reading = asyncio.create_task(stream.read())
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        os.write(line[0], b"kept")
        assert await stream.read(timeout_s=5) == b"kept"


@pytest.mark.parametrize("path", ["/dev/does-not-exist", "tcp://127.0.0.1:1"])
async def test_what_cannot_be_opened_is_unavailable(path: str) -> None:
    with pytest.raises(PortUnavailable) as caught:
        await open_stream(StreamSettings(path))
    assert path in str(caught.value)


@pytest.mark.parametrize("url", ["gopher://x:1", "tcp://x", "tcp://x:99999", "serial://"])
async def test_an_url_that_means_nothing_is_refused(url: str) -> None:
    with pytest.raises(BadParameter, match="wanted"):
        await open_stream(StreamSettings(url))


def test_settings_come_from_the_url() -> None:
    settings = StreamSettings.of("serial:///dev/serial/by-id/usb-1?baud=1200&format=7e1")
    assert settings == StreamSettings("serial:///dev/serial/by-id/usb-1", 1200, "7E1")
    for wrong in ("?baud=fast", "?format=9N1"):
        with pytest.raises(BadParameter):
            StreamSettings.of("/dev/ttyS0" + wrong)


async def test_tcp_carries_bytes_and_tells_when_the_peer_goes() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read(100))
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with opened(StreamSettings(f"tcp://127.0.0.1:{port}")) as stream:
            await stream.write(b"hello")
            assert await read_all(stream, 5) == b"hello"  # what came before the end is read first
            with pytest.raises(PortLost):
                await stream.read(timeout_s=5)


async def test_more_than_the_inbox_holds_arrives_whole() -> None:
    flood = bytes(range(256)) * 4096

    async def pour(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(flood)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(pour, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with opened(StreamSettings(f"tcp://127.0.0.1:{port}")) as stream:
            assert await read_all(stream, len(flood)) == flood


async def from_instrument(descriptor: int, count: int) -> bytes:
    os.set_blocking(descriptor, False)
    got, complete = bytearray(), asyncio.Event()

    def receive() -> None:
        got.extend(os.read(descriptor, 1000))
        if len(got) >= count:
            complete.set()

    asyncio.get_running_loop().add_reader(descriptor, receive)
    try:
        await asyncio.wait_for(complete.wait(), 5)
    finally:
        asyncio.get_running_loop().remove_reader(descriptor)
    return bytes(got)


class PtyPort(serial.Serial):
    """A pty has no modem lines to ask for."""

    cts = dsr = ri = cd = False


class SerialServer:
    """pyserial's RFC 2217 end in front of a pty: an implementation that we did not write."""

    def __init__(self, path: str) -> None:
        self.port = PtyPort(path, timeout=0.05)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            link = connection.makefile("rwb", buffering=0)
            manager = serial.rfc2217.PortManager(self.port, link)
            connection.settimeout(0.02)
            while True:
                try:
                    chunk = connection.recv(100)
                except TimeoutError:
                    chunk = None
                if chunk == b"":
                    link.close()
                    return
                if chunk:
                    self.port.write(b"".join(manager.filter(chunk)))
                if outward := self.port.read(self.port.in_waiting):
                    connection.sendall(b"".join(manager.escape(outward)))

    def close(self) -> None:
        self._thread.join(5)
        self._listener.close()
        self.port.close()


async def test_rfc2217_sets_the_far_port_and_carries_every_byte(line: tuple[int, str]) -> None:
    server = SerialServer(line[1])
    try:
        settings = StreamSettings(f"rfc2217://127.0.0.1:{server.address}", 19200, "8N2")
        async with opened(settings) as stream:
            message = bytes(range(256))
            await stream.write(message)
            assert await from_instrument(line[0], 256) == message
            os.write(line[0], message)
            assert await read_all(stream, 256) == message
            assert (server.port.baudrate, server.port.stopbits) == (19200, 2)
    finally:
        await asyncio.to_thread(server.close)
