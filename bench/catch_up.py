"""How fast a gateway that was cut off is heard again: a full buffer, the real uplink, broker and ingest.

The batches are as they would have been sealed, 60 points at 1 Hz, 300 readings each: nearly five hours. The time runs
from the gateway's first hello to the last commit; it goes on measuring meanwhile.
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

from bench.figures import Figure
from bench.rig import buses_of, counters_plan, gateway_settings, rig, write_yaml
from bench.sealed import wander
from edge.agent import BUFFER_NAME, point_table
from edge.buffer.contract import Draft
from edge.buffer.sqlite import SqliteBuffer
from edge.config import check
from edge.identity import load_or_make_key
from wire.body import encode_body
from wire.entries import Quality, Reading

NAME = "catch_up"
SECONDS = 1.0  # not used: the number of readings says how long it takes
READINGS = 1_000_000
_DEVICES, _FLUSH_S, _REGISTERS = 6, 5, 10
_POINTS = _DEVICES * _REGISTERS
_BATCHES = -(-READINGS // (_POINTS * _FLUSH_S))
_ARRIVED = "SELECT count(*) FROM batch WHERE boot = ?"
_GREETED = "SELECT first_seen_at FROM gateway"
_STORED = "SELECT count(*) FROM reading JOIN batch ON batch.id = reading.batch_id WHERE batch.boot = ?"
_TIMEOUT_S = 180


def run(_seconds: float = SECONDS) -> list[Figure]:
    with rig() as one:
        one.broker()
        one.cloud()
        endpoints = one.plant(counters_plan(one.folder / "plant.yaml", _DEVICES))
        settings = gateway_settings(one, buses_of(endpoints, 1.0))
        boot = _fill_buffer(write_yaml(one.folder / "filled.yaml", settings))
        one.gateway(settings)
        one.wait_for("the backlog", lambda: one.ask(_ARRIVED, boot)[0][0] == _BATCHES, _TIMEOUT_S, 0.02)
        took_s = time.time() - one.ask(_GREETED)[0][0] / 1000
        stored = one.ask(_STORED, boot)[0][0]
        peak_mib = one.usage(settings["gateway"]).peak_rss_mib
    return [
        Figure(NAME, "readings", stored / took_s, "1/s", note=f"{stored:,} in {took_s:.1f} s"),
        Figure(NAME, "missing", _BATCHES * _POINTS * _FLUSH_S - stored, "readings", aim=0),
        Figure(NAME, "agent rss", peak_mib, "MiB", note="peak"),
    ]


def _fill_buffer(settings: Path) -> bytes:
    """Returns the boot id under which the past was measured."""
    gateway = check(settings)
    data_dir = Path(gateway.config.data_dir)
    data_dir.mkdir()
    table, boot, dice = point_table(gateway), os.urandom(16), random.Random(1)
    offset_ms = time.time_ns() // 1_000_000 - (_BATCHES + 1) * _FLUSH_S * 1000
    buffer = SqliteBuffer(data_dir / BUFFER_NAME, gateway.config.gateway, load_or_make_key(data_dir), 1 << 30)
    buffer.keep_points(table)
    values = [dice.randrange(-250, 100) for _ in range(_POINTS)]
    for number in range(_BATCHES):
        entries: list[Reading] = []
        for second in range(_FLUSH_S):
            wander(values, dice)
            at = (number * _FLUSH_S + second) * 1000
            entries += [Reading(n, at + n // _REGISTERS, v, 1, Quality.GOOD, None) for n, v in enumerate(values)]
        first_at, last_at = entries[0].at, entries[-1].at
        body = encode_body(entries, first_at)
        buffer.append(Draft(boot, offset_ms, first_at, last_at, len(entries), table.digest, body))
    buffer.close(is_clean=True)
    return boot
