"""Builds the agent from its settings and owns its lifetime. No decisions here; nothing imports this but the command.

pollers, listeners, health --entries--> sealer --batches--> buffer --flights--> uplink
                               \\--newest--> live lane ----------------------------/
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from edge import watchdog
from edge.buffer.sqlite import SqliteBuffer
from edge.clock import Clock, MachineTime
from edge.config import Gateway, LiveSettings, SerialBus
from edge.delivery.live import LiveLane
from edge.delivery.resume import opening_entries
from edge.delivery.sealer import Sealer
from edge.delivery.uplink import Uplink
from edge.health import POINTS as HEALTH_POINTS
from edge.health import HealthSources
from edge.health import report as report_health
from edge.identity import load_or_make_key
from edge.instruments.instrument import Instrument
from edge.instruments.listener import make_instrument
from edge.lines.poller import Poller, make_poller
from edge.local.control import ControlServer
from ground import __version__
from wire.entries import Entry
from wire.points import PointTable

log = logging.getLogger(__name__)

BUFFER_NAME = "buffer.db"
_STOP_S = 5.0  # a cycle in hand may take so long to end
_FAREWELL_S = 2.0


def point_table(gateway: Gateway) -> PointTable:
    """The instruments in the order of the settings file, then the gateway itself."""
    return PointTable((*gateway.points(), *HEALTH_POINTS))


async def run(gateway: Gateway) -> None:
    """Until SIGTERM or SIGINT: reads, keeps, sends. What was read is sealed before this returns."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    with ThreadPoolExecutor(1, "buffer") as executor:
        agent = _Agent(gateway, executor)
        try:
            await agent.run(stop)
        finally:
            agent.buffer.close(is_clean=True)
    log.info("stopped; everything read is on disk")


class _Agent:
    """All parts, wired once."""

    def __init__(self, gateway: Gateway, executor: ThreadPoolExecutor) -> None:
        config = gateway.config
        data_dir = Path(config.data_dir)
        data_dir.mkdir(parents=True, exist_ok=True)
        table = point_table(gateway)
        key = load_or_make_key(data_dir)
        self.clock = Clock(MachineTime(config.clock))
        self.buffer = SqliteBuffer(data_dir / BUFFER_NAME, config.gateway, key, config.buffer.max_mb << 20)
        self.buffer.keep_points(table)
        self.uplink = Uplink(
            self.buffer,
            config.broker,
            gateway=config.gateway,
            shard=config.shard,
            points=table.digest,
            key=key.public,
            agent=f"coldlink {__version__}",
            executor=executor,
        )
        self.sealer = Sealer(
            self.buffer,
            self.clock,
            table.digest,
            flush_s=config.flush_s,
            executor=executor,
            on_sealed=self.uplink.wake,
            before_flush=self._ask_for_held,
        )
        self.sealer.take(opening_entries(self.buffer, self.clock))
        self.live = _live_lane(config.live, self.uplink, self.clock, table.digest)
        index_of = {(point.device, point.key): index for index, point in enumerate(table.points)}
        self.instruments: list[Poller | Instrument] = []
        for bus in config.buses:
            if isinstance(bus, SerialBus):
                self.instruments.append(make_instrument(bus, gateway, index_of, self._take, self.clock.now_ms))
            else:
                self.instruments.append(make_poller(bus, gateway, index_of, self._take, self.clock.now_ms))
        self.control = ControlServer(data_dir, config.gateway, self.instruments)
        self.health_sources = HealthSources(self.buffer.fill, self._missed_cycles, data_dir)
        self.first_health_point = len(table.points) - len(HEALTH_POINTS)

    async def run(self, stop: asyncio.Event) -> None:
        await self.sealer.flush()  # from now on it is known up to when nothing was measured
        async with asyncio.TaskGroup() as tasks:
            helpers = [
                tasks.create_task(self.sealer.run(), name="sealer"),
                tasks.create_task(self.uplink.run(), name="uplink"),
                tasks.create_task(watchdog.pat(), name="watchdog"),
                tasks.create_task(self.control.run(), name="control"),
                tasks.create_task(
                    report_health(self.health_sources, self.clock, self.first_health_point, self._take), name="health"
                ),
            ]
            if self.live is not None:
                helpers.append(tasks.create_task(self.live.run(), name="live lane"))
            readers = [
                tasks.create_task(one.run(), name=f"bus {number}") for number, one in enumerate(self.instruments)
            ]
            watchdog.notify("READY=1")
            log.info("reading %d buses", len(self.instruments))
            await stop.wait()
            watchdog.notify("STOPPING=1")
            for instrument in self.instruments:
                instrument.stop()
            await asyncio.wait(readers, timeout=_STOP_S)
            await self.sealer.flush()
            await self._await_delivery()
            for task in (*readers, *helpers):
                task.cancel()

    async def _await_delivery(self) -> None:
        """A short while for the last batch to be heard; what is not stays in the buffer for the next start."""
        deadline = asyncio.get_running_loop().time() + _FAREWELL_S
        while self.uplink.state.is_connected and self.buffer.acknowledged + 1 < self.buffer.next_seq:
            if asyncio.get_running_loop().time() > deadline:
                return
            await asyncio.sleep(0.05)

    def _ask_for_held(self) -> None:
        for instrument in self.instruments:
            if isinstance(instrument, Instrument):
                instrument.give_held()

    def _take(self, entries: Sequence[Entry], *, urgent: bool = False) -> None:
        self.sealer.take(entries, urgent=urgent)
        if self.live is not None:
            self.live.take(entries)

    def _missed_cycles(self) -> int:
        pollers = [one for one in self.instruments if isinstance(one, Poller)]
        return sum(device.missed_cycles for poller in pollers for device in poller.statistics.values())


def _live_lane(settings: object, uplink: Uplink, clock: Clock, points: bytes) -> LiveLane | None:
    if not isinstance(settings, LiveSettings):
        return None
    return LiveLane(uplink.send_live, clock, points, settings.every_ms / 1000)
