"""One load run of a real agent: a plant of counters, broker, ingest, and what the agent used for what arrived.

Counted is what the cloud has committed, by the times at which it was observed; `coldlink audit` then compares every
value in that time with the ledger of the plant.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.rig import Rig, RigFailed, buses_of, counters_plan, gateway_settings

REGISTERS = 10  # of each device, read in one request
_WARM_UP_S = 12.0  # connections, the first flushes, memory at its usual size
_ARRIVED_S = 60.0
_IS_OVER = "SELECT max(last_at) FROM batch"
_STORED = (
    "SELECT count(*) FROM reading JOIN series ON series.id = reading.series_id"
    " WHERE series.device <> 'gateway' AND value IS NOT NULL AND observed_at >= ? AND observed_at < ?"
)
_MISSED = (
    "SELECT value FROM latest JOIN series ON series.id = latest.series_id"
    " WHERE series.device = 'gateway' AND series.point = 'missed_cycles'"
)


@dataclass(frozen=True)
class Load:
    """What one run came to."""

    devices: int
    period_s: float
    readings: int
    seconds: float
    cpu_s: float
    waited_s: float
    rss_mib: float
    peak_rss_mib: float
    pss_mib: float
    missed_cycles: int  # since the agent began, so more than in the time that is measured
    cloud_cpu_share: float
    wrong: int  # lost, duplicated, altered or in disorder
    produced: int  # by the ledger

    @property
    def wanted_per_s(self) -> float:
        return self.devices * REGISTERS / self.period_s

    @property
    def readings_per_s(self) -> float:
        return self.readings / self.seconds

    @property
    def cpu_share(self) -> float:
        """1.0 is one core."""
        return self.cpu_s / self.seconds

    @property
    def cpu_s_per_1000(self) -> float:
        return 1000 * self.cpu_s / self.readings

    @property
    def missed_share(self) -> float:
        return max(0.0, 1 - self.readings_per_s / self.wanted_per_s)


def measure(rig: Rig, devices: int, period_s: float, seconds: float) -> Load:
    """Ends with the processes still running; `rig` has to be fresh. Raises RigFailed."""
    rig.broker()
    rig.cloud()
    endpoints = rig.plant(counters_plan(rig.folder / "plant.yaml", devices), has_ledger=True)
    settings = gateway_settings(rig, buses_of(endpoints, period_s))
    rig.gateway(settings)
    agent = settings["gateway"]
    rig.sleep(_WARM_UP_S)
    from_ms, before, cloud_before = _now_ms(), rig.usage(agent), rig.usage("cloud")
    rig.sleep(seconds)
    until_ms, after, cloud_after = _now_ms(), rig.usage(agent), rig.usage("cloud")
    rig.wait_for("the last readings", lambda: (rig.ask(_IS_OVER)[0][0] or 0) > until_ms, _ARRIVED_S, 0.5)
    rig.stop("plant")
    took_s = after.at - before.at
    verdict = _audit(rig, from_ms, until_ms)
    return Load(
        devices=devices,
        period_s=period_s,
        readings=rig.ask(_STORED, from_ms, until_ms)[0][0],
        seconds=took_s,
        cpu_s=after.cpu_s - before.cpu_s,
        waited_s=after.waited_s - before.waited_s,
        rss_mib=after.rss_mib,
        peak_rss_mib=after.peak_rss_mib,
        pss_mib=after.pss_mib,
        missed_cycles=int((rig.ask(_MISSED) or [(0,)])[0][0]),
        cloud_cpu_share=(cloud_after.cpu_s - cloud_before.cpu_s) / took_s,
        wrong=sum(verdict[name] for name in ("lost", "duplicated", "altered", "spoilt", "invented", "out_of_order")),
        produced=verdict["produced"],
    )


def _audit(rig: Rig, from_ms: int, until_ms: int) -> dict[str, int]:
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "coldlink",
        "audit",
        "--ledger",
        rig.ledger,
        "--cloud",
        rig.database,
    ]
    span = ["--from", _iso(from_ms), "--until", _iso(until_ms), "--json"]
    done = subprocess.run([*command, *span], capture_output=True, text=True, check=False)
    try:
        total: dict[str, int] = json.loads(done.stdout)["total"]
    except (ValueError, KeyError) as error:
        raise RigFailed(f"the audit could not be made: {done.stderr.strip()[-400:]}") from error
    return total


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _iso(utc_ms: int) -> str:
    return datetime.fromtimestamp(utc_ms / 1000, UTC).isoformat(timespec="milliseconds")
