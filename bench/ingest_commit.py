"""How many readings a second the ingest commits with fsync, against a raw keyed insert of the same rows.

    python bench/ingest_commit.py [--profile]

No broker: flights are handed to the transaction as the worker does, so this is the ceiling of one ingest process.
"""

import argparse
import cProfile
import json
import pstats
import random
import tempfile
import time
from pathlib import Path

from cloud.ingest.book import Book
from cloud.ingest.flight import Flight
from cloud.ingest.transaction import take
from cloud.store import open_store
from cloud.store.readings import insert_readings
from wire.batch import NO_PREVIOUS, Header, seal
from wire.body import encode_body
from wire.entries import Quality, Reading
from wire.messages import Hello
from wire.points import Point, PointTable
from wire.signature import SigningKey
from wire.topics import Lane, Topic

NOW = 1_800_000_000_000
OFFSET = 1_700_000_000_000


class Gateway:
    """`points` points at 1 Hz, a batch each 5 s."""

    def __init__(self, name: str, points: int, batches: int, dice: random.Random) -> None:
        self.name, self.key, self.epoch = name, SigningKey(dice.randbytes(32)), dice.randbytes(16)
        self.table = PointTable(tuple(Point(f"d{n // 10}", f"c{n % 10}", "1", "counter") for n in range(points)))
        self.batches, prev, values = [], NO_PREVIOUS, [dice.randrange(1000) for _ in range(points)]
        for number in range(batches):
            first_at = 1000 + number * 5000
            entries = []
            for second in range(5):
                values = [value + dice.randrange(-3, 4) for value in values]
                at = first_at + second * 1000
                entries += [Reading(n, at + n // 10, value, 1, Quality.GOOD, None) for n, value in enumerate(values)]
            last_at = entries[-1].at
            header = Header(
                name,
                self.epoch,
                number + 1,
                b"b" * 16,
                OFFSET,
                first_at,
                last_at,
                len(entries),
                prev,
                self.table.digest,
            )
            self.batches.append(seal(header, encode_body(entries, first_at), self.key.sign))
            prev = self.batches[-1].hash

    def flight(self, payload: bytes, lane: Lane) -> Flight:
        return Flight(Topic("s0", self.name, lane), payload)

    def greetings(self) -> list[Flight]:
        hello = Hello(self.epoch, 1, 1, self.table.digest, self.key.public, "bench").encode()
        return [self.flight(hello, Lane.HELLO), self.flight(self.table.data, Lane.POINTS)]


def run(folder: Path, gateways: list[Gateway], per_flight: int, per_commit: int) -> dict[str, float]:
    store, book = open_store(f"sqlite:///{folder}/{time.time_ns()}.db"), Book()
    with store.write() as connection:
        take(connection, [one for gateway in gateways for one in gateway.greetings()], book, NOW)
    flights = [
        gateway.flight(b"".join(batch.data for batch in gateway.batches[at : at + per_flight]), Lane.BATCH)
        for at in range(0, len(gateways[0].batches), per_flight)
        for gateway in gateways
    ]
    began, cpu, commits = time.perf_counter(), time.process_time(), 0
    for at in range(0, len(flights), per_commit):
        with store.write() as connection:
            take(connection, flights[at : at + per_commit], book, NOW)
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


def _raw(folder: Path, rows: list[tuple], commits: int) -> float:
    store, step = open_store(f"sqlite:///{folder}/{time.time_ns()}.db"), len(rows) // commits
    began = time.perf_counter()
    for at in range(0, len(rows), step):
        with store.write() as connection:
            insert_readings(connection, rows[at : at + step])
    took = time.perf_counter() - began
    store.close()
    return len(rows) / took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", action="store_true", help="where the time goes, for many small gateways")
    wants_profile = parser.parse_args().profile
    dice = random.Random(1)
    large = [Gateway("large", 1000, 40, dice)]
    small = [Gateway(f"small-{n:03d}", 60, 20, dice) for n in range(40)]
    with tempfile.TemporaryDirectory() as name:
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


if __name__ == "__main__":
    main()
