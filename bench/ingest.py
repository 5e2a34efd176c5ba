"""Readings a second that the cloud commits with fsync, from batches that come through a real broker.

Each of many gateways sends its next flight as soon as the one before is acknowledged. The peer, in the same run: the
same rows into the same keyed table in as many transactions, SQLite with synchronous=FULL, no broker, no decoding, no
signatures: what the disk and SQLite alone would allow.
"""

from __future__ import annotations

import json
import random
import sqlite3
import threading
import time
import urllib.request
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Figure
from bench.machine import Usage
from bench.rig import Rig, rig
from bench.sealed import SealedGateway
from cloud.store import open_store
from ground.mqtt import BrokerSettings, MqttLink
from wire.messages import read_ack
from wire.topics import Lane, Topic, parse_topic, shard_filter

NAME = "ingest"
SECONDS = 10.0  # about; the number of batches is made from it
GATEWAYS, POINTS = 40, 100
_SHARD = "s0"
_EXPECTED_PER_S = 80_000
_TIMEOUT_S = 180.0


@dataclass(frozen=True)
class Taken:
    """What one run came to."""

    readings: int
    seconds: float
    commits: int
    cloud: Usage
    cloud_cpu_s: float
    broker_cpu_s: float
    raw_per_s: float

    @property
    def readings_per_s(self) -> float:
        return self.readings / self.seconds


def run(seconds: float = SECONDS) -> list[Figure]:
    dice = random.Random(1)
    batches = max(8, round(seconds * _EXPECTED_PER_S / (GATEWAYS * POINTS * 5)) // 8 * 8)
    gateways = [SealedGateway(f"bench-{n:02d}", POINTS, batches, dice) for n in range(GATEWAYS)]
    figures: list[Figure] = []
    for name, per_flight in (("one batch a flight", 1), ("backlog, 8 batches a flight", 8)):
        with rig() as one:
            taken = _measure(one, gateways, per_flight)
        figures += _figures(name, taken)
    return figures


def _figures(name: str, taken: Taken) -> list[Figure]:
    ratio = taken.readings_per_s / taken.raw_per_s
    note = (
        f"{taken.readings:,} readings in {taken.commits} commits; of a core: cloud"
        f" {taken.cloud_cpu_s / taken.seconds:.0%}, broker {taken.broker_cpu_s / taken.seconds:.0%}"
    )
    return [
        Figure(NAME, name, taken.readings_per_s, "1/s", aim=60_000, better="higher", note=note),
        Figure(NAME, f"{name}: raw insert", taken.raw_per_s, "1/s", note=f"the ingest reaches {ratio:.2f} of it"),
        Figure(NAME, f"{name}: rss", taken.cloud.rss_mib, "MiB", note=f"peak {taken.cloud.peak_rss_mib:.0f}"),
    ]


def _measure(rig: Rig, gateways: list[SealedGateway], per_flight: int) -> Taken:
    rig.broker()
    rig.cloud()
    with closing(_Senders(BrokerSettings(port=rig.broker_port), gateways, per_flight)) as senders:
        rig.wait_for("greetings", senders.greet, 30, 1.0)
        before, broker_before, commits_before = rig.usage("cloud"), rig.usage("broker"), _commits(rig)
        began = time.perf_counter()
        senders.send()
        rig.wait_for("all acknowledgements", senders.is_done.is_set, _TIMEOUT_S, 0.02)
        took_s = senders.done_at - began
        after, broker_after = rig.usage("cloud"), rig.usage("broker")
        commits = _commits(rig) - commits_before
    rows = rig.ask("SELECT series_id, observed_at, clock_id, value, detail, batch_id FROM reading ORDER BY batch_id")
    rig.stop("cloud")
    return Taken(
        readings=len(rows),
        seconds=took_s,
        commits=commits,
        cloud=after,
        cloud_cpu_s=after.cpu_s - before.cpu_s,
        broker_cpu_s=broker_after.cpu_s - broker_before.cpu_s,
        raw_per_s=_raw_insert_per_s(rig.folder / "raw.db", rows, commits),
    )


class _Senders:
    """All gateways behind one connection: what they cost is not what is measured. One flight each is on its way."""

    def __init__(self, broker: BrokerSettings, gateways: list[SealedGateway], per_flight: int) -> None:
        self.is_done = threading.Event()
        self.done_at = 0.0
        self._unknown = {gateway.name: gateway for gateway in gateways}  # whom the cloud has not answered yet
        self._flights = {gateway.name: gateway.flights(per_flight) for gateway in gateways}
        self._per_flight, self._batches = per_flight, len(gateways[0].batches)
        self._sent = dict.fromkeys(self._flights, 0)
        self._is_sending = False
        self._unfinished = len(gateways)
        self._connected = threading.Event()
        self._link = MqttLink(
            broker,
            "coldlink-bench",
            subscriptions=[(shard_filter(_SHARD, Lane.ACK), 1)],
            on_message=self._acknowledged,
            on_connected=self._connected.set,
        )
        self._link.start()

    def close(self) -> None:
        self._link.stop()

    def greet(self) -> bool:
        """Again and again until it is true: the cloud may come to the broker later than we."""
        for gateway in list(self._unknown.values()) if self._connected.is_set() else ():
            self._publish(gateway.name, Lane.HELLO, gateway.hello)
            self._publish(gateway.name, Lane.POINTS, gateway.table.data)
        return not self._unknown

    def send(self) -> None:
        self._is_sending = True
        for name in self._flights:
            self._send_next(name)

    def _acknowledged(self, topic: str, payload: bytes) -> None:
        """In the network thread, like all that follows the first flights."""
        parsed, through = parse_topic(topic), read_ack(payload).through
        assert parsed is not None
        if not self._is_sending:
            self._unknown.pop(parsed.gateway, None)
            return
        if through < min(self._sent[parsed.gateway] * self._per_flight, self._batches):
            return  # a late answer to a greeting
        if through < self._batches:
            self._send_next(parsed.gateway)
            return
        self._unfinished -= 1
        if self._unfinished == 0:
            self.done_at = time.perf_counter()
            self.is_done.set()

    def _send_next(self, name: str) -> None:
        self._publish(name, Lane.BATCH, self._flights[name][self._sent[name]])
        self._sent[name] += 1

    def _publish(self, name: str, lane: Lane, payload: bytes) -> None:
        self._link.publish(str(Topic(_SHARD, name, lane)), payload, 1)


def _commits(rig: Rig) -> int:
    with urllib.request.urlopen(f"{rig.url}/api/v1/ingest", timeout=10) as answer:
        return int(json.load(answer)["stats"]["commits"])


def _raw_insert_per_s(path: Path, rows: list[tuple[object, ...]], commits: int) -> float:
    """The table of the real store, filled by the driver alone."""
    open_store(f"sqlite:///{path}").close()
    step = -(-len(rows) // commits)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        for pragma in ("synchronous = FULL", "cache_size = -65536", "wal_autocheckpoint = 8000"):
            database.execute(f"PRAGMA {pragma}")
        began = time.perf_counter()
        for at in range(0, len(rows), step):
            database.execute("BEGIN IMMEDIATE")
            database.executemany("INSERT INTO reading VALUES (?, ?, ?, ?, ?, ?)", rows[at : at + step])
            database.execute("COMMIT")
        return len(rows) / (time.perf_counter() - began)
