"""The whole path as separate processes, as in the field: broker, cloud, plant, gateways, in a folder of its own."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bench.machine import Usage

GATEWAY = "gw-01"
SCRATCH = Path("/var/tmp")  # a disk: /tmp is memory on many machines, and fsync is what is measured
_END_S = 15.0


class RigFailed(Exception):
    """A process of the rig did not come up, or ended by itself; the text holds the end of its log."""


@dataclass
class Rig:
    """Processes by name; each logs into the folder. Use `rig()`, which ends them all, last first."""

    folder: Path
    broker_port: int = 0
    page_port: int = 0
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def database(self) -> Path:
        return self.folder / "cloud.db"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.page_port}"

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger.jsonl"

    def start(self, name: str, command: Sequence[str | Path]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def coldlink(self, name: str, *arguments: str | Path) -> None:
        self.start(name, [sys.executable, "-m", "coldlink", *arguments])

    def broker(self) -> None:
        self.broker_port = free_port()
        settings = self.folder / "mosquitto.conf"
        settings.write_text(
            f"listener {self.broker_port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
            "max_queued_messages 10000\nset_tcp_nodelay true\nlog_dest stderr\n"
        )
        self.start("broker", [_mosquitto(), "-c", settings])
        self.wait_for("broker", lambda: is_listening(self.broker_port), 10)

    def cloud(self, **more: Any) -> None:
        """`more` goes into the settings, e.g. `site`."""
        self.page_port = free_port()
        settings = {
            "listen": {"port": self.page_port},
            "broker": {"port": self.broker_port},
            "database": f"sqlite:///{self.database.name}",
        }
        self.coldlink("cloud", "cloud", "run", write_yaml(self.folder / "cloud.yaml", settings | more))
        self.wait_for("cloud", lambda: is_listening(self.page_port), 30)

    def plant(self, plan: Path, name: str = "plant", *, has_ledger: bool = False) -> dict[str, Any]:
        """Where its instruments can be reached."""
        run_dir = self.folder / name
        ledger = ("--ledger", self.ledger) if has_ledger else ()
        self.coldlink(name, "sim", "run", plan, "--run", run_dir, *ledger)
        self.wait_for(name, (run_dir / "plant.json").exists, 30)
        endpoints: dict[str, Any] = json.loads((run_dir / "plant.json").read_text())
        return endpoints

    def gateway(self, settings: dict[str, Any]) -> None:
        name = settings["gateway"]
        self.coldlink(name, "edge", "run", write_yaml(self.folder / f"{name}.yaml", settings))

    def pid(self, name: str) -> int:
        return self.processes[name].pid

    def usage(self, name: str) -> Usage:
        return Usage.of(self.pid(name))

    def stop(self, name: str) -> None:
        process = self.processes.pop(name)
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def sleep(self, seconds: float) -> None:
        """Raises RigFailed when a process ends meanwhile."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._check()
            time.sleep(min(left, 1.0))
        self._check()

    def wait_for(self, what: str, is_so: Callable[[], bool], timeout_s: float, every_s: float = 0.1) -> None:
        deadline = time.monotonic() + timeout_s
        while not is_so():
            self._check()
            if time.monotonic() > deadline:
                raise RigFailed(f"{what}: not within {timeout_s:.0f} s")
            time.sleep(every_s)

    def ask(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """What is in the cloud's database, by a connection of our own."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=30)) as database:
            return database.execute(sql, values).fetchall()

    def _check(self) -> None:
        for name, process in self.processes.items():
            if process.poll() is not None:
                tail = (self.folder / f"{name}.log").read_text(errors="replace").splitlines()[-8:]
                raise RigFailed("\n  ".join([f"{name} ended with code {process.returncode}:", *tail]))


@contextmanager
def rig() -> Iterator[Rig]:
    folder = Path(tempfile.mkdtemp(prefix="coldlink-bench-", dir=SCRATCH))
    one = Rig(folder)
    try:
        yield one
    finally:
        for name in reversed(list(one.processes)):
            one.stop(name)
        shutil.rmtree(folder)


def gateway_settings(
    rig: Rig, buses: list[dict[str, Any]], *, name: str = GATEWAY, broker_port: int = 0, **more: Any
) -> dict[str, Any]:
    """As an installer would write them; `more` may replace any key."""
    return {
        "gateway": name,
        "broker": {"port": broker_port or rig.broker_port},
        "data_dir": str(rig.folder / f"{name}-data"),
        "clock": "system",
        "buses": buses,
    } | more


def buses_of(endpoints: dict[str, Any], period_s: float) -> list[dict[str, Any]]:
    """Every Modbus TCP instrument that a plant says it has, all in one period."""
    return [
        {
            "id": bus["id"],
            "kind": "modbus_tcp",
            "host": bus["host"],
            "port": bus["port"],
            "devices": [
                {"id": one["id"], "profile": one["profile"], "unit_id": one["unit_id"], "period_s": period_s}
                for one in bus["devices"]
            ],
        }
        for bus in endpoints["buses"]
    ]


def counters_plan(path: Path, devices: int) -> Path:
    """So many Modbus TCP devices of ten registers each, every one on a port of its own."""
    bus = {
        "id": "tcp-{n}",
        "kind": "modbus_tcp",
        "repeat": devices,
        "devices": [{"id": "counter-{n}", "profile": "generic-counter-10", "unit_id": 1}],
    }
    return write_yaml(path, {"plant": "counters", "name": {"vi": "Bộ đếm", "en": "Counters"}, "buses": [bus]})


def write_yaml(path: Path, content: dict[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), "utf-8")
    return path


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def is_listening(port: int) -> bool:
    with socket.socket() as one:
        one.settimeout(0.5)
        return one.connect_ex(("127.0.0.1", port)) == 0


def _mosquitto() -> str:
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise RigFailed("mosquitto is needed: apt-get install mosquitto")
    return found
