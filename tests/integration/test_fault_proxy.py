"""The bad line over real sockets: what is held comes later, what is reset ends, and a forsaken client hears nothing."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from simulator.fault_proxy import CUT, FAIR, FaultProxy, Weather
from simulator.mischief import Mischief
from simulator.mqtt_packets import Publish, read_publish

PATIENCE_S = 10
MESSAGE = Publish("x/batch", b"payload", 1).encode()


class Echo:
    """Says everything back, and remembers who is there."""

    def __init__(self):
        self.writers = []

    async def serve(self, reader, writer):
        self.writers.append(writer)
        try:
            while chunk := await reader.read(65536):
                writer.write(chunk)
        except OSError:
            pass
        finally:
            self.writers.remove(writer)
            writer.close()


@asynccontextmanager
async def line(**keywords):
    echo = Echo()
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with FaultProxy(port, seed=1, **keywords) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        try:
            yield proxy, reader, writer, echo
        finally:
            writer.transport.abort()
    server.close()


async def hear(reader, size=None):
    async with asyncio.timeout(PATIENCE_S):
        return await reader.readexactly(len(MESSAGE) if size is None else size)


async def test_a_fair_line_passes_everything_on():
    async with line() as (_, reader, writer, _):
        writer.write(MESSAGE)
        assert await hear(reader) == MESSAGE


@pytest.mark.parametrize("weather", [Weather(holds_up=True), Weather(holds_down=True)])
async def test_what_is_held_in_one_direction_comes_when_the_line_heals(weather):
    async with line() as (proxy, reader, writer, _):
        await proxy.set_weather(weather)
        writer.write(MESSAGE)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.2)
        await proxy.set_weather(FAIR)
        assert await hear(reader) == MESSAGE


async def test_a_reset_ends_the_connection_and_a_cut_line_takes_no_new_one():
    async with line() as (proxy, reader, writer, _):
        writer.write(MESSAGE)
        await hear(reader)
        await proxy.set_weather(CUT)
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            await hear(reader)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            other, _ = await asyncio.open_connection("127.0.0.1", proxy.port)
            await hear(other, 1)


async def test_a_forsaken_client_is_half_open():
    async with line() as (proxy, reader, writer, echo):
        writer.write(MESSAGE)
        await hear(reader)
        proxy.forsake()
        async with asyncio.timeout(PATIENCE_S):
            while echo.writers:
                await asyncio.sleep(0.01)
        writer.write(MESSAGE)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.2)


async def test_a_slow_line_takes_as_long_as_its_rate_says():
    async with line() as (proxy, reader, writer, _):
        await proxy.set_weather(Weather(bytes_per_s=10_000))
        large = Publish("x/batch", bytes(1500), 1).encode()
        began = asyncio.get_running_loop().time()
        writer.write(large)
        await hear(reader, len(large))
        assert asyncio.get_running_loop().time() - began > 0.25  # both ways


async def test_mischief_reaches_connections_that_are_open_already():
    async with line() as (proxy, reader, writer, _):
        proxy.set_mischief(Mischief(corrupt=1))
        writer.write(MESSAGE)
        [injected] = [read_publish(await hear(reader))]
        assert injected.payload == proxy.past.injections[0].payload != b"payload"
