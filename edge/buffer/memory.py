"""The buffer's twin in memory: for tests and virtual time. It keeps nothing when the process ends."""

from __future__ import annotations

import os
from collections.abc import Sequence

from edge.buffer.contract import Draft, Fill, LastSealed
from wire.batch import NO_PREVIOUS, Header, SealedBatch, seal
from wire.points import PointTable
from wire.signature import SigningKey


class MemoryBuffer:
    """See contract.Buffer. The plainest thing that fulfils it: a list per epoch."""

    def __init__(self, gateway: str, key: SigningKey) -> None:
        self._gateway, self._key = gateway, key
        self.epoch = os.urandom(16)
        self.acknowledged = 0
        self._batches: list[SealedBatch] = []
        self._tables: dict[bytes, PointTable] = {}
        self._was_stopped = False

    @property
    def next_seq(self) -> int:
        return len(self._batches) + 1

    @property
    def oldest_seq(self) -> int:
        return 1

    def append(self, draft: Draft) -> SealedBatch:
        header = Header(
            gateway=self._gateway,
            epoch=self.epoch,
            seq=self.next_seq,
            boot=draft.boot,
            offset_ms=draft.offset_ms,
            first_at=draft.first_at,
            last_at=draft.last_at,
            entries=draft.entries,
            prev=self._batches[-1].hash if self._batches else NO_PREVIOUS,
            points=draft.points,
        )
        batch = seal(header, draft.body, self._key.sign)
        self._batches.append(batch)
        self._was_stopped = False
        return batch

    def flight(self, after: int, max_bytes: int) -> Sequence[bytes]:
        found: list[bytes] = []
        for batch in self._batches[after:]:
            if found and sum(map(len, found)) + len(batch.data) > max_bytes:
                break
            found.append(batch.data)
        return found

    def hash_at(self, seq: int) -> bytes | None:
        return self._batches[seq - 1].hash if 1 <= seq <= len(self._batches) else None

    def acknowledge(self, through: int) -> None:
        self.acknowledged = through

    def begin_epoch(self, reseal_after: int) -> None:
        old, self._batches = self._batches[reseal_after:], []
        self.epoch, self.acknowledged = os.urandom(16), 0
        for batch in old:
            h = batch.header
            self.append(Draft(h.boot, h.offset_ms, h.first_at, h.last_at, h.entries, h.points, batch.body))

    def keep_points(self, table: PointTable) -> None:
        self._tables[table.digest] = table

    def points(self, digest: bytes) -> PointTable | None:
        return self._tables.get(digest)

    def last_sealed(self) -> LastSealed | None:
        if not self._batches:
            return None
        header = self._batches[-1].header
        return LastSealed(header.boot, header.last_at, self._was_stopped)

    def fill(self) -> Fill:
        used = sum(len(batch.data) for batch in self._batches)
        return Fill(len(self._batches) - self.acknowledged, len(self._batches), used, 1 << 40, 0)

    def close(self, *, is_clean: bool) -> None:
        self._was_stopped = is_clean
