"""Our drivers against peers that we did not write: Modbus servers, a scale and a fixed reader, over sockets and ptys."""

import asyncio
import contextlib
import os
import tty

import pytest

from edge.config import check
from edge.drivers.modbus import RtuMatcher, read_request
from edge.drivers.transport import StreamSettings
from edge.errors import Refused
from edge.instruments.listener import make_instrument
from edge.lines.bus import ModbusBus, Port, Statistics, Unit
from edge.lines.line import serial_pace
from edge.lines.poller import make_poller
from wire.entries import Quality, Reading, Sighting, Weighing

PAIR = """
profile_version: 1
meta: {id: pair, vendor: x, model: x, class: temperature, status: draft, sources: [{id: a, kind: own, ref: a}]}
link: {transport: modbus_tcp, max_read_registers: 4}
points:
  - {key: temperature, table: input, address: 1, type: s16, scale: "0.1"}
  - {key: total, table: holding, address: 6, type: u32, word_order: big}
  - {key: door, table: coil, address: 3, type: bool}
tests: [{response: "", expect: {}, origin: computed}]
"""
EPC = bytes.fromhex("3316210B44350C40000003E9")


class Entries(list):
    def __call__(self, entries, *, urgent=False):
        self.extend(entries)

    async def until(self, condition):
        async with asyncio.timeout(20):
            while not (self and condition(self)):
                await asyncio.sleep(0.005)

    def of(self, kind):
        return [entry for entry in self if isinstance(entry, kind)]


@pytest.fixture
async def run():
    """Runs something of ours until the test ends."""
    running = []

    def start(instrument):
        running.append(asyncio.create_task(instrument.run()))

    yield start
    for task in running:
        task.cancel()
    if running:
        await asyncio.wait(running)


def settings_of(tmp_path, bus, more=""):
    path = tmp_path / "edge.yaml"
    path.write_text(f"gateway: gw-01\n{more}buses: [{bus}]\n")
    gateway = check(path)
    return gateway, {(point.device, point.key): index for index, point in enumerate(gateway.points())}


def now_ms() -> int:
    return int(asyncio.get_running_loop().time() * 1000)


@pytest.fixture
def listen(tmp_path, run):
    def start(bus):
        gateway, index_of = settings_of(tmp_path, bus)
        entries = Entries()
        entries.instrument = make_instrument(gateway.config.buses[0], gateway, index_of, entries, now_ms)
        run(entries.instrument)
        return entries

    return start


# ---- Modbus


async def test_modbus_tcp_registers_and_coils_are_read_from_pymodbustcp(tmp_path, run):
    peer = pytest.importorskip("pyModbusTCP.server", reason="pyModbusTCP is not installed")
    bank = peer.DataBank()
    bank.set_input_registers(1, [(-194) & 0xFFFF])
    bank.set_holding_registers(6, [0x0001, 0xE240])
    bank.set_coils(3, [True])
    server = peer.ModbusServer("127.0.0.1", 0, no_block=True, data_bank=bank)
    server.start()
    try:
        port = server._service.server_address[1]  # it tells nowhere else which port it got
        (tmp_path / "pair.yaml").write_text(PAIR)
        bus = (
            f"{{id: b, kind: modbus_tcp, host: 127.0.0.1, port: {port}, "
            "devices: [{id: probe, profile: pair, unit_id: 1, period_s: 0.1}]}"
        )
        gateway, index_of = settings_of(tmp_path, bus, f"profiles_dir: {tmp_path}\n")
        entries = Entries()
        run(make_poller(gateway.config.buses[0], gateway, index_of, entries, now_ms))
        await entries.until(lambda seen: {entry.point for entry in seen} >= {0, 1, 2})
        newest = {entry.point: entry for entry in entries}
        assert [(newest[n].mantissa, newest[n].decimals, newest[n].quality) for n in range(3)] == [
            (-194, 1, Quality.GOOD),
            (123456, 0, Quality.GOOD),
            (1, 0, Quality.GOOD),
        ]
    finally:
        await asyncio.to_thread(server.stop)


@contextlib.contextmanager
def pty_pair():
    """Two terminals joined back to back, so that both programs may believe in a serial port."""
    masters, slaves = zip(*(os.openpty() for _ in range(2)), strict=True)
    for end in (*masters, *slaves):
        tty.setraw(end)
    loop = asyncio.get_running_loop()
    for here, there in (masters, masters[::-1]):
        loop.add_reader(here, lambda here=here, there=there: os.write(there, os.read(here, 4096)))
    try:
        yield tuple(os.ttyname(slave) for slave in slaves)
    finally:
        for master in masters:
            loop.remove_reader(master)
        for end in (*masters, *slaves):
            os.close(end)


async def test_modbus_rtu_is_read_from_pymodbus_over_a_serial_line():
    server_module = pytest.importorskip("pymodbus.server", reason="pymodbus is not installed")
    simulator = pytest.importorskip("pymodbus.simulator", reason="pymodbus is not installed")
    devices = [
        simulator.SimDevice(
            id=unit_id,
            simdata=[
                simulator.SimData(
                    0, values=[100 * unit_id + n for n in range(20)], datatype=simulator.DataType.REGISTERS
                )
            ],
        )
        for unit_id in (1, 2)
    ]
    with pty_pair() as (ours, theirs):
        server = server_module.ModbusSerialServer(devices, port=theirs, baudrate=19200)
        serving = asyncio.create_task(server.serve_forever())
        async with asyncio.timeout(10):
            while server.transport is None:
                await asyncio.sleep(0.01)
        port = Port("line", StreamSettings(ours, baud=19200))
        opening = asyncio.create_task(port.run())
        try:
            await port.tried.wait()
            bus = ModbusBus(port, RtuMatcher(), serial_pace(19200, "8N1"))
            for unit_id in (1, 2, 1):
                unit = Unit(f"unit-{unit_id}", unit_id, 3.0, 0.0, Statistics())
                payload = await bus.ask(read_request(unit_id, 3, 4, 2), unit)
                assert payload == (100 * unit_id + 4).to_bytes(2) + (100 * unit_id + 5).to_bytes(2)
            with pytest.raises(Refused) as caught:
                await bus.ask(read_request(1, 3, 500, 1), unit)
            assert caught.value.code == 2
        finally:
            opening.cancel()
            await server.shutdown()
            await asyncio.wait([serving, opening])


# ---- a scale


@pytest.fixture
async def scale():
    """mt-sics-emulator on a socket: (state, URL)."""
    state_module = pytest.importorskip("mtsics.core.state", reason="mt-sics-emulator is not installed")
    engine = pytest.importorskip("mtsics.protocol.engine").MTSICSEngine
    tcp = pytest.importorskip("mtsics.transport.tcp")
    state = state_module.ScaleState()
    transport = tcp.TCPTransport(engine(state), cfg=tcp.TCPConfig(host="127.0.0.1", port=0))
    _, port = await transport.start()
    yield state, f"tcp://127.0.0.1:{port}"
    await transport.close()


async def test_a_scale_is_weighed_with_mt_sics_emulator(scale, listen):
    state, url = scale
    entries = listen(
        f"{{id: s, kind: serial, port: '{url}', devices: [{{id: scale, profile: mettler-mt-sics, period_s: 0.05}}]}}"
    )
    state.set_weight(0, stable=True)
    await entries.until(lambda seen: seen[-1][2:] == (0, 2, Quality.GOOD, None))
    state.set_weight(12.45, stable=False)
    await entries.until(lambda seen: seen[-1][2:] == (1245, 2, Quality.UNCERTAIN, "unstable"))
    state.set_weight(12.45, stable=True)
    await entries.until(lambda seen: seen.of(Weighing))
    (weighing,) = entries.of(Weighing)
    assert (weighing.mantissa, weighing.decimals, weighing.unit) == (1245, 2, "kg")
    state.set_weight(500, stable=True)
    await entries.until(lambda seen: seen.of(Reading)[-1].reason == "overload")


# ---- a fixed reader


@pytest.fixture
async def emulator():
    module = pytest.importorskip("llrpkit.emulator", reason="llrpkit is not installed")
    tag = module.EmulatedTag(EPC, antennas=(2,), rssi_dbm=-55.0)
    async with module.LLRPEmulator(tags=[tag], reads_per_sec=50) as reader:
        yield reader


def llrp_bus(reader, timeout_ms=400):
    params = "{keepalive_ms: 100}"
    device = f"{{id: gate, profile: generic-llrp, timeout_ms: {timeout_ms}, params: {params}}}"
    return f"{{id: g, kind: serial, port: 'tcp://127.0.0.1:{reader.port}', devices: [{device}]}}"


def is_reading(seen):
    return seen.of(Sighting) and seen.of(Reading) and seen.of(Reading)[-1].quality is Quality.GOOD


async def test_a_reader_is_set_up_and_its_tags_are_seen(emulator, listen):
    entries = listen(llrp_bus(emulator))
    await entries.until(is_reading)
    first = entries.of(Sighting)[0]
    assert (first.epc, first.antenna, first.reads) == (EPC.hex(), 2, 1)
    assert -65 <= first.rssi_dbm <= -45


async def test_a_reader_without_tags_in_view_lives_by_its_keep_alives(emulator, listen):
    emulator.tags.clear()
    entries = listen(llrp_bus(emulator))
    await entries.until(lambda seen: seen.of(Reading))
    async with asyncio.timeout(10):
        while emulator.keepalive_acks < 8:
            await asyncio.sleep(0.02)
    assert [entry.quality for entry in entries] == [Quality.GOOD]


async def test_a_reader_held_by_another_client_says_so_until_it_is_free(emulator, listen):
    holder = await asyncio.open_connection("127.0.0.1", emulator.port)
    await holder[0].readexactly(10)
    entries = listen(llrp_bus(emulator))
    await entries.until(lambda seen: seen[-1].reason == "another_client")
    assert not entries.of(Sighting) and entries.instrument.is_silent
    holder[1].close()
    await entries.until(is_reading)
    assert not entries.instrument.is_silent
    assert {entry.reason for entry in entries.of(Reading)} == {"another_client", None}


async def test_a_reader_that_refuses_is_asked_ever_more_rarely(listen):
    refusal = bytes.fromhex("043F000000200000000100F600160080000C0000000000000000010000060003")
    connected_at = []

    async def refuse(_, writer):
        connected_at.append(asyncio.get_running_loop().time())
        writer.write(refusal)
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    server.port = server.sockets[0].getsockname()[1]
    entries = listen(llrp_bus(server))
    async with asyncio.timeout(20):
        while len(connected_at) < 4:
            await asyncio.sleep(0.02)
    server.close()
    await server.wait_closed()
    assert connected_at[3] - connected_at[1] >= 1.2  # 0.5 s and 1 s, less a fifth
    assert {entry.reason for entry in entries} == {"refused"}


async def test_a_reader_that_goes_away_and_comes_back_is_set_up_again(emulator, listen):
    entries = listen(llrp_bus(emulator))
    await entries.until(is_reading)
    await emulator.stop()
    await entries.until(lambda seen: seen.of(Reading)[-1].quality is Quality.BAD)
    await emulator.start()
    await entries.until(is_reading)


async def test_a_reader_that_swallows_a_step_of_its_setup_is_not_called_alive(emulator, listen):
    from llrpkit.protocol import messages

    emulator.drop_next(messages.START_ROSPEC)
    entries = listen(llrp_bus(emulator, timeout_ms=200))
    await entries.until(lambda seen: seen[-1].reason == "setup_timeout")
    assert len(entries) == 1
    await entries.until(is_reading)
