"""Bytes on the wire per reading: 60 channels at 1 Hz, flushed every 5 s, live lane off.

Values wander by a tenth of a degree as a cold store does. Registers that are read together share their times, so ten a
request is cheapest; one is what sixty single-value transmitters would cost. Three agents run beside each other, each
through a proxy that counts what it sends to the broker and what comes back.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from pathlib import Path
from struct import Struct

from bench.figures import Figure
from bench.loop_thread import LoopThread, loop_thread
from bench.rig import Rig, gateway_settings, rig, write_yaml
from bench.sealed import wander
from edge.drivers.modbus import READ_INPUT_REGISTERS, read_request, with_crc
from simulator.faults import HEALTHY
from simulator.ledger import Ledger
from simulator.modbus import ReadRequest
from simulator.modbus_tcp import ModbusTcpServer
from simulator.registers import Block
from simulator.station import Instrument, Station

NAME = "wire_bytes"
SECONDS = 60.0
CHANNELS = 60
REGISTERS_PER_REQUEST = (10, 2, 1)
_WARM_UP_S = 12.0
_SETTLED_MS = 1000  # after a batch is committed, its acknowledgement has long gone back
_SEGMENT_BYTES = 1448  # of payload: Ethernet's 1500 less IPv4, TCP and its timestamps
_HEADER_BYTES = 52  # IPv4 20, TCP 20, timestamps 12
_BATCHES = (
    "SELECT received_at, entries, length(payload) FROM batch JOIN gateway ON gateway.id = batch.gateway_id"
    " WHERE gateway.name = ? AND received_at >= ? ORDER BY seq"
)


def run(seconds: float = SECONDS) -> list[Figure]:
    with loop_thread() as thread, rig() as one:
        one.broker()
        one.cloud()
        proxies = {count: _start(one, thread, count) for count in REGISTERS_PER_REQUEST}
        one.sleep(_WARM_UP_S)
        from_ms = time.time_ns() // 1_000_000
        one.sleep(seconds + 6)  # one flush more: it is counted from batch to batch
        return [
            figure
            for count, proxy in proxies.items()
            for figure in _figures(count, proxy, one.ask(_BATCHES, _name(count), from_ms))
        ]


def _figures(count: int, proxy: Proxy, batches: list[tuple[int, int, int]]) -> list[Figure]:
    """From the first batch, not counted, to the last."""
    begin, end = batches[0][0] + _SETTLED_MS, batches[-1][0] + _SETTLED_MS
    readings = sum(entries for _, entries, _ in batches[1:])
    payload = sum(size for _, _, size in batches[1:])
    chunks = [chunk for chunk in proxy.chunks if begin <= chunk.at_ms < end]
    mqtt = sum(chunk.size for chunk in chunks)
    up = sum(chunk.size for chunk in chunks if chunk.is_up)
    # Each segment is acknowledged by one without payload: the most that TCP can cost.
    ip = mqtt + 2 * _HEADER_BYTES * sum(-(-chunk.size // _SEGMENT_BYTES) for chunk in chunks)
    label = f"{count} a request"
    per_batch = f"{readings / (len(batches) - 1):.0f} readings and {payload / (len(batches) - 1):.0f} bytes a batch"
    return [
        Figure(NAME, f"{label}: batches", payload / readings, "B/reading", aim=3, note=per_batch),
        Figure(
            NAME, f"{label}: with MQTT", up / readings, "B/reading", note=f"and acknowledgements: {mqtt / readings:.2f}"
        ),
        Figure(
            NAME,
            f"{label}: with TCP/IP",
            ip / readings,
            "B/reading",
            note="both ways, every segment acknowledged alone",
        ),
    ]


# ---- one gateway with its instruments


def _start(rig: Rig, thread: LoopThread, count: int) -> Proxy:
    proxy = Proxy(rig.broker_port)
    port = thread.call(proxy.start())
    server = ModbusTcpServer(_station(count, thread), Ledger(None), "127.0.0.1", 0)
    thread.enter(server)
    devices = [
        {"id": f"room-{unit}", "profile": f"bench-rooms-{count}", "unit_id": unit, "period_s": 1.0}
        for unit in range(1, CHANNELS // count + 1)
    ]
    bus = {"id": "rooms", "kind": "modbus_tcp", "host": server.host, "port": server.port, "devices": devices}
    profiles = _write_profile(rig.folder / "profiles", count)
    settings = gateway_settings(
        rig, [bus], name=_name(count), broker_port=port, live="off", flush_s=5, profiles_dir=str(profiles)
    )
    rig.gateway(settings)
    return proxy


def _name(count: int) -> str:
    return f"gw-{count:02d}"


def _station(count: int, thread: LoopThread) -> Station:
    dice = random.Random(count)
    rooms = [Rooms(count, dice) for _ in range(CHANNELS // count)]
    asyncio.run_coroutine_threadsafe(_let_time_pass(rooms), thread.loop)
    units = {number: Instrument(f"room-{number}", room) for number, room in enumerate(rooms, 1)}
    return Station(units, lambda _device: HEALTHY, dice)


async def _let_time_pass(rooms: list[Rooms]) -> None:
    while True:
        await asyncio.sleep(1)
        for room in rooms:
            room.step()


class Rooms:
    """Input registers 0 and up: temperatures in tenths that step or (half of the times) rest each second."""

    frozen = False

    def __init__(self, count: int, dice: random.Random) -> None:
        self._values = [dice.randrange(-250, 100) for _ in range(count)]
        self._dice = dice
        self._pack = Struct(f">{count}h").pack

    def step(self) -> None:
        wander(self._values, self._dice)

    def read(self, _request: ReadRequest) -> Block:
        return Block(self._pack(*self._values), "", "")


def _write_profile(folder: Path, count: int) -> Path:
    folder.mkdir(exist_ok=True)
    name = f"bench-rooms-{count}"
    points = [
        {"key": f"t{n}", "table": "input", "address": n, "type": "s16", "scale": "0.1", "unit": "degC"}
        | {
            "quantity": "air_temperature",
            "range": {"min": -60, "max": 90},
            "invalid": [{"raw": 0x8000, "reason": "probe_open"}],
        }
        | {"source": "bench"}
        for n in range(count)
    ]
    write_yaml(
        folder / f"{name}.yaml",
        {
            "profile_version": 1,
            "meta": {
                "id": name,
                "vendor": "bench",
                "model": name,
                "class": "test_equipment",
                "status": "draft",
                "sources": [{"id": "bench", "kind": "own", "ref": "bench/wire_bytes.py", "verified": True}],
            },
            "link": {"transport": "modbus_tcp", "timeout_ms": 500, "functions": {"read": [4]}},
            "points": points,
            "tests": [_golden_frame(count)],
        },
    )
    return folder


def _golden_frame(count: int) -> dict[str, object]:
    request = read_request(1, READ_INPUT_REGISTERS, 0, count)
    response = with_crc(
        bytes((1, READ_INPUT_REGISTERS, 2 * count)) + Struct(f">{count}h").pack(*range(-190, count - 190))
    )
    expect = {f"t{n}": str((n - 190) / 10) for n in range(count)}
    return {"request": request.rtu.hex(), "response": response.hex(), "expect": expect, "origin": "computed"}


# ---- what travels


@dataclass(frozen=True)
class Chunk:
    at_ms: int
    size: int
    is_up: bool


@dataclass
class Proxy:
    """Between one agent and the broker; notes when how many bytes went which way."""

    broker_port: int
    chunks: list[Chunk] = field(default_factory=list)

    async def start(self) -> int:
        """Returns its port."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port: int = server.sockets[0].getsockname()[1]
        return port

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_broker, to_broker = await asyncio.open_connection("127.0.0.1", self.broker_port)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._pass_on(reader, to_broker, is_up=True))
            tasks.create_task(self._pass_on(from_broker, writer, is_up=False))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_up: bool) -> None:
        try:
            while chunk := await reader.read(1 << 16):
                self.chunks.append(Chunk(time.time_ns() // 1_000_000, len(chunk), is_up))
                writer.write(chunk)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()
