"""The plant's lines, spoken to by implementations we did not write and by plain bytes; the ledger knows every value."""

import asyncio
import contextlib
import os
import select
import socket
import struct
import time
import tty

import pytest
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ModbusIOException

from simulator.ledger import read_ledger
from simulator.modbus import rtu_frame
from simulator.plan import load_plan
from simulator.plant import Plant

PLANT = """
plant: small
name: {vi: Nhỏ, en: Small}
physics_speed: 60
zones:
  - {id: a, name: {vi: A, en: A}, climate: cold_store}
  - {id: b, name: {vi: B, en: B}, climate: chill_store}
buses:
  - id: tcp
    kind: modbus_tcp
    devices:
      - {id: a-tcp, profile: generic-xy-md02, zone: a, unit_id: 1}
      - {id: b-tcp, profile: generic-xy-md02, zone: b, unit_id: 2}
      - {id: a-controller, profile: generic-refrigeration-controller, zone: a, unit_id: 3}
      - {id: counter, profile: generic-counter-10, unit_id: 4}
  - id: line
    kind: modbus_rtu
    tty: ttyLINE
    baud: 19200
    timing: true
    devices:
      - {id: a-rtu, profile: generic-xy-md02, zone: a, unit_id: 1, turnaround_ms: 5}
      - {id: b-rtu, profile: generic-xy-md02, zone: b, unit_id: 2, turnaround_ms: 5}
      - {id: counter-rtu, profile: generic-counter-10, unit_id: 4}
  - {id: scale, kind: serial, tty: ttySCALE, devices: [{id: scale, profile: mettler-mt-sics, zone: b}]}
  - {id: rfid, kind: serial, tty: ttyRFID, devices: [{id: rfid, profile: generic-m100-uhf, zone: a, linger_every_s: 0.2}]}
flow:
  load_zone: b
  lots_per_day: 24
  routes: {only: [{zones: [b], stay_min: [1, 2]}, {zones: [a], stay_min: [3000, 4000]}]}
  products: [{name: {vi: Cánh gà, en: Wings}, route: only, quantity_kg: [100, 200]}]
"""


@pytest.fixture
async def plant(tmp_path):
    path = tmp_path / "plant.yaml"
    path.write_text(PLANT)
    async with Plant(load_plan(path), tmp_path / "run", ledger=tmp_path / "ledger.jsonl") as plant:
        running = asyncio.create_task(plant.run())
        yield plant
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
    assert {entry.name for entry in (tmp_path / "run").iterdir()} == {"moves.jsonl"}


@pytest.fixture
async def tcp(plant):
    bus = plant.endpoints["buses"][0]
    client = AsyncModbusTcpClient(bus["host"], port=bus["port"], timeout=0.4, retries=0)
    assert await client.connect()
    yield client
    client.close()


@pytest.fixture
async def rtu(plant):
    client = AsyncModbusSerialClient(str(plant.run_dir / "ttyLINE"), baudrate=19200, timeout=0.3, retries=0)
    assert await client.connect()
    yield client
    client.close()


def fault(plant, kind, target, **more):
    plant.board.set(kind, target, **({"rate": None, "ms": None, "code": None} | more))


def ledger(plant):
    return list(read_ledger(plant.run_dir.parent / "ledger.jsonl"))


def signed(word):
    return word - 0x10000 if word & 0x8000 else word


async def test_a_client_we_did_not_write_reads_what_the_ledger_says(plant, tcp, rtu):
    read = []
    for client, names in ((tcp, ("a-tcp", "b-tcp")), (rtu, ("a-rtu", "b-rtu"))):
        for unit, name in enumerate(names, start=1):
            words = (await client.read_input_registers(1, count=2, device_id=unit)).registers
            read += [(name, "temperature", signed(words[0])), (name, "humidity", words[1])]
    assert [(row.device, row.point, round(float(row.value) * 10)) for row in ledger(plant)] == read


async def test_a_controller_tells_temperatures_and_state_in_one_block(plant, tcp):
    words = (await tcp.read_holding_registers(0, count=17, device_id=3)).registers
    rows = {row.point: row.value for row in ledger(plant)}
    assert [signed(words[0]), signed(words[1]), words[16]] == [
        round(float(rows["room_temperature"]) * 10),
        round(float(rows["evaporator_temperature"]) * 10),
        int(rows["status"]),
    ]


async def test_an_unmapped_address_is_refused(tcp):
    answer = await tcp.read_input_registers(0, count=2, device_id=1)
    assert answer.isError() and answer.exception_code == 2


async def test_every_counter_reading_is_given_out_once_and_is_in_the_ledger(plant, tcp, rtu):
    seen = {"counter": [], "counter-rtu": []}
    for _ in range(20):
        for client, name in ((tcp, "counter"), (rtu, "counter-rtu")):
            seen[name] += (await client.read_input_registers(0, count=10, device_id=4)).registers
    for name, words in seen.items():
        assert [int(row.value) for row in ledger(plant) if row.device == name] == words
        assert words == [n for n in range(1, 21) for _ in range(10)]


@pytest.mark.parametrize("line", ["tcp", "rtu"])
async def test_a_dead_unit_is_silent_while_its_neighbour_answers(plant, line, tcp, rtu):
    client = {"tcp": tcp, "rtu": rtu}[line]
    fault(plant, "dead", f"a-{line}")
    for _ in range(2):
        with pytest.raises(ModbusIOException):
            await client.read_input_registers(1, count=2, device_id=1)
        assert len((await client.read_input_registers(1, count=2, device_id=2)).registers) == 2
    plant.board.clear(f"a-{line}")
    assert len((await client.read_input_registers(1, count=2, device_id=1)).registers) == 2
    rows = [row for row in ledger(plant) if row.device == f"a-{line}"]
    assert [(row.why, row.delivered) for row in rows] == [("dead", False)] * 4 + [(None, True)] * 2


@pytest.mark.parametrize("kind", ["crc", "truncated", "wrong-unit"])
async def test_spoilt_answers_are_no_answers_and_the_ledger_says_so(plant, rtu, kind):
    fault(plant, kind, "a-rtu")
    with pytest.raises(ModbusIOException):
        await rtu.read_input_registers(1, count=2, device_id=1)
    assert {(row.why, row.delivered) for row in ledger(plant)} == {(kind.replace("-", "_"), False)}


async def test_a_share_of_the_answers_is_spoilt(plant, tcp):
    fault(plant, "crc", "counter", rate=0.3)
    got = []
    for _ in range(12):
        with contextlib.suppress(ModbusIOException):
            got.append((await tcp.read_input_registers(0, count=1, device_id=4)).registers[0])
    rows = ledger(plant)
    assert [int(row.value) for row in rows if row.delivered] == got
    assert len(rows) == 12 and 0 < len(got) < 12


async def test_a_late_answer_comes_late(plant, tcp):
    fault(plant, "late", "a-tcp", ms=150)
    begin = time.monotonic()
    await tcp.read_input_registers(1, count=2, device_id=1)
    assert 0.15 <= time.monotonic() - begin < 0.4
    assert {(row.why, row.delivered) for row in ledger(plant)} == {("late", True)}


async def test_exceptions_are_answered_as_asked(plant, tcp, rtu):
    fault(plant, "exception", "a-tcp", code=4)
    fault(plant, "exception", "a-rtu", code=6)
    assert (await tcp.read_input_registers(1, count=2, device_id=1)).exception_code == 4
    assert (await rtu.read_input_registers(1, count=2, device_id=1)).exception_code == 6
    assert ledger(plant) == []


async def test_a_broken_probe_shows_its_fault_code(plant, tcp):
    fault(plant, "probe-broken", "a-tcp")
    async with asyncio.timeout(5):
        while (await tcp.read_input_registers(1, count=1, device_id=1)).registers != [0x8000]:
            await asyncio.sleep(0.05)
    assert ledger(plant)[-1].value is None


async def test_a_frozen_probe_says_the_same_while_the_room_warms(plant, tcp):
    fault(plant, "frozen", "a-tcp")
    fault(plant, "door-open", "a")
    await asyncio.sleep(0.6)
    first = (await tcp.read_input_registers(1, count=1, device_id=1)).registers
    await asyncio.sleep(2)
    assert (await tcp.read_input_registers(1, count=1, device_id=1)).registers == first
    plant.board.clear("a-tcp")
    await asyncio.sleep(0.6)
    assert signed((await tcp.read_input_registers(1, count=1, device_id=1)).registers[0]) > signed(first[0])


async def test_the_controller_sees_door_and_defrost(plant, tcp):
    fault(plant, "door-open", "a")
    fault(plant, "defrost", "a")
    async with asyncio.timeout(5):
        while (await tcp.read_holding_registers(0x10, count=1, device_id=3)).registers[0] & 0b111 != 0b110:
            await asyncio.sleep(0.05)


async def test_line_times_are_those_of_the_wire(plant, rtu):
    # 8 + 9 characters of 10 bits at 19,200 Bd, silence of 1.8 ms, 5 ms of thinking: never faster than physics
    begin = time.monotonic()
    for _ in range(5):
        await rtu.read_input_registers(1, count=2, device_id=1)
    assert (time.monotonic() - begin) / 5 >= 17 * 10 / 19200 + 0.0018 + 0.005


async def test_a_listener_may_come_and_go(plant):
    for _ in range(3):
        client = AsyncModbusSerialClient(str(plant.run_dir / "ttyLINE"), baudrate=19200, timeout=0.5, retries=0)
        assert await client.connect()
        assert len((await client.read_input_registers(1, count=2, device_id=1)).registers) == 2
        client.close()


async def test_what_is_said_to_nobody_is_lost(plant):
    path = str(plant.run_dir / "ttyLINE")
    fault(plant, "late", "a-rtu", ms=200)
    port = os.open(path, os.O_RDWR | os.O_NOCTTY)
    await asyncio.sleep(0.1)
    os.write(port, rtu_frame(1, bytes.fromhex("0400010002")))
    await asyncio.sleep(0.1)
    os.close(port)
    await asyncio.sleep(0.4)
    assert {(row.why, row.delivered) for row in ledger(plant)} == {("late", False)}
    port = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    await asyncio.sleep(0.1)
    with pytest.raises(BlockingIOError):
        os.read(port, 100)
    os.close(port)


class RawPort:
    """A plain serial port on a pty, read with a deadline."""

    def __init__(self, path):
        self._fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self._fd)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self._fd)

    def ask(self, request, *, until, deadline_s=5.0):
        """Send, and read until `until` says of what came that it is all."""
        os.write(self._fd, request)
        held, end = b"", time.monotonic() + deadline_s
        while not until(held):
            left = end - time.monotonic()
            assert left > 0, f"only {held!r} came"
            if select.select([self._fd], [], [], left)[0]:
                held += os.read(self._fd, 4096)
        return held


def on_port(plant, name, act):
    """Blocking serial work in a thread, so that the plant goes on."""

    def work():
        with RawPort(plant.run_dir / name) as port:
            return act(port)

    return asyncio.to_thread(work)


async def test_the_scale_speaks_mt_sics(plant):
    def act(port):
        lines = [
            port.ask(command, until=lambda held: held.endswith(b"\n")) for command in (b"SI\r\n", b"@\r\n", b"?\r\n")
        ]
        return [line.decode() for line in lines]

    weight, serial_number, unknown = await on_port(plant, "ttySCALE", act)
    status, value, unit = weight[2], weight[4:14], weight[15:17]
    assert weight.startswith("S ") and weight.endswith(" kg\r\n") and unit == "kg"
    (row,) = ledger(plant)
    assert (row.value, row.stable, row.unit) == (value.strip(), status == "S", "kg")
    assert serial_number.startswith('I4 A "')
    assert unknown == "ES\r\n"


async def test_a_garbled_weight_holds_no_number(plant):
    fault(plant, "crc", "scale")
    line = await on_port(plant, "ttySCALE", lambda port: port.ask(b"SI\r\n", until=lambda held: held.endswith(b"\n")))
    with pytest.raises(ValueError):
        float(line[4:14])
    assert [(row.why, row.delivered) for row in ledger(plant)] == [("crc", False)]


async def test_the_reader_tells_which_carriers_stand_at_the_door(plant):
    def act(port):
        body = bytes.fromhex("00270003222710")
        start = b"\xbb" + body + bytes((sum(body) & 0xFF, 0x7E))
        return port.ask(start, until=lambda held: held.count(b"\xbb\x02\x22\x00\x11") >= 3, deadline_s=20)

    held = await on_port(plant, "ttyRFID", act)
    at = held.index(b"\xbb\x02\x22\x00\x11")
    frame = held[at : at + 24]
    assert frame[23] == 0x7E and sum(frame[1:22]) & 0xFF == frame[22]
    assert frame[6:8] == b"\x30\x00"
    tags = [row for row in ledger(plant) if row.point == "tag" and row.delivered]
    assert frame[8:20].hex() in {row.value for row in tags}


async def test_a_connection_that_speaks_no_modbus_is_closed(plant):
    bus = plant.endpoints["buses"][0]
    reader, writer = await asyncio.open_connection(bus["host"], bus["port"])
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    with contextlib.suppress(ConnectionError):
        assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()


async def test_requests_in_one_packet_and_in_pieces_are_answered_in_order(plant):
    bus = plant.endpoints["buses"][0]
    stream = b"".join(struct.pack(">HHHBBHH", n, 0, 6, 4, 4, 0, 1) for n in range(50))
    reader, writer = await asyncio.open_connection(bus["host"], bus["port"])
    for at in range(0, len(stream), 37):
        writer.write(stream[at : at + 37])
        await writer.drain()
    answers = await asyncio.wait_for(reader.readexactly(50 * 11), 5)
    writer.close()
    fields = [struct.unpack(">HHHBBBH", answers[at : at + 11]) for at in range(0, 550, 11)]
    assert [(n, value) for n, _, _, _, _, _, value in fields] == [(n, n + 1) for n in range(50)]


async def test_an_answer_for_a_caller_who_hung_up_was_not_delivered(plant):
    bus = plant.endpoints["buses"][0]
    fault(plant, "late", "counter", ms=200)
    _, writer = await asyncio.open_connection(bus["host"], bus["port"])
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.write(struct.pack(">HHHBBHH", 1, 0, 6, 4, 4, 0, 1))
    await writer.drain()
    await asyncio.sleep(0.05)
    writer.close()
    async with asyncio.timeout(5):
        while not ledger(plant):
            await asyncio.sleep(0.05)
    assert [(row.delivered, row.why) for row in ledger(plant)] == [(False, "late")]


async def test_noise_and_echo_stand_before_a_sound_answer(tmp_path):
    path = tmp_path / "plant.yaml"
    path.write_text(PLANT.replace("timing: true", "echo: true"))
    request = rtu_frame(4, bytes.fromhex("0400000001"))
    answer = rtu_frame(4, bytes.fromhex("04020001"))
    async with Plant(load_plan(path), tmp_path / "run", ledger=tmp_path / "ledger.jsonl") as plant:
        fault(plant, "noise", "counter-rtu")
        held = await on_port(plant, "ttyLINE", lambda port: port.ask(request, until=lambda held: held.endswith(answer)))
    assert held.startswith(request)
    assert 1 <= len(held) - len(request) - len(answer) <= 3
    assert [(row.why, row.delivered) for row in ledger(plant)] == [("noise", True)]
