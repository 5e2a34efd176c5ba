"""Plant, gateway, broker and cloud as separate processes from settings files, each of which can be killed and started."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from coldlink.demo import settings
from coldlink.demo.stage import free_port

PLANT = """
plant: small
name: {{vi: Nhỏ, en: Small}}
seed: {seed}
physics_speed: 20
outside_celsius: 28
zones:
  - {{id: kho-lanh-b, name: {{vi: Kho lạnh B, en: Cold store B}}, climate: cold_store, defrosts_per_day: 4, doors_per_day: 13}}
  - {{id: dong-goi, name: {{vi: Phòng đóng gói, en: Packing room}}, climate: work_room, doors_per_day: 14}}
buses:
  - id: tcp-1
    kind: modbus_tcp
    devices:
{counters}
  - id: line-1
    kind: modbus_rtu
    tty: ttyLINE1
    baud: 9600
    devices:
      - {{id: kho-lanh-b-probe, profile: generic-xy-md02, zone: kho-lanh-b, unit_id: 31}}
      - {{id: dong-goi-probe, profile: generic-xy-md02, zone: dong-goi, unit_id: 32}}
  - id: scale-1
    kind: serial
    tty: ttySCALE
    devices: [{{id: dong-goi-scale, profile: mettler-mt-sics, zone: dong-goi}}]
"""


class RunningSite:
    """Call `start_all`; `stop_all` always."""

    def __init__(self, folder: Path, broker, *, seed: int = 1, counters: int = 8) -> None:
        self.folder, self.broker, self.seed = folder, broker, seed
        self.processes: dict[str, subprocess.Popen] = {}
        self.plant_file = folder / "plant.yaml"
        rows = (
            f"      - {{id: counter-{n}, profile: generic-counter-10, unit_id: {n}}}" for n in range(1, counters + 1)
        )
        self.plant_file.write_text(PLANT.format(seed=seed, counters="\n".join(rows)))
        self.ledger = folder / "ledger.jsonl"
        self.page_port = free_port()
        self.cloud_file = folder / "cloud" / "cloud.yaml"
        site = folder / "cloud" / "site.yaml"
        self.database = folder / "cloud" / "coldlink.db"
        settings.write_cloud(self.cloud_file, page_port=self.page_port, broker_port=broker.port, site=site)
        site.write_text("key: small\nname: {vi: Nhỏ, en: Small}\nsince: 2025-01-01\nzones: []\n")
        self.gateway_file = folder / "gateway" / "gateway.yaml"

    def start_all(self) -> None:
        self.start("cloud")
        self.start("plant")
        self.wait_until((self.folder / "plant" / "plant.json").exists, "the plant is ready")
        endpoints = json.loads((self.folder / "plant" / "plant.json").read_text())
        settings.write_gateway(self.gateway_file, broker_port=self.broker.port, endpoints=endpoints)
        text = self.gateway_file.read_text().replace("flush_s: 2", "flush_s: 1")
        self.gateway_file.write_text(text.replace("period_s: 1.0", "period_s: 0.5"))
        self.start("gateway")

    def start(self, name: str) -> None:
        arguments = {
            "cloud": ["cloud", "run", self.cloud_file],
            "plant": ["sim", "run", self.plant_file, "--run", self.folder / "plant", "--ledger", self.ledger],
            "gateway": ["edge", "run", self.gateway_file],
        }[name]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "coldlink", *map(str, arguments)], stdout=log, stderr=log
            )

    def kill(self, name: str) -> None:
        self.end(name, signal.SIGKILL)

    def end(self, name: str, how: signal.Signals = signal.SIGTERM) -> None:
        process = self.processes.pop(name, None)
        if process is not None:
            process.send_signal(how)
            process.wait(30)

    def stop_all(self) -> None:
        for name in ("gateway", "plant", "cloud"):
            self.end(name)

    def wait_until(self, is_so, what: str, timeout_s: float = 60) -> None:
        deadline = time.monotonic() + timeout_s
        while not is_so():
            for name, process in self.processes.items():
                assert process.poll() is None, f"{name} ended:\n{self.tail(name)}"
            assert time.monotonic() < deadline, (
                f"not in {timeout_s} s: {what}\n{self.tail('gateway')}\n{self.tail('cloud')}"
            )
            time.sleep(0.1)

    def tail(self, name: str) -> str:
        path = self.folder / f"{name}.log"
        return "\n".join(path.read_text(errors="replace").splitlines()[-15:]) if path.exists() else ""

    def readings_stored(self) -> int:
        return self._one(self.database, "SELECT count(*) FROM reading")

    def is_delivered(self) -> bool:
        """Whether the cloud has committed everything that the gateway has sealed."""
        buffer = self.folder / "gateway" / "data" / "buffer.db"
        epoch, head = self._row(
            buffer,
            "SELECT epoch.id, coalesce(max(batch.id) & ((1 << 40) - 1), 0) FROM epoch LEFT JOIN batch"
            " ON batch.id >> 40 = epoch.no GROUP BY epoch.no ORDER BY epoch.no DESC LIMIT 1",
        )
        return head > 0 and self._one(self.database, "SELECT through FROM cursor WHERE epoch = ?", epoch) == head

    def _one(self, path: Path, query: str, *values: object) -> int:
        row = self._row(path, query, *values)
        return row[0] if row else 0

    @staticmethod
    def _row(path: Path, query: str, *values: object):
        try:
            with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10) as db:
                row = db.execute(query, values).fetchone()
        except sqlite3.OperationalError:  # not made yet
            return None
        finally:
            if "db" in locals():
                db.close()
        return row
