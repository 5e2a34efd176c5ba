"""Plant, gateway, broker and cloud as separate processes from settings files, each of which can be killed and started."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import yaml

from coldlink.demo import settings
from tests.support import processes
from tests.support.broker import free_port
from tests.support.committed import CommittedAtEdge, stored_readings
from tests.support.processes import ROOT

FLUSH_S = 1.0
_UNSENT_EVERY_S = 0.5


def plant_plan(*, seed: int, counters: int, rooms: int, physics_speed: float) -> dict[str, Any]:
    """Counters and rooms behind one TCP gateway, two probes on a serial line, a scale."""
    names = [f"kho-{number}" for number in range(1, rooms + 1)]
    return {
        "plant": "small",
        "name": {"vi": "Nhỏ", "en": "Small"},
        "seed": seed,
        "physics_speed": physics_speed,
        "outside_celsius": 28,
        "zones": [_room("kho-lanh-b", "cold_store"), _room("dong-goi", "work_room")]
        + [_room(name, "cold_store") for name in names],
        "buses": [
            {
                "id": "tcp-1",
                "kind": "modbus_tcp",
                "devices": [
                    {"id": f"counter-{n}", "profile": "generic-counter-10", "unit_id": n}
                    for n in range(1, counters + 1)
                ]
                + [
                    {"id": f"{name}-probe", "profile": "generic-xy-md02", "zone": name, "unit_id": 100 + n}
                    for n, name in enumerate(names)
                ],
            },
            {
                "id": "line-1",
                "kind": "modbus_rtu",
                "tty": "ttyLINE1",
                "baud": 9600,
                "devices": [
                    {"id": "kho-lanh-b-probe", "profile": "generic-xy-md02", "zone": "kho-lanh-b", "unit_id": 31},
                    {"id": "dong-goi-probe", "profile": "generic-xy-md02", "zone": "dong-goi", "unit_id": 32},
                ],
            },
            {
                "id": "scale-1",
                "kind": "serial",
                "tty": "ttySCALE",
                "devices": [{"id": "dong-goi-scale", "profile": "mettler-mt-sics", "zone": "dong-goi"}],
            },
        ],
    }


def _room(name: str, climate: str) -> dict[str, Any]:
    return {"id": name, "name": {"vi": name, "en": name}, "climate": climate}


class RunningSite:
    """Call `start_all`; `stop_all` always. `broker` is running already.

    Args:
        rooms: cold rooms, each with a probe and a limit that a dead compressor exceeds within seconds.
        gateway_broker: where the gateway finds the broker, if not where it is: a bad line in between.
        gateway_data, database: if they are to lie on another file system.
        within: what starts a process somewhere else, such as `ip netns exec NAME`, by its name.
        launchers: what starts a module instead of `python -m`, by the name of the process.
    """

    def __init__(
        self,
        folder: Path,
        broker,
        *,
        seed: int = 1,
        counters: int = 8,
        rooms: int = 0,
        period_s: float = 0.5,
        gateway_broker: tuple[str, int] | None = None,
        gateway_data: Path | None = None,
        database: Path | None = None,
        within: Mapping[str, Sequence[str]] | None = None,
        launchers: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.folder, self.broker, self.seed = folder, broker, seed
        self.processes: dict[str, subprocess.Popen] = {}
        self.period_s = period_s
        self.ledger = folder / "ledger.jsonl"
        self.page_port = free_port()
        self.max_unsent = 0
        self._launchers, self._within = launchers or {}, within or {}
        self._unsent_at = 0.0
        self._gateway_broker = gateway_broker or ("127.0.0.1", broker.port)
        self.gateway_file = folder / "gateway" / "gateway.yaml"
        self.gateway_data = gateway_data or folder / "gateway" / "data"
        self.buffer = self.gateway_data / "buffer.db"
        self.committed = CommittedAtEdge(self.buffer)
        self.plant_file = folder / "plant.yaml"
        plan = plant_plan(seed=seed, counters=counters, rooms=rooms, physics_speed=200 if rooms else 20)
        self.plant_file.write_text(yaml.safe_dump(plan, allow_unicode=True))
        self.cloud_file = folder / "cloud" / "cloud.yaml"
        self.database = database or folder / "cloud" / "coldlink.db"
        site = folder / "cloud" / "site.yaml"
        settings.write_cloud(self.cloud_file, page_port=self.page_port, broker_port=broker.port, site=site)
        change_yaml(self.cloud_file, database=f"sqlite:///{self.database}")
        site.write_text(yaml.safe_dump(site_description(rooms), allow_unicode=True))

    # ---- processes

    def start_all(self) -> None:
        self.start("cloud")
        self.start("plant")
        self.wait_until((self.folder / "plant" / "plant.json").exists, "the plant is ready")
        endpoints = json.loads((self.folder / "plant" / "plant.json").read_text())
        host, port = self._gateway_broker
        settings.write_gateway(self.gateway_file, broker_port=port, endpoints=endpoints)
        change_yaml(
            self.gateway_file,
            broker={"host": host, "port": port},
            data_dir=str(self.gateway_data),
            flush_s=FLUSH_S,
            buses=[_paced(bus, self.period_s) for bus in yaml.safe_load(self.gateway_file.read_text())["buses"]],
        )
        self.start("gateway")

    def start(self, name: str, **environment: str) -> None:
        arguments = {
            "cloud": ["cloud", "run", self.cloud_file],
            "plant": ["sim", "run", self.plant_file, "--run", self.folder / "plant", "--ledger", self.ledger],
            "gateway": ["edge", "run", self.gateway_file],
        }[name]
        starter = self._launchers.get(name, (sys.executable, "-m"))
        self.launch(name, [*self._within.get(name, ()), *starter, "coldlink", *arguments], **environment)

    def launch(self, name: str, command: Sequence[object], **environment: str) -> None:
        self.processes[name] = processes.start(command, self.folder / f"{name}.log", **environment)

    def kill(self, name: str) -> None:
        self.committed.look()
        self.end(name, signal.SIGKILL)

    def end(self, name: str, how: signal.Signals = signal.SIGTERM) -> None:
        process = self.processes.pop(name, None)
        if process is not None:
            process.send_signal(how)
            process.wait(30)

    def stop_all(self) -> None:
        for name in list(reversed(self.processes)):
            self.end(name, signal.SIGKILL)

    def finish(self) -> None:
        """The plant falls silent, the gateway seals and delivers what it has, then both end in good order."""
        self.end("plant")
        self.pass_time(3 * FLUSH_S)
        self.end("gateway")
        self.start("gateway")  # delivers what its last flush sealed
        self.wait_until(self.is_delivered, "everything sealed is committed", timeout_s=120)
        self.end("gateway")
        self.committed.look()
        self.end("cloud")

    def audit(self, *arguments: str) -> dict[str, Any]:
        command = [sys.executable, "-m", "coldlink", "audit", "--ledger", self.ledger, "--cloud", self.database]
        done = subprocess.run([*command, "--json", *arguments], capture_output=True, text=True, cwd=ROOT)
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    # ---- waiting

    def wait_until(self, is_so, what: str, timeout_s: float = 60) -> None:
        deadline = time.monotonic() + timeout_s
        while not is_so():
            for name, process in self.processes.items():
                assert process.poll() is None, f"{name} ended:\n{self.tail(name)}"
            assert time.monotonic() < deadline, (
                f"not in {timeout_s} s: {what}\n{self.tail('gateway')}\n{self.tail('cloud')}"
            )
            self._note_unsent()
            time.sleep(0.05)

    def pass_time(self, seconds: float) -> None:
        """Faults last; nothing but time tells when they are over."""
        until = time.monotonic() + seconds
        self.wait_until(lambda: time.monotonic() > until, "the time has passed", seconds + 60)

    def wait_for_more(self, count: int = 50, timeout_s: float = 60) -> float:
        """Until so many more readings are stored; how long the first of them took."""
        before, began = self.readings_stored(), time.monotonic()
        self.wait_until(lambda: self.readings_stored() > before, "readings go on", timeout_s)
        first = time.monotonic() - began
        self.wait_until(lambda: self.readings_stored() > before + count, "many more readings", timeout_s)
        return first

    def wait_for_a_flush(self) -> None:
        sealed = self.sealed()
        self.wait_until(lambda: self.sealed() != sealed, "another flush")

    def tail(self, name: str) -> str:
        path = self.folder / f"{name}.log"
        return "\n".join(path.read_text(errors="replace").splitlines()[-15:]) if path.exists() else ""

    # ---- what is on the disks

    def readings_stored(self) -> int:
        return self.ask_cloud("SELECT count(*) FROM reading", default=0)

    def sealed(self) -> tuple[bytes, int]:
        """The gateway's epoch and the number of its last batch."""
        return sealed_in(self.buffer)

    def is_delivered(self, buffer: Path | None = None) -> bool:
        """Whether the cloud has committed everything that the gateway has sealed."""
        epoch, head = sealed_in(buffer or self.buffer)
        return head > 0 and self.ask_cloud("SELECT through FROM cursor WHERE epoch = ?", epoch) == head

    def unsent_batches(self) -> int:
        epoch, head = self.sealed()
        return head - self.ask_cloud("SELECT through FROM cursor WHERE epoch = ?", epoch, default=0)

    def never_stored(self) -> int:
        """Readings that were seen on the gateway's disk and are not in the cloud."""
        return len(self.committed.readings.difference(stored_readings(self.database)))

    def ask_cloud(self, query: str, *values: object, default: Any = None) -> Any:
        row = _row(self.database, query, *values)
        return row[0] if row else default

    def ask_cloud_all(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)) as database:
            return database.execute(query).fetchall()

    def _note_unsent(self) -> None:
        if time.monotonic() - self._unsent_at > _UNSENT_EVERY_S and self.buffer.exists():
            self._unsent_at = time.monotonic()
            self.max_unsent = max(self.max_unsent, self.unsent_batches())


def sealed_in(buffer: Path) -> tuple[bytes, int]:
    """Epoch and number of the last batch."""
    return _row(
        buffer,
        "SELECT epoch.id, coalesce(max(batch.id) & ((1 << 40) - 1), 0) FROM epoch LEFT JOIN batch"
        " ON batch.id >> 40 = epoch.no GROUP BY epoch.no ORDER BY epoch.no DESC LIMIT 1",
    ) or (b"", 0)


def resident_mib(pid: int) -> int:
    """The most that it ever held."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) >> 10


def site_description(rooms: int) -> dict[str, Any]:
    """Limits that a room in order keeps by degrees, so that every alarm is one that a fault made."""
    limit = {"key": "high", "kind": "above", "setpoint": -15, "deadband": "0.5", "on_delay_s": 5, "off_delay_s": 2}
    zones = [
        {
            "key": f"kho-{number}",
            "name": {"vi": f"Kho {number}", "en": f"Store {number}"},
            "points": [{"point": f"{settings.GATEWAY}/kho-{number}-probe/temperature"}],
            "limits": [limit | {"severity": "high"}],
        }
        for number in range(1, rooms + 1)
    ]
    return {"key": "small", "name": {"vi": "Nhỏ", "en": "Small"}, "since": "2025-01-01", "zones": zones}


def change_yaml(path: Path, **changes: Any) -> None:
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | changes, sort_keys=False, allow_unicode=True))


def _paced(bus: dict[str, Any], period_s: float) -> dict[str, Any]:
    if bus["kind"] == "serial":
        return bus
    return bus | {"devices": [device | {"period_s": period_s} for device in bus["devices"]]}


def _row(path: Path, query: str, *values: object):
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as database:
            return database.execute(query, values).fetchone()
    except sqlite3.OperationalError:  # not made yet
        return None
