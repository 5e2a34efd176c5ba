"""The machine that figures belong to, and what a process on it has used: /proc, so Linux only."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_FSYNCS = 200


def facts(folder: Path) -> dict[str, Any]:
    """`folder` is where the databases of the run lie: its fsync is part of every durable figure."""
    return {
        "commit": commit(),
        "has_uncommitted_changes": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "architecture": platform.machine(),
        "fsync_p50_ms": _fsync_ms(folder),
        "scheduling": _scheduling(),
        "load_before": os.getloadavg()[0],
    }


def commit() -> str:
    return _git("rev-parse", "--short=10", "HEAD") or "unknown"


def label() -> str:
    """What kind of machine it is, for the name of a file: no host name, since results are public."""
    return re.sub(r"[^a-z0-9]+", "-", re.sub(r"\((R|TM)\)|CPU|Processor", "", _cpu()).lower()).strip("-") + (
        f"-{len(os.sched_getaffinity(0))}"
    )


@dataclass(frozen=True)
class Usage:
    """Of one process, since it began."""

    cpu_s: float
    waited_s: float  # its main thread was ready to run, and others had the cores
    rss_mib: float
    peak_rss_mib: float
    pss_mib: float  # shared pages divided among those who share them
    at: float

    @classmethod
    def of(cls, pid: int) -> Usage:
        # The name may hold spaces; what follows its bracket does not. Fields 14 and 15 are utime and stime: proc(5).
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        status = Path(f"/proc/{pid}/status").read_text()
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        return cls(
            cpu_s=(int(fields[11]) + int(fields[12])) * _TICK_S,
            waited_s=int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9,
            rss_mib=_kib(status, "VmRSS") / 1024,
            peak_rss_mib=_kib(status, "VmHWM") / 1024,
            pss_mib=_kib(rollup, "Pss") / 1024,
            at=time.monotonic(),
        )


def _kib(text: str, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) if found else 0


def _scheduling() -> str:
    """Whether the run had priority over whatever else the machine did."""
    policies = {os.SCHED_OTHER: "normal", os.SCHED_RR: "real time", os.SCHED_FIFO: "real time", os.SCHED_BATCH: "batch"}
    return f"{policies.get(os.sched_getscheduler(0), 'other')}, nice {os.nice(0)}"


def _cpu() -> str:
    found = re.search(r"^(?:model name|Model)\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1].strip() if found else platform.machine()


def _git(*arguments: str) -> str:
    here = Path(__file__).parent
    done = subprocess.run(["git", *arguments], cwd=here, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def _fsync_ms(folder: Path) -> float:
    """Median of writing 4 KiB to the end of a file and fsyncing it."""
    path, took = folder / "fsync.probe", []
    with path.open("wb", buffering=0) as file:
        for _ in range(_FSYNCS):
            file.write(bytes(4096))
            began = time.perf_counter()
            os.fsync(file.fileno())
            took.append(time.perf_counter() - began)
    path.unlink()
    return round(sorted(took)[_FSYNCS // 2] * 1000, 3)
