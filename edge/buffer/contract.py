"""What the agent may rely on: a batch that `append` has returned from survives kill, power cut and crash.

    entries --seal--> batch --append--> on disk --flight--> ingest --acknowledge--> ring (local history) --trim--> gone

Every buffer passes tests/conformance/test_buffer.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from wire.batch import SealedBatch
from wire.points import PointTable


@dataclass(frozen=True, slots=True)
class Draft:
    """What goes into a batch; the buffer adds epoch, number and chain when it seals."""

    boot: bytes
    offset_ms: int | None
    first_at: int
    last_at: int
    entries: int
    points: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class LastSealed:
    """Where an earlier run of the agent ended, as far as the buffer knows."""

    boot: bytes
    last_at: int
    was_stopped: bool  # True: by a clean shutdown


@dataclass(frozen=True, slots=True)
class Fill:
    """How much the buffer holds and may hold."""

    unsent_batches: int
    kept_batches: int
    used_bytes: int
    quota_bytes: int
    dropped_batches: int  # never acknowledged, dropped for lack of space since the agent started


class BufferFailure(Exception):
    """Base of what a buffer may raise.

    BufferFailure
    ├── BufferFull      the disk takes no more; trying again later helps
    └── BufferCorrupt   the file cannot be trusted; set it aside and begin a new epoch
    """


class BufferFull(BufferFailure):
    """The disk takes no more now."""


class BufferCorrupt(BufferFailure):
    """The file cannot be read as what it was written as."""


class Buffer(Protocol):
    """A durable, numbered, chained sequence of sealed batches. Calls may block on the disk; one caller at a time."""

    epoch: bytes
    acknowledged: int  # highest seq that the ingest said it has committed

    @property
    def next_seq(self) -> int: ...

    @property
    def oldest_seq(self) -> int:
        """The lowest seq of this epoch that is still here; `next_seq` when there is none."""

    def append(self, draft: Draft) -> SealedBatch:
        """Seal and store. When it returns, the batch is on disk. Raises BufferFull."""

    def flight(self, after: int, max_bytes: int) -> Sequence[bytes]:
        """Consecutive batches from `after` + 1 on: as many as fit, at least one. Raises BufferCorrupt."""

    def hash_at(self, seq: int) -> bytes | None:
        """The hash of a batch of this epoch; None when it is not here."""

    def acknowledge(self, through: int) -> None:
        """Remember what the ingest has committed; may go back, when the cloud was restored from a backup."""

    def begin_epoch(self, reseal_after: int) -> None:
        """Start numbering anew under a fresh epoch and seal again what came after `reseal_after` in the old one."""

    def keep_points(self, table: PointTable) -> None: ...

    def points(self, digest: bytes) -> PointTable | None: ...

    def last_sealed(self) -> LastSealed | None: ...

    def fill(self) -> Fill: ...

    def close(self, *, is_clean: bool) -> None: ...
