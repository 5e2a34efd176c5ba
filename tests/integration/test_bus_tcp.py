"""Modbus TCP against a server that we did not write (pymodbus), and against one that answers late."""

import asyncio
import struct

import pytest
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from edge.config import check
from edge.drivers.modbus import TcpMatcher, read_request
from edge.drivers.transport import StreamSettings
from edge.errors import NoAnswer, PortDown, Refused
from edge.lines.bus import ModbusBus, Port, Statistics, Unit
from edge.lines.poller import make_poller
from wire.entries import Quality


def unit(unit_id: int, timeout_s: float = 2.0) -> Unit:
    return Unit(f"unit-{unit_id}", unit_id, timeout_s, 0.0, Statistics())


@pytest.fixture
async def peer():
    """Units 1 and 2 behind one endpoint: holding registers 0.. hold 100 * unit + address."""
    devices = [
        SimDevice(
            id=unit_id,
            simdata=[SimData(0, values=[100 * unit_id + n for n in range(20)], datatype=DataType.REGISTERS)],
        )
        for unit_id in (1, 2)
    ]
    server = ModbusTcpServer(devices, address=("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve_forever())
    while server.transport is None:
        await asyncio.sleep(0.01)
    yield server.transport.sockets[0].getsockname()[1]
    await server.shutdown()
    await asyncio.wait([serving])


@pytest.fixture
async def connect():
    tasks = []

    async def to(port_number: int) -> ModbusBus:
        port = Port("tcp", StreamSettings(f"tcp://127.0.0.1:{port_number}"))
        tasks.append(asyncio.create_task(port.run()))
        await port.tried.wait()
        return ModbusBus(port, TcpMatcher())

    yield to
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


async def test_two_units_behind_one_endpoint_are_told_apart(peer, connect):
    bus = await connect(peer)
    for unit_id in (1, 2, 1):
        payload = await bus.ask(read_request(unit_id, 3, 4, 3), unit(unit_id))
        assert struct.unpack(">3H", payload) == (100 * unit_id + 4, 100 * unit_id + 5, 100 * unit_id + 6)


async def test_an_address_that_the_server_lacks_is_refused(peer, connect):
    bus = await connect(peer)
    with pytest.raises(Refused) as caught:
        await bus.ask(read_request(1, 3, 500, 1), unit(1))
    assert caught.value.code == 2


async def test_a_closed_port_is_down_and_says_why(connect, unused_tcp_port):
    bus = await connect(unused_tcp_port)
    with pytest.raises(PortDown) as caught:
        await bus.ask(read_request(1, 3, 0, 1), unit(1))
    assert caught.value.reason == "port_down"
    assert caught.value.detail


async def test_late_answers_never_shift_values(connect):
    """The transaction id tells them apart; nobody has to wait."""
    delays = iter([0.15, 0.2, 0])

    async def serve(reader, writer):
        async def answer(head, address):
            await asyncio.sleep(next(delays))
            writer.write(head[:4] + struct.pack(">HBBBH", 5, head[6], 3, 2, address))

        async with asyncio.TaskGroup() as tasks:
            while request := await reader.read(12):
                tasks.create_task(answer(request, struct.unpack_from(">H", request, 8)[0]))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    bus = await connect(server.sockets[0].getsockname()[1])
    slow = unit(1, timeout_s=0.1)
    with pytest.raises(NoAnswer):
        await bus.ask(read_request(1, 3, 10, 1), slow)
    patient = unit(1)
    assert await bus.ask(read_request(1, 3, 20, 1), patient) == bytes([0, 20])
    assert await bus.ask(read_request(1, 3, 30, 1), patient) == bytes([0, 30])
    assert slow.statistics.late_answers == 1
    bus.port.lose("over")
    server.close()
    await server.wait_closed()


async def test_from_settings_to_readings(peer, tmp_path):
    (tmp_path / "pair.yaml").write_text("""
profile_version: 1
meta: {id: pair, vendor: x, model: x, class: temperature, status: draft, sources: [{id: a, kind: own, ref: a}]}
link: {transport: modbus_tcp, max_read_registers: 4}
points:
  - {key: a, table: holding, address: 0, type: u16, scale: "0.1"}
  - {key: b, table: holding, address: 1, type: u16}
tests: [{response: "", expect: {}, origin: computed}]
""")
    settings = tmp_path / "edge.yaml"
    settings.write_text(f"""
gateway: gw-01
profiles_dir: {tmp_path}/profiles
buses:
  - id: hall
    kind: modbus_tcp
    host: 127.0.0.1
    port: {peer}
    devices:
      - {{id: one, profile: pair, unit_id: 1, period_s: 0.05}}
      - {{id: two, profile: pair, unit_id: 2, period_s: 0.05}}
      - {{id: absent, profile: pair, unit_id: 9, period_s: 0.05}}
""")
    (tmp_path / "profiles").mkdir()
    (tmp_path / "pair.yaml").rename(tmp_path / "profiles" / "pair.yaml")
    gateway = check(settings)
    index_of = {(point.device, point.key): index for index, point in enumerate(gateway.points())}
    readings = []
    now = iter(range(1000, 10**9))
    poller = make_poller(gateway.config.buses[0], gateway, index_of, readings.extend, lambda: next(now))
    running = asyncio.create_task(poller.run())
    async with asyncio.timeout(20):
        while len(readings) < 30:
            await asyncio.sleep(0.02)
    poller.stop()
    await running
    newest = {reading.point: reading for reading in readings}
    assert [(newest[n].mantissa, newest[n].decimals, newest[n].quality) for n in range(4)] == [
        (100, 1, Quality.GOOD),
        (101, 0, Quality.GOOD),
        (200, 1, Quality.GOOD),
        (201, 0, Quality.GOOD),
    ]
    assert newest[4].mantissa is None and newest[4].quality is Quality.BAD
    assert newest[4].reason.startswith("exception_")
