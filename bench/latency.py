"""From the instrument to the browser: the demo's plant, its live lane, and a client of the event stream.

A value's time is what the plant's ledger says: the moment at which the answer was handed to the line. Its arrival is
the moment at which a plain HTTP client has read the line of the event that carries it. Both clocks are this machine's.
"""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from http.client import HTTPResponse
from typing import NamedTuple

from bench.figures import Figure, percentile
from bench.rig import GATEWAY, Rig, rig
from coldlink.demo import settings
from simulator.ledger import LedgerRow, read_ledger

NAME = "latency"
SECONDS = 60.0
_WARM_UP_S = 8.0
_SAME_MS = 1000  # observed_at is the end of the answer, the ledger's time its beginning


class Seen(NamedTuple):
    """One value in one event."""

    arrived_ms: float
    point: str  # device/point
    value: str
    observed_ms: int


def run(seconds: float = SECONDS) -> list[Figure]:
    with rig() as one:
        seen, rows, from_ms = _watch(one, seconds)
    found = sorted(_latencies(seen, rows))
    shown = _shown_share(seen, [row for row in rows if row.t >= from_ms])
    unmatched = 1 - len(found) / len(seen)
    note = (
        f"{len(found):,} values of {len({one.point for one in seen})} points; {unmatched:.1%} not found in the ledger"
    )
    return [
        Figure(NAME, "p50", percentile(found, 0.5), "ms", aim=300, note=note),
        Figure(NAME, "p99", percentile(found, 0.99), "ms", aim=1000, note=f"longest {found[-1]:.0f} ms"),
        Figure(NAME, "shown", 100 * shown, "%", note="of the values that the instruments gave out"),
    ]


def _watch(rig: Rig, seconds: float) -> tuple[list[Seen], list[LedgerRow], int]:
    """What was observed within the time, the ledger from a little before it on, and the beginning."""
    firmware = settings.firmware_config()
    rig.broker()
    site = settings.write_site(rig.folder / "site.yaml", firmware / "sites" / "binh-minh.site.yaml")
    rig.cloud(site=site.name)
    endpoints = rig.plant(firmware / "plants" / "binh-minh.yaml", has_ledger=True)
    gateway = settings.write_gateway(
        rig.folder / "gateway" / "gateway.yaml", broker_port=rig.broker_port, endpoints=endpoints
    )
    rig.coldlink(GATEWAY, "edge", "run", gateway)
    rig.sleep(_WARM_UP_S)
    with closing(_Browser(rig.url)) as browser:
        from_ms = time.time_ns() // 1_000_000 + 1000  # what was newest before the stream was opened is old news
        rig.sleep(seconds)
        until_ms = time.time_ns() // 1_000_000 - 1000
    span = range(from_ms - _SAME_MS, until_ms)
    rows = [row for row in read_ledger(rig.ledger) if row.t in span and row.value and row.delivered]
    given = {f"{row.device}/{row.point}" for row in rows}  # a reader's health, for one, is the agent's own word
    seen = [one for one in browser.seen if from_ms <= one.observed_ms < until_ms and one.point in given]
    return seen, rows, from_ms


class _Browser:
    """Reads the event stream in a thread."""

    def __init__(self, url: str) -> None:
        self.seen: list[Seen] = []
        self._answer: HTTPResponse = urllib.request.urlopen(f"{url}/api/v1/live", timeout=30)
        self._is_closed = False
        self._thread = threading.Thread(target=self._read, name="browser")
        self._thread.start()

    def close(self) -> None:
        self._is_closed = True
        self._thread.join()  # a heartbeat comes every 5 s
        self._answer.close()

    def _read(self) -> None:
        while not self._is_closed and (line := self._answer.readline()):
            if line.startswith(b"data:"):
                self.seen += _values(line[5:], time.time_ns() / 1e6)


def _values(line: bytes, arrived_ms: float) -> Iterator[Seen]:
    for one in json.loads(line).get("values", ()):
        gateway, device, point = one["point"].split("/")
        if gateway == GATEWAY and device != "gateway" and one["value"] is not None:
            observed = datetime.fromisoformat(one["observed_at"]).timestamp()
            yield Seen(arrived_ms, f"{device}/{point}", one["value"], round(observed * 1000))


def _latencies(seen: Iterable[Seen], rows: Iterable[LedgerRow]) -> Iterator[float]:
    """Of each value that the ledger knows: the last time that it was given out before it was observed."""
    given = _by_point_and_value(rows)
    for one in seen:
        times = given.get((one.point, float(one.value)), [])
        place = bisect_left(times, one.observed_ms + 2) - 1  # both times are whole milliseconds
        if place >= 0 and one.observed_ms - times[place] <= _SAME_MS:
            yield one.arrived_ms - times[place]


def _by_point_and_value(rows: Iterable[LedgerRow]) -> dict[tuple[str, float], list[int]]:
    given: dict[tuple[str, float], list[int]] = defaultdict(list)
    for row in rows:
        if row.value is not None and row.point != "tag":
            given[f"{row.device}/{row.point}", float(row.value)].append(row.t)
    return given


def _shown_share(seen: Sequence[Seen], rows: Iterable[LedgerRow]) -> float:
    """By number of answers: a screen that skips values shows fewer than were given out."""
    points = {one.point for one in seen}
    given = sum(f"{row.device}/{row.point}" in points for row in rows)
    return len(seen) / given
