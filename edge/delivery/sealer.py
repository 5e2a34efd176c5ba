"""Turns what the buses delivered into sealed batches: every flush interval, or at once when something is urgent.

`take` is called in the loop, `seal_waiting` in the buffer's thread; the queue between them is all that they share.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor

from edge.buffer.contract import Buffer, BufferFailure, Draft
from edge.clock import Clock
from wire.batch import MAX_BODY_BYTES
from wire.body import encode_body
from wire.entries import Entry, Gap

log = logging.getLogger(__name__)

URGENT_S = 0.2  # a new tag or a weighing is on disk within 250 ms
MAX_BATCH_ENTRIES = 50_000
MAX_WAITING_ENTRIES = 500_000  # in memory while the disk takes nothing, about 80 MB; beyond it the oldest go, declared


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
        self._waiting: deque[Entry] = deque()
        self._urgent = asyncio.Event()
        self._is_disk_full = False
        self._shed: tuple[int, int, int] | None = None  # from, until, how many: dropped and not yet declared
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
                self.take([anchor])
            sealing = asyncio.get_running_loop().run_in_executor(self._executor, self.seal_waiting)
            try:
                sealed = await asyncio.shield(sealing)
            except asyncio.CancelledError:
                await sealing  # what was taken out of the queue must reach the disk before the task ends
                raise
            if sealed:
                self._on_sealed()

    def seal_waiting(self) -> int:
        """Entries sealed of those that wait now; what the disk does not take stays in the queue, in its place.

        What arrives meanwhile waits for the next flush: a second batch of a few entries would cost another fsync.
        """
        sealed, most, due = 0, MAX_BATCH_ENTRIES, len(self._waiting)
        while due > sealed or self._shed:
            entries = [self._waiting.popleft() for _ in range(min(due - sealed, most))]
            draft = make_draft([*self._declaration(), *entries], self._clock, self._points)
            if len(draft.body) > MAX_BODY_BYTES and len(entries) > 1:
                self._waiting.extendleft(reversed(entries))
                most = len(entries) // 2
                continue
            try:
                self._buffer.append(draft)
            except BufferFailure as error:
                self._waiting.extendleft(reversed(entries))
                self._wait_for_disk(error)
                break
            self._note_taken()
            sealed += len(entries)
        self.entries_sealed += sealed
        return sealed

    def _note_taken(self) -> None:
        self._shed = None
        if self._is_disk_full:
            log.warning("the buffer's disk takes data again")
        self._is_disk_full = False

    def _wait_for_disk(self, error: BufferFailure) -> None:
        if not self._is_disk_full:
            log.warning("the buffer's disk takes no more (%s); readings wait in memory", error)
        self._is_disk_full = True
        surplus = len(self._waiting) - MAX_WAITING_ENTRIES
        if surplus > 0:
            self._drop([self._waiting.popleft() for _ in range(surplus)])

    def _drop(self, entries: list[Entry]) -> None:
        """Counted, and declared with the next batch that the disk takes."""
        times = [entry.at for entry in entries if not isinstance(entry, Gap)] or [self._clock.now_ms()]
        first, _, before = self._shed or (min(times), 0, 0)
        self._shed = first, max(times), before + len(entries)
        self.entries_dropped += len(entries)

    def _declaration(self) -> list[Entry]:
        if self._shed is None:
            return []
        first, last, count = self._shed
        return [Gap("disk_full", None, first, last, None, f"{count} entries")]


def make_draft(entries: Sequence[Entry], clock: Clock, points: bytes) -> Draft:
    """Pure but for the clock's boot id and offset, which hold for the whole batch."""
    times = [entry.at for entry in entries if not isinstance(entry, Gap)] or [clock.now_ms()]
    first_at, last_at = min(times), max(times)
    body = encode_body(entries, first_at)
    return Draft(clock.boot_id, clock.offset_ms, first_at, last_at, len(entries), points, body)
