"""The ceiling of one ingest process, without a broker: flights are handed to the transaction as the worker does.

    python bench/ingest_commit.py [--profile]

For whoever works on the ingest; `run.py --only ingest` measures the whole way.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import random
import tempfile
import time
from pathlib import Path

from bench.rig import SCRATCH
from bench.sealed import SealedGateway
from cloud.ingest.book import Book
from cloud.ingest.flight import Flight
from cloud.ingest.transaction import take
from cloud.store import open_store
from cloud.store.readings import ReadingRow, insert_readings
from wire.topics import Lane, Topic

NOW_MS = 1_800_000_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", action="store_true", help="where the time goes, for many small gateways")
    wants_profile = parser.parse_args().profile
    dice = random.Random(1)
    large = [SealedGateway("large", 1000, 40, dice)]
    small = [SealedGateway(f"small-{n:03d}", 60, 20, dice) for n in range(40)]
    with tempfile.TemporaryDirectory(dir=SCRATCH) as name:
        folder = Path(name)
        if wants_profile:
            with cProfile.Profile() as profile:
                run(folder, small, 1, 20)
            pstats.Stats(profile).sort_stats("tottime").print_stats(25)
            return
        for gateways, per_flight, per_commit in (
            (large, 1, 1),
            (large, 4, 1),
            (small, 1, 1),
            (small, 1, 20),
            (small, 10, 20),
        ):
            print(json.dumps({"batches_per_flight": per_flight, **run(folder, gateways, per_flight, per_commit)}))


def run(folder: Path, gateways: list[SealedGateway], per_flight: int, per_commit: int) -> dict[str, float]:
    store, book = open_store(f"sqlite:///{folder}/{time.time_ns()}.db"), Book()
    with store.write() as connection:
        take(connection, [one for gateway in gateways for one in _greetings(gateway)], book, NOW_MS)
    rounds = zip(*(gateway.flights(per_flight) for gateway in gateways), strict=True)
    flights = [
        _flight(gateway, Lane.BATCH, payload)
        for payloads in rounds
        for gateway, payload in zip(gateways, payloads, strict=True)
    ]
    began, cpu, commits = time.perf_counter(), time.process_time(), 0
    for at in range(0, len(flights), per_commit):
        with store.write() as connection:
            take(connection, flights[at : at + per_commit], book, NOW_MS)
        commits += 1
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    with store.read() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM reading ORDER BY batch_id, observed_at").fetchall()
    store.close()
    return {
        "gateways": len(gateways),
        "readings": len(rows),
        "commits": commits,
        "readings_per_s": round(len(rows) / took),
        "cpu_share": round(cpu / took, 2),
        "raw_insert_per_s": round(_raw(folder, [tuple(row) for row in rows], commits)),
    }


def _greetings(gateway: SealedGateway) -> list[Flight]:
    return [_flight(gateway, Lane.HELLO, gateway.hello), _flight(gateway, Lane.POINTS, gateway.table.data)]


def _flight(gateway: SealedGateway, lane: Lane, payload: bytes) -> Flight:
    return Flight(Topic("s0", gateway.name, lane), payload)


def _raw(folder: Path, rows: list[ReadingRow], commits: int) -> float:
    store, step = open_store(f"sqlite:///{folder}/{time.time_ns()}.db"), len(rows) // commits
    began = time.perf_counter()
    for at in range(0, len(rows), step):
        with store.write() as connection:
            insert_readings(connection, rows[at : at + step])
    took = time.perf_counter() - began
    store.close()
    return len(rows) / took


if __name__ == "__main__":
    main()
