"""Many gateways and one ingest as processes, and the strict verdict on them: each tick has one place where it belongs."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.chaos.fleet import PRODUCED, STATE, Plan
from tests.support import processes
from wire.batch import open_batch
from wire.body import decode_body

CLOCK_SLACK_MS = 250
"""Between the moment that a tick writes down and the time that it carries; a kill may fall between the two."""


class RunningFleet:
    """Call `start`; `stop_all` always."""

    def __init__(
        self,
        folder: Path,
        plan: Plan,
        port: int,
        *,
        database: Path | None = None,
        launchers: Mapping[str, Sequence[str]],
    ) -> None:
        self.folder, self.plan, self.port = folder, plan, port
        self.database = database or folder / "cloud.db"
        self.members = folder / "fleet"
        self.max_unsent = 0
        self.kills: list[int] = []  # UTC ms at which the gateways were killed
        self._launchers = launchers
        self.processes: dict[str, subprocess.Popen] = {}

    def start(self, name: str, **environment: str) -> None:
        if name == "fleet":
            (self.members / STATE).unlink(missing_ok=True)
        arguments = {
            "ingest": ["tests.chaos.ingest", self.database, self.port],
            "fleet": ["tests.chaos.fleet", self.members, json.dumps(asdict(self.plan))],
        }[name]
        starter = self._launchers.get(name, (sys.executable, "-m"))
        self.processes[name] = processes.start([*starter, *arguments], self.folder / f"{name}.log", **environment)

    def end(self, name: str, how: signal.Signals = signal.SIGTERM) -> None:
        process = self.processes.pop(name, None)
        if name == "fleet" and how is signal.SIGKILL:
            self.kills.append(time.time_ns() // 1_000_000)
        if process is not None:
            process.send_signal(how)
            process.wait(60)

    def await_death(self, name: str, timeout_s: float = 60) -> int:
        """Of a process with a fail-point."""
        code = self.processes[name].wait(timeout_s)
        del self.processes[name]
        return code

    def stop_all(self) -> None:
        for name in list(self.processes):
            self.end(name, signal.SIGKILL)

    def finish(self) -> None:
        """Nobody counts any more; all that was counted is sealed and delivered; then all end in good order."""
        self.processes["fleet"].send_signal(signal.SIGUSR1)
        self.wait_until(lambda: self.state().get("is_counting") is False, "nobody counts any more")
        self.pass_time(self.plan.flush_s * 2 + 1)
        self.wait_until(lambda: self.state().get("unsent") == 0, "all is delivered", 180)
        self.end("fleet")
        self.end("ingest")

    def state(self) -> dict[str, Any]:
        try:
            return json.loads((self.members / STATE).read_text())
        except FileNotFoundError:
            return {}

    def wait_until(self, is_so: Callable[[], bool], what: str, timeout_s: float = 60) -> None:
        deadline = time.monotonic() + timeout_s
        while not is_so():
            for name, process in self.processes.items():
                assert process.poll() is None, f"{name} ended:\n{self.tail(name)}"
            assert time.monotonic() < deadline, (
                f"not in {timeout_s} s: {what}\n{self.tail('fleet')}{self.tail('ingest')}"
            )
            self.max_unsent = max(self.max_unsent, self.state().get("most_unsent", 0))
            time.sleep(0.05)

    def pass_time(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        self.wait_until(lambda: time.monotonic() > until, "the time has passed", seconds + 60)

    def readings_stored(self) -> int:
        return self.ask("SELECT count(*) FROM reading", default=0)

    def wait_for_more(self, count: int = 1, timeout_s: float = 60) -> float:
        before, began = self.readings_stored(), time.monotonic()
        self.wait_until(lambda: self.readings_stored() >= before + count, "more readings", timeout_s)
        return time.monotonic() - began

    def tail(self, name: str) -> str:
        path = self.folder / f"{name}.log"
        return "\n".join(path.read_text(errors="replace").splitlines()[-12:]) if path.exists() else ""

    def ask(self, query: str, *values: object, default: Any = None) -> Any:
        try:
            with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)) as database:
                row = database.execute(query, values).fetchone()
        except sqlite3.OperationalError:  # not made yet
            return default
        return row[0] if row else default


@dataclass
class FleetReport:
    """Numbers are readings."""

    produced: int = 0
    committed: int = 0
    stored: int = 0
    lost: int = 0  # not in the cloud, and either seen on a gateway's disk or not excused by a kill
    duplicated: int = 0
    invented: int = 0
    displaced: int = 0  # stored with another time than its own
    unsealed: int = 0  # excused: counted within one flush before a kill, and not on the disk


def judge(fleet: RunningFleet, sealing_ms: int, at_least: dict[str, set[int]] | None = None) -> FleetReport:
    """Tick by tick. `at_least`: what was seen on the disks before something took it away again."""
    most_ms = round(fleet.plan.flush_s * 1000) + sealing_ms
    produced = _produced(fleet.members)
    stored = _stored(fleet.database)
    report, points = FleetReport(), fleet.plan.points
    for name, ticks in produced.items():
        committed = committed_ticks(fleet.members / name / "buffer.db") | (at_least or {}).get(name, set())
        report.produced += len(ticks) * points
        report.committed += len(committed) * points
        unsealed = {
            tick
            for tick, at in ticks.items()
            if tick not in committed and any(0 <= kill - at <= most_ms for kill in fleet.kills)
        }
        report.unsealed += len(unsealed) * points
        owed = ticks.keys() - unsealed
        for point in range(points):
            _compare(report, ticks, owed, stored.get((name, f"c{point}"), []))
    return report


def committed_ticks(buffer: Path) -> set[int]:
    with closing(sqlite3.connect(f"file:{buffer}?mode=ro", uri=True, timeout=10)) as database:
        found = database.execute("SELECT data FROM batch").fetchall()
    ticks: set[int] = set()
    for (data,) in found:
        batch = open_batch(data)
        for series in decode_body(batch.body, batch.header.first_at, batch.header.entries).series:
            if series.point == 0:
                ticks.update(one for one in series.mantissas if one is not None)
    return ticks


def _compare(report: FleetReport, ticks: dict[int, int], owed: AbstractSet[int], rows: list[tuple[int, int]]) -> None:
    kept = {tick for tick, _ in rows}
    report.stored += len(kept)
    report.lost += len(owed - kept)
    report.duplicated += len(rows) - len(kept)
    report.invented += len(kept - ticks.keys())
    report.displaced += sum(abs(at - ticks.get(tick, at)) > CLOCK_SLACK_MS for tick, at in rows)


def _produced(members: Path) -> dict[str, dict[int, int]]:
    found: dict[str, dict[int, int]] = defaultdict(dict)
    for line in (members / PRODUCED).read_text().splitlines():
        name, tick, at = line.split()
        found[name][int(tick)] = int(at)
    return found


def _stored(path: Path) -> dict[tuple[str, str], list[tuple[int, int]]]:
    found: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as database:
        for device, point, value, at in database.execute(
            "SELECT series.device, series.point, reading.value, reading.observed_at"
            " FROM reading JOIN series ON series.id = reading.series_id"
        ):
            found[device, point].append((int(value), at))
    return found
