"""The buffer's twin in memory: for tests and virtual time. It keeps nothing when the process ends."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from edge.buffer.contract import Draft, Fill, LastSealed, Span, draft_of
from wire.batch import NO_PREVIOUS, Header, SealedBatch, seal
from wire.messages import Gone
from wire.points import PointTable
from wire.signature import SigningKey


class MemoryBuffer:
    """See contract.Buffer. The plainest thing that fulfils it: a list per epoch, no limit, no damage."""

    def __init__(self, gateway: str, key: SigningKey, new_epoch: Callable[[], bytes] = lambda: os.urandom(16)) -> None:
        self._gateway, self._key, self._new_epoch = gateway, key, new_epoch
        self._epoch = new_epoch()
        self.acknowledged = 0
        self._by_epoch: dict[bytes, list[SealedBatch]] = {self._epoch: []}
        self._tables: dict[bytes, PointTable] = {}
        self._was_stopped = False

    @property
    def epoch(self) -> bytes:
        return self._epoch

    @property
    def next_seq(self) -> int:
        return len(self._batches) + 1

    @property
    def oldest_seq(self) -> int:
        return 1

    @property
    def earlier_epochs(self) -> Sequence[bytes]:
        return [epoch for epoch, batches in self._by_epoch.items() if batches and epoch != self.epoch]

    def span(self, epoch: bytes) -> Span:
        return Span(1, len(self._by_epoch[epoch]) + 1)

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

    def flight(self, after: int, max_bytes: int, epoch: bytes | None = None) -> Sequence[bytes]:
        found: list[bytes] = []
        for batch in self._by_epoch[epoch or self.epoch][after:]:
            if found and sum(map(len, found)) + len(batch.data) > max_bytes:
                break
            found.append(batch.data)
        return found

    def gone(self, after: int, epoch: bytes | None = None) -> Gone | None:  # noqa: ARG002  nothing ever is
        return None

    def hash_at(self, seq: int, epoch: bytes | None = None) -> bytes | None:
        batches = self._by_epoch[epoch or self.epoch]
        return batches[seq - 1].hash if 1 <= seq <= len(batches) else None

    def holds(self, seq: int, epoch: bytes | None = None) -> bool:
        return self.hash_at(seq, epoch) is not None

    def acknowledge(self, through: int) -> None:
        self.acknowledged = through

    def begin_epoch(self, reseal_after: int) -> None:
        unheard = self._batches[reseal_after:]
        del self._batches[reseal_after:]
        self._epoch, self.acknowledged = self._new_epoch(), 0
        self._by_epoch[self._epoch] = []
        for batch in unheard:
            self.append(draft_of(batch))

    def reseal(self, epoch: bytes) -> None:
        for batch in self._by_epoch.pop(epoch):
            self.append(draft_of(batch))

    def keep_points(self, table: PointTable) -> None:
        self._tables[table.digest] = table

    def points(self, digest: bytes) -> PointTable | None:
        return self._tables.get(digest)

    def last_sealed(self) -> LastSealed | None:
        kept = [batch for batches in self._by_epoch.values() for batch in batches]
        if not kept:
            return None
        return LastSealed(kept[-1].header.boot, kept[-1].header.last_at, self._was_stopped)

    def fill(self) -> Fill:
        used = sum(len(batch.data) for batch in self._batches)
        return Fill(len(self._batches) - self.acknowledged, len(self._batches), used, 1 << 40, 0, 0, used)

    def close(self, *, is_clean: bool) -> None:
        self._was_stopped = is_clean

    @property
    def _batches(self) -> list[SealedBatch]:
        return self._by_epoch[self.epoch]
