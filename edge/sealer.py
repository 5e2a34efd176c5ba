"""Turns what the buses delivered into sealed batches: every flush interval, or at once when something is urgent."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor

from edge.buffer.contract import Buffer, BufferFull, Draft
from edge.clock import Clock
from wire.body import encode_body
from wire.entries import Entry, Gap

log = logging.getLogger(__name__)

URGENT_S = 0.2  # a new tag or a weighing is on disk within 250 ms
MAX_BATCH_ENTRIES = 50_000
MAX_WAITING_ENTRIES = 1_000_000  # in memory while the disk takes nothing; beyond it the oldest go, counted and declared


class Sealer:
    """The one place between the sinks of the buses and the buffer. Runs as a task; `flush` seals what is there."""

    def __init__(
        self,
        buffer: Buffer,
        clock: Clock,
        points: bytes,
        *,
        flush_s: float,
        executor: Executor,
        on_sealed: Callable[[], None],
        before_flush: Callable[[], None] = lambda: None,
    ) -> None:
        self._buffer, self._clock, self._points = buffer, clock, points
        self._flush_s, self._executor, self._on_sealed = flush_s, executor, on_sealed
        self._before_flush = before_flush
        self._waiting: list[Entry] = []
        self._urgent = asyncio.Event()
        self._is_disk_full = False
        self._sealing = asyncio.Lock()
        self.entries_sealed = 0
        self.entries_dropped = 0

    def take(self, entries: Sequence[Entry], *, urgent: bool = False) -> None:
        """The sink of every poller and listener. Never blocks, never fails."""
        self._waiting.extend(entries)
        if urgent:
            self._urgent.set()

    async def run(self) -> None:
        """Flush for ever; the clock is looked at before each flush so that a batch knows its offset."""
        while True:
            try:
                await asyncio.wait_for(self._urgent.wait(), self._flush_s)
                await asyncio.sleep(URGENT_S)  # what belongs together arrives together
            except TimeoutError:
                pass
            self._urgent.clear()
            await self.flush()

    async def flush(self) -> None:
        """Seal everything that waits. When this returns without the disk being full, it is on disk."""
        async with self._sealing:
            self._before_flush()
            anchor = self._clock.look()
            if anchor is not None:
                self._waiting.append(anchor)
            while self._waiting:
                entries = self._waiting[:MAX_BATCH_ENTRIES]
                del self._waiting[: len(entries)]
                if not await self._seal(entries):
                    self._waiting[:0] = entries
                    self._shed()
                    return

    async def _seal(self, entries: list[Entry]) -> bool:
        seal = asyncio.get_running_loop().run_in_executor(self._executor, self._append, entries)
        try:
            await asyncio.shield(seal)
        except BufferFull as error:
            if not self._is_disk_full:
                log.warning("the buffer's disk takes no more (%s); readings wait in memory", error)
            self._is_disk_full = True
            return False
        except asyncio.CancelledError:
            await seal  # what was taken out of the list must reach the disk before the task ends
            raise
        if self._is_disk_full:
            log.warning("the buffer's disk takes data again")
        self._is_disk_full = False
        self.entries_sealed += len(entries)
        self._on_sealed()
        return True

    def _append(self, entries: list[Entry]) -> None:
        self._buffer.append(make_draft(entries, self._clock, self._points))

    def _shed(self) -> None:
        surplus = len(self._waiting) - MAX_WAITING_ENTRIES
        if surplus > 0:
            del self._waiting[:surplus]
            self.entries_dropped += surplus
            self._waiting.insert(0, Gap("disk_full", None, None, self._clock.now_ms(), None, f"{surplus} entries"))


def make_draft(entries: Sequence[Entry], clock: Clock, points: bytes) -> Draft:
    """Pure but for the clock's boot id and offset, which hold for the whole batch."""
    times = [entry.at for entry in entries if not isinstance(entry, Gap)] or [clock.now_ms()]
    first_at, last_at = min(times), max(times)
    body = encode_body(entries, first_at)
    return Draft(clock.boot_id, clock.offset_ms, first_at, last_at, len(entries), points, body)
