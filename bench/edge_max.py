"""How far one agent goes: 100 Modbus TCP devices of 10 registers, polled ever faster until cycles are missed.

A rate is held when 99.5 % of its readings are in the database and the audit finds nothing wrong. A rate that is not
held is tried again: whatever else runs on the machine can only make it worse.
"""

from __future__ import annotations

from bench.edge_load import Load, measure
from bench.figures import Figure
from bench.rig import rig

NAME = "edge_max"
SECONDS = 20.0
DEVICES = 100
PERIODS_S = (0.1, 0.05, 0.04, 0.0333, 0.025, 0.02)  # of each device; the settings allow no shorter one
_HELD = 0.005
_TRIES = 2


def run(seconds: float = SECONDS) -> list[Figure]:
    held: list[Load] = []
    for period_s in PERIODS_S:
        load = _try(period_s, seconds)
        if not is_held(load):
            break
        held.append(load)
    best = held[-1] if held else load
    overload = [] if is_held(load) else [Figure(NAME, "overload", load.readings_per_s, "1/s", note=told(load))]
    return [
        Figure(
            NAME, "readings", best.readings_per_s if held else 0, "1/s", aim=20_000, better="higher", note=told(best)
        ),
        Figure(NAME, "cpu", best.cpu_s_per_1000, "s/1000 readings"),
        Figure(NAME, "rss", best.rss_mib, "MiB", aim=100, note=f"peak {best.peak_rss_mib:.1f}, PSS {best.pss_mib:.1f}"),
        Figure(NAME, "wrong", best.wrong, "readings", aim=0, note=f"of {best.produced:,}"),
        *overload,
    ]


def is_held(load: Load) -> bool:
    return load.missed_share <= _HELD and load.wrong == 0


def told(load: Load) -> str:
    return (
        f"{load.wanted_per_s:,.0f}/s wanted, {load.missed_share:.2%} missed; of a core: agent {load.cpu_share:.0%},"
        f" waiting for it {load.waited_s / load.seconds:.0%}, ingest {load.cloud_cpu_share:.0%}"
    )


def _try(period_s: float, seconds: float) -> Load:
    for _ in range(_TRIES):
        with rig() as one:
            load = measure(one, DEVICES, period_s, seconds)
        print(f"  {told(load)}", flush=True)
        if is_held(load):
            break
    return load
