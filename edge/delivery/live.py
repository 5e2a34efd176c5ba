"""The live lane: the newest reading of each point that changed, a few times a second, whatever the backlog.

Screens use it; history and alarms of record do not. It is lossy on purpose: a value that could not be sent is replaced
by a newer one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from edge.clock import Clock
from wire.entries import Entry, Reading
from wire.messages import Live


class LiveLane:
    """`take` sees everything that goes to the sealer; `run` sends what is new every `every_s`."""

    def __init__(self, send: Callable[[Live], bool], clock: Clock, points: bytes, every_s: float) -> None:
        self._send, self._clock, self._points, self._every_s = send, clock, points, every_s
        self._fresh: dict[int, Reading] = {}

    def take(self, entries: Sequence[Entry]) -> None:
        fresh = self._fresh
        for entry in entries:
            if type(entry) is Reading:
                fresh[entry.point] = entry

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            if self._fresh and self._send(Live(self._points, self._clock.offset_ms, tuple(self._fresh.values()))):
                self._fresh.clear()
