"""How fast a gateway that was cut off is heard again: a full buffer, the real uplink, broker and ingest.

The batches are as they would have been sealed, 60 points at 1 Hz, 300 readings each: nearly a day. The time runs from
the gateway's first hello to the last commit; it goes on measuring meanwhile, and a browser waits for what is new.
"""

from __future__ import annotations

import json
import os
import random
import threading
import time
import urllib.request
from contextlib import closing
from datetime import datetime
from pathlib import Path

from bench.figures import Figure
from bench.rig import GATEWAY, buses_of, counters_plan, gateway_settings, rig, write_yaml
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
READINGS = 5_000_000
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
        with closing(_Browser(one.url)) as browser:
            one.gateway(settings)
            one.wait_for("the backlog", lambda: one.ask(_ARRIVED, boot)[0][0] == _BATCHES, _TIMEOUT_S, 0.05)
            ended = time.time()
        greeted = one.ask(_GREETED)[0][0] / 1000
        took_s, live_s = ended - greeted, browser.first_live_at - greeted
        stored = one.ask(_STORED, boot)[0][0]
        agent, cloud = one.usage(settings["gateway"]).peak_rss_mib, one.usage("cloud").peak_rss_mib
    return [
        Figure(
            NAME, "readings", stored / took_s, "1/s", aim=20_000, better="higher", note=f"{stored:,} in {took_s:.1f} s"
        ),
        Figure(NAME, "missing", _BATCHES * _POINTS * _FLUSH_S - stored, "readings", aim=0),
        Figure(NAME, "first live value", live_s, "s", aim=2, note="from the hello to a browser, the backlog behind it"),
        Figure(NAME, "agent rss", agent, "MiB", aim=80, note="peak"),
        Figure(NAME, "cloud rss", cloud, "MiB", note="peak"),
    ]


class _Browser:
    """Waits for the first value that was measured after it had opened the page."""

    def __init__(self, url: str) -> None:
        self.first_live_at = float("inf")
        self._opened_at = time.time()
        self._answer = urllib.request.urlopen(f"{url}/api/v1/live", timeout=_TIMEOUT_S)
        self._thread = threading.Thread(target=self._read, name="browser")
        self._thread.start()

    def close(self) -> None:
        self._thread.join()
        self._answer.close()

    def _read(self) -> None:
        for line in self._answer:
            if line.startswith(b"data:") and self._is_new(json.loads(line[5:]).get("values", ())):
                self.first_live_at = time.time()
                return

    def _is_new(self, values: list[dict[str, str]]) -> bool:
        return any(
            not one["point"].startswith(f"{GATEWAY}/gateway/")
            and datetime.fromisoformat(one["observed_at"]).timestamp() > self._opened_at
            for one in values
        )


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
