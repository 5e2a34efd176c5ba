"""A serial line against its own physics: how much longer a poll cycle takes than the characters need.

    python bench/bus.py [--seconds S]      the serial lines alone; run.py --only bus adds 100 Modbus TCP devices

Ten devices of ten registers in two blocks on one simulated line that takes the time its characters take; each device
turns round in 10 ms. The poller runs in this process and asks without pause. The least a cycle can take, after Modbus
over Serial Line V1.02, 2.5.1.1: for each block 8 characters there, 3.5 of silence, the turn-round, 15 characters back,
3.5 of silence.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf
from pathlib import Path
from statistics import fmean
from typing import Any

import msgspec

from bench.edge_load import measure
from bench.figures import Figure, as_table
from bench.rig import Rig, rig, write_yaml
from edge.config import EdgeConfig, Gateway, ModbusDevice, ModbusRtuBus
from edge.lines.poller import make_poller
from edge.profiles.profile import Profile, load_profile, profile_files, profiles_dir
from simulator.control import ask
from wire.entries import Quality, Reading

NAME = "bus"
SECONDS = 40.0
BAUDS = (9600, 19200)
DEVICES, REGISTERS, BLOCKS = 10, 10, 2
TURNAROUND_MS, TIMEOUT_MS = 10, 300  # the time-out is that of the shipped profiles of such instruments
_PROFILE = "generic-counter-10"
_FLAT_OUT_S = 0.02  # shorter than any cycle: the line is never idle
_WARM_UP_CYCLES, _UNTIL_OFFLINE_CYCLES = 2, 2
_DEAD = "counter-5"


def run(seconds: float = SECONDS) -> list[Figure]:
    return [*serial_lines(seconds), *_tcp(seconds)]


def serial_lines(seconds: float) -> list[Figure]:
    return [figure for baud in BAUDS for figure in _serial_line(baud, seconds)]


def least_cycle_s(baud: int) -> float:
    """Of all ten devices, 8N1: ten bits a character."""
    character_s = 10 / baud
    silence_s = 3.5 * character_s
    answer = 5 + 2 * REGISTERS // BLOCKS
    return DEVICES * BLOCKS * ((8 + answer) * character_s + 2 * silence_s + TURNAROUND_MS / 1000)


@dataclass
class Course:
    """When each device's cycles ended; only those with values."""

    ends: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))

    def take(self, readings: Sequence[Reading]) -> None:
        if readings[0].quality is Quality.GOOD:
            self.ends[readings[0].point // REGISTERS].append(time.perf_counter())

    def cycles(self, since: float, until: float, *, leave_out: int, without: int | None = None) -> list[float]:
        """From one end to the next; `leave_out` is how many of the first after `since` do not count."""
        found: list[float] = []
        for device, ends in self.ends.items():
            inside = [end for end in ends if since <= end < until]
            if device != without:
                found += [after - before for before, after in pairwise(inside)][leave_out:]
        return found


@dataclass(frozen=True)
class Line:
    """What one run on one line came to; seconds."""

    baud: int
    healthy: list[float]  # cycles of all ten
    bereft: list[float]  # cycles of the nine, from the third on after the tenth died
    answer_s: float  # from sending a request to having its answer, mean of the living

    @property
    def cycle_s(self) -> float:
        return fmean(self.healthy)

    @property
    def character_s(self) -> float:
        return 10 / self.baud

    @property
    def least_s(self) -> float:
        return least_cycle_s(self.baud)

    @property
    def late_s(self) -> float:
        """How much later than physics an answer comes: the simulator's part, and that of whoever else runs here."""
        return self.answer_s - (self.least_s / DEVICES / BLOCKS - 3.5 * self.character_s)

    @property
    def own_s(self) -> float:
        """What the poller adds to each request."""
        return (self.cycle_s - self.least_s) / DEVICES / BLOCKS - self.late_s


def _serial_line(baud: int, seconds: float) -> list[Figure]:
    with rig() as one:
        tty = one.plant(_plan(one.folder / "plant.yaml", baud))["buses"][0]["tty"]
        line = asyncio.run(_poll(one, tty, baud, seconds))
    mean = 100 * (fmean(line.bereft) / line.cycle_s - 1)
    worst = 100 * (max(line.bereft) / line.cycle_s - 1)
    over, usual = (_share_over(cycles, 1.1 * line.cycle_s) for cycles in (line.bereft, line.healthy))
    return [
        Figure(
            NAME,
            f"{baud} Bd: cycle / least",
            line.cycle_s / line.least_s,
            "",
            aim=1.05,
            note=f"{1000 * line.cycle_s:.1f} of {1000 * line.least_s:.1f} ms; longest {1000 * max(line.healthy):.0f}",
        ),
        Figure(
            NAME,
            f"{baud} Bd: without simulator's delay",
            1 + line.own_s * DEVICES * BLOCKS / line.least_s,
            "",
            note=f"{1000 * line.own_s:.2f} ms a request are the poller's, {1000 * line.late_s:.2f} the simulator's",
        ),
        Figure(
            NAME,
            f"{baud} Bd: growth, one dead",
            mean,
            "%",
            aim=10,
            note=f"mean of the nine; worst {worst:+.0f} %; above 10 %: {over:.1%} of cycles, {usual:.1%} when all live",
        ),
    ]


def _share_over(cycles: Sequence[float], limit: float) -> float:
    return sum(cycle > limit for cycle in cycles) / len(cycles)


async def _poll(rig: Rig, tty: str, baud: int, seconds: float) -> Line:
    """Half of the time all are well, half of the time one is dead."""
    course, gateway = Course(), _gateway(tty, baud)
    bus = gateway.config.buses[0]
    assert isinstance(bus, ModbusRtuBus)
    index_of = {(point.device, point.key): number for number, point in enumerate(gateway.points())}
    poller = make_poller(bus, gateway, index_of, course.take, lambda: time.time_ns() // 1_000_000)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(poller.run(), name="poller")
        began = time.perf_counter()
        await asyncio.sleep(seconds / 2)
        await asyncio.to_thread(ask, rig.folder / "plant", {"do": "fault", "kind": "dead", "target": _DEAD})
        died_at = time.perf_counter()
        await asyncio.sleep(seconds / 2)
        poller.stop()
    living = [one for name, one in poller.statistics.items() if name != _DEAD]
    return Line(
        baud,
        course.cycles(began, died_at, leave_out=_WARM_UP_CYCLES),
        course.cycles(died_at, inf, leave_out=_UNTIL_OFFLINE_CYCLES, without=_index(_DEAD)),
        sum(one.busy_s for one in living) / sum(one.requests for one in living),
    )


def _index(device: str) -> int:
    return int(device.rpartition("-")[2]) - 1


def _gateway(tty: str, baud: int) -> Gateway:
    """Made by hand: `check` rightly refuses periods that no line can keep."""
    devices = tuple(
        ModbusDevice(id=f"counter-{n}", profile=_PROFILE, unit_id=n, period_s=_FLAT_OUT_S, timeout_ms=TIMEOUT_MS)
        for n in range(1, DEVICES + 1)
    )
    bus = ModbusRtuBus(id="line", port=tty, baud=baud, devices=devices)
    return Gateway(EdgeConfig(gateway="bench", buses=(bus,)), {_PROFILE: _profile()})


def _profile() -> Profile:
    """The counters, five registers a read."""
    whole = load_profile(profile_files(profiles_dir())[_PROFILE])
    link = msgspec.structs.replace(whole.link, max_read_registers=REGISTERS // BLOCKS)
    return msgspec.structs.replace(whole, link=link)


def _plan(path: Path, baud: int) -> Path:
    devices = [
        {"id": f"counter-{n}", "profile": _PROFILE, "unit_id": n, "turnaround_ms": TURNAROUND_MS}
        for n in range(1, DEVICES + 1)
    ]
    bus: dict[str, Any] = {"id": "line", "kind": "modbus_rtu", "tty": "ttyLINE", "baud": baud, "timing": True}
    name = {"vi": "Bộ đếm", "en": "Counters"}
    return write_yaml(path, {"plant": "counters", "name": name, "buses": [bus | {"devices": devices}]})


def _tcp(seconds: float) -> list[Figure]:
    """100 Modbus TCP devices at an ordinary pace; edge_max looks for the highest."""
    with rig() as one:
        load = measure(one, devices=100, period_s=1.0, seconds=seconds)
    return [
        Figure(NAME, "100 TCP devices, 1 Hz", load.readings_per_s, "1/s", note=f"{load.missed_share:.2%} missed"),
        Figure(NAME, "100 TCP devices, 1 Hz: cpu", load.cpu_s_per_1000, "s/1000 readings"),
        Figure(NAME, "100 TCP devices, 1 Hz: rss", load.rss_mib, "MiB", note=f"PSS {load.pss_mib:.1f} MiB"),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for each baud rate (default: %(default)g)")
    print(as_table(serial_lines(parser.parse_args().seconds)))
