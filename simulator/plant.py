"""Builds the whole plant from its plan and owns its lifetime."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
import zlib
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from simulator.announce import Announcer, HttpAnnouncer, Silent
from simulator.control import ControlServer
from simulator.faults import FaultBoard
from simulator.instruments import Controller, CounterFace, ModbusFace, Probe, ReaderVoice, ScaleVoice
from simulator.ledger import Ledger
from simulator.modbus_rtu import LineTiming, ModbusRtuLine
from simulator.modbus_tcp import ModbusTcpServer
from simulator.plan import READER_PROFILE, SCALE_PROFILE, BusPlan, DevicePlan, PlantPlan, ScriptLine
from simulator.reader import Reader
from simulator.scale import LoadCell, Scale
from simulator.serial_instrument import SerialInstrument, Voice
from simulator.station import Instrument, Station
from simulator.traffic import DoorReader, Traffic, TruthLog
from simulator.zone_life import ZoneLife

log = logging.getLogger(__name__)

ENDPOINTS_NAME, MOVES_NAME = "plant.json", "moves.jsonl"
_TICK_S = 0.5
_BITS = {"8N1": 10, "7E1": 10, "7O1": 10, "8N2": 11, "8E1": 11, "8O1": 11}


@dataclass(frozen=True, slots=True)
class _Furniture:
    """What the parts of the plant share while it is being built."""

    plan: PlantPlan
    run_dir: Path
    ledger: Ledger
    board: FaultBoard
    zones: dict[str, ZoneLife]


class Plant:
    """An async context manager: when entered, every line can be spoken to; `run` lets time pass until cancelled."""

    def __init__(
        self,
        plan: PlantPlan,
        run_dir: Path,
        *,
        ledger: Path | None = None,
        cloud: str | None = None,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self.plan, self.run_dir = plan, run_dir
        self.board = FaultBoard([device.id for device in plan.devices()], [zone.id for zone in plan.zones])
        self.zones = {
            zone.id: ZoneLife(zone, plan.seed, plan.outside_celsius, plan.physics_speed) for zone in plan.zones
        }
        self.endpoints: dict[str, Any] = {}
        self._ledger_path, self._now_ms = ledger, now_ms
        self._announcer = HttpAnnouncer(cloud) if cloud else None
        self._faces: list[ModbusFace] = []
        self._readers: list[DoorReader] = []
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self.run_dir.mkdir(parents=True, exist_ok=True)
            ledger = Ledger(self._ledger_path)
            stack.callback(ledger.close)
            furniture = _Furniture(self.plan, self.run_dir, ledger, self.board, self.zones)
            buses = [await self._open(bus, furniture, stack) for bus in self.plan.buses]
            await stack.enter_async_context(ControlServer(self.run_dir, self.board))
            self.endpoints = {"plant": self.plan.plant, "ledger": str(self._ledger_path or ""), "buses": buses}
            self._write_endpoints()
            stack.callback((self.run_dir / ENDPOINTS_NAME).unlink, missing_ok=True)
            self._tick(0.0)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._live(), name="rooms")
            tasks.create_task(self._follow_script(), name="script")
            if self.plan.flow is not None:
                tasks.create_task(self._move_goods(), name="traffic")
            if self._announcer is not None:
                tasks.create_task(self._announcer.run(), name="announcer")

    async def _open(self, bus: BusPlan, furniture: _Furniture, stack: AsyncExitStack) -> dict[str, Any]:
        """Open one bus; returns its entry for plant.json."""
        entry: dict[str, Any] = {"id": bus.id, "kind": bus.kind}
        if bus.kind == "modbus_tcp":
            server = ModbusTcpServer(self._station(bus), furniture.ledger, bus.host, bus.port)
            await stack.enter_async_context(server)
            entry |= {"host": server.host, "port": server.port}
        else:
            assert bus.tty is not None
            link = self.run_dir / bus.tty
            stack.enter_context(self._line(bus, link, furniture))
            entry |= {"tty": str(link.absolute()), "baud": bus.baud, "format": bus.format}
        entry["devices"] = [
            {"id": d.id, "profile": d.profile, "unit_id": d.unit_id, "zone": d.zone} for d in bus.devices
        ]
        return entry

    def _station(self, bus: BusPlan) -> Station:
        units = {}
        for device in bus.devices:
            assert device.unit_id is not None
            face = _face(device, self.plan.seed, self.zones)
            self._faces.append(face)
            units[device.unit_id] = Instrument(device.id, face.registers, device.turnaround_ms)
        return Station(units, self.board.of, random.Random(f"{self.plan.seed}/{bus.id}/faults"))

    def _line(self, bus: BusPlan, link: Path, furniture: _Furniture) -> ModbusRtuLine | SerialInstrument:
        chance = random.Random(f"{self.plan.seed}/{bus.id}/line")
        if bus.kind == "modbus_rtu":
            timing = LineTiming(_BITS[bus.format] / bus.baud if bus.timing else 0.0)
            return ModbusRtuLine(link, self._station(bus), furniture.ledger, timing, chance, echo=bus.echo)
        device = bus.devices[0]
        return SerialInstrument(
            device.id,
            link,
            self._voice(device, chance),
            furniture.ledger,
            lambda: self.board.of(device.id),
            chance,
            lambda: self._now_ms() / 1000,
        )

    def _voice(self, device: DevicePlan, chance: random.Random) -> Voice:
        if device.profile == SCALE_PROFILE:
            scale = Scale(LoadCell(self.plan.seed), f"B{zlib.crc32(device.id.encode()):010d}")
            return ScaleVoice(scale, lambda: self.board.of(device.id))
        assert device.profile == READER_PROFILE
        reader = Reader(chance, device.read_share)
        self._readers.append(DoorReader(device, reader))
        return ReaderVoice(reader)

    def _write_endpoints(self) -> None:
        path = self.run_dir / ENDPOINTS_NAME
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(self.endpoints, indent=1) + "\n")
        fresh.replace(path)

    async def _live(self) -> None:
        """Steps follow the loop's clock: a jump of the wall clock ages no room."""
        loop = asyncio.get_running_loop()
        before = loop.time()
        while True:
            await asyncio.sleep(_TICK_S)
            now = loop.time()
            self._tick(now - before)
            before = now

    def _tick(self, dt_s: float) -> None:
        utc_s = self._now_ms() / 1000
        for zone in self.zones.values():
            zone.advance(utc_s, dt_s, self.board)
        for face in self._faces:
            face.show(self.board.of(face.device))

    async def _follow_script(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for line in self.plan.script:
                tasks.create_task(self._play(line), name=f"script {line.fault} {line.target}")

    async def _play(self, line: ScriptLine) -> None:
        await asyncio.sleep(line.at_s)
        log.info("script: %s %s", line.fault, line.target)
        self.board.set(line.fault, line.target, rate=line.rate, ms=line.ms, code=line.code)
        if line.for_s is None:
            return
        await asyncio.sleep(line.for_s)
        log.info("script: %s %s is over", line.fault, line.target)
        self.board.clear(line.target, line.fault)

    async def _move_goods(self) -> None:
        assert self.plan.flow is not None
        announcer: Announcer = self._announcer or Silent()
        truth = TruthLog(self.run_dir / MOVES_NAME)
        try:
            await Traffic(
                self.plan.flow, self.plan.seed, self.zones, self._readers, announcer, truth, self._now_ms
            ).run()
        finally:
            truth.close()


def _face(device: DevicePlan, seed: int, zones: dict[str, ZoneLife]) -> ModbusFace:
    assert device.unit_id is not None
    if device.profile == "generic-counter-10":
        return CounterFace(device.id)
    assert device.zone is not None
    zone = zones[device.zone]
    if device.profile == "generic-refrigeration-controller":
        return Controller(device.id, device.unit_id, zone)
    return Probe(device.id, device.unit_id, zone, device.offset, random.Random(f"{seed}/{device.id}"))
