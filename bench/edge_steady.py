"""The agent at an ordinary load: 10 devices of 10 registers, once a second each, over Modbus TCP.

Everything is real: SQLite buffer with synchronous=FULL, live lane on, mosquitto, an ingest that acknowledges.
"""

from __future__ import annotations

from bench.edge_load import measure
from bench.figures import Figure
from bench.rig import rig

NAME = "edge_steady"
SECONDS = 60.0


def run(seconds: float = SECONDS) -> list[Figure]:
    with rig() as one:
        load = measure(one, devices=10, period_s=1.0, seconds=seconds)
    return [
        Figure(
            NAME, "readings", load.readings_per_s, "1/s", note=f"{load.wrong} of {load.produced} wrong by the audit"
        ),
        Figure(NAME, "cpu", load.cpu_s_per_1000, "s/1000 readings", aim=0.4),
        Figure(NAME, "rss", load.rss_mib, "MiB", aim=45, note=f"PSS {load.pss_mib:.1f} MiB"),
        Figure(NAME, "wrong", load.wrong, "readings", aim=0),
    ]
