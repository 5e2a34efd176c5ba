"""Many gateways in one process: the real sealer, buffer and uplink of each, and a counter in place of instruments.

    python -m tests.chaos.fleet FOLDER '{"gateways": 20, "points": 10, "period_s": 1.0, "port": 1883, ...}'

Each tick of a gateway is written down before it is handed over: `FOLDER/produced.log`, lines of gateway, tick and UTC ms.
The value of every point in a tick is the tick's number, so that each reading has exactly one place where it belongs.
SIGUSR1 ends the counting, SIGTERM seals what is there and ends. `FOLDER/state.json` says how far everybody is.
"""

import asyncio
import json
import os
import random
import signal
import sys
import time
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from edge.buffer.sqlite import SqliteBuffer
from edge.clock import Clock, MachineTime, Trust
from edge.delivery.sealer import Sealer
from edge.delivery.uplink import Uplink
from edge.identity import load_or_make_key
from ground.mqtt import BrokerSettings
from wire.entries import Quality, Reading
from wire.points import Point, PointTable

PRODUCED, STATE = "produced.log", "state.json"
_STATE_EVERY_S = 0.5


@dataclass(frozen=True)
class Plan:
    """`ports`: where gateways find the broker, in turn; some may lie behind a bad line."""

    gateways: int
    points: int
    period_s: float
    flush_s: float
    ports: list[int]
    quota_bytes: int = 1 << 30


class Member:
    """One gateway. It goes on counting where the log says that it stopped."""

    def __init__(self, folder: Path, number: int, plan: Plan, log: int, executor: Executor, tick: int) -> None:
        self.name = f"fleet-{number:03d}"
        self._plan, self._log, self.tick = plan, log, tick
        self._own = folder / self.name
        self._own.mkdir(exist_ok=True)
        self._table = PointTable(tuple(Point(self.name, f"c{n}", "1", "counter") for n in range(plan.points)))
        key = load_or_make_key(self._own)
        self.clock = Clock(MachineTime(Trust.SYSTEM))
        self.buffer = SqliteBuffer(self._own / "buffer.db", self.name, key, plan.quota_bytes)
        self.buffer.keep_points(self._table)
        self.uplink = Uplink(
            self.buffer,
            BrokerSettings(port=plan.ports[number % len(plan.ports)]),
            gateway=self.name,
            shard="s0",
            points=self._table.digest,
            key=key.public,
            agent="fleet",
            executor=executor,
        )
        self.sealer = Sealer(
            self.buffer,
            self.clock,
            self._table.digest,
            flush_s=plan.flush_s,
            executor=executor,
            on_sealed=self.uplink.wake,
        )
        self._last_at = 0

    @property
    def unsent(self) -> int:
        return self.buffer.next_seq - 1 - self.buffer.acknowledged

    async def run(self) -> None:
        """Not all of them seal at the same moment, as not all of them were switched on at the same moment."""
        await asyncio.sleep(random.uniform(0, self._plan.flush_s))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.sealer.run())
            tasks.create_task(self.uplink.run())

    async def count(self, stop: asyncio.Event) -> None:
        await asyncio.sleep(random.uniform(0, self._plan.period_s))
        while not stop.is_set():
            self.tick += 1
            at = self._last_at = max(self.clock.now_ms(), self._last_at + 1)
            os.write(self._log, f"{self.name} {self.tick} {time.time_ns() // 1_000_000}\n".encode())
            self.sealer.take([Reading(n, at, self.tick, 0, Quality.GOOD, None) for n in range(self._plan.points)])
            await asyncio.sleep(self._plan.period_s)


async def run(folder: Path, plan: Plan) -> None:
    loop = asyncio.get_running_loop()
    silent, end = asyncio.Event(), asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR1, silent.set)
    loop.add_signal_handler(signal.SIGTERM, end.set)
    log = os.open(folder / PRODUCED, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    ticks = last_ticks(folder)
    with ThreadPoolExecutor(4) as executor:
        members = [
            Member(folder, number, plan, log, executor, ticks.get(f"fleet-{number:03d}", 0))
            for number in range(plan.gateways)
        ]
        async with asyncio.TaskGroup() as tasks:
            counting = [tasks.create_task(one.count(silent)) for one in members]
            running = [tasks.create_task(one.run()) for one in members]
            running.append(tasks.create_task(_tell(folder, members, counting)))
            await end.wait()
            silent.set()
            await asyncio.wait(counting)
            await asyncio.gather(*(one.sealer.flush() for one in members))
            for task in running:
                task.cancel()
        for one in members:
            one.buffer.close(is_clean=True)
    os.close(log)


async def _tell(folder: Path, members: list[Member], counting: list[asyncio.Task]) -> None:
    """Written beside and renamed, so that a reader never finds half of it."""
    while True:
        state = {
            "unsent": sum(one.unsent for one in members),
            "most_unsent": max(one.unsent for one in members),
            "is_counting": not all(task.done() for task in counting),
            "pid": os.getpid(),
        }
        draft = folder / f"{STATE}.new"
        draft.write_text(json.dumps(state))
        draft.replace(folder / STATE)
        await asyncio.sleep(_STATE_EVERY_S)


def last_ticks(folder: Path) -> dict[str, int]:
    """How far each gateway had counted when the process ended, however it did."""
    path = folder / PRODUCED
    ticks: dict[str, int] = {}
    if path.exists():
        for line in path.read_text().splitlines():
            name, tick, _ = line.split()
            ticks[name] = int(tick)
    return ticks


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    asyncio.run(run(folder, Plan(**json.loads(sys.argv[2]))))


if __name__ == "__main__":
    main()
