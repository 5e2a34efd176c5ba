"""What the agent may rely on: a batch that `append` has returned from survives kill, power cut and crash.

    entries --seal--> batch --append--> on disk --flight--> ingest --acknowledge--> ring (local history) --trim--> gone

Batches are numbered within an epoch. When an epoch has to end (the cloud knows another history, the file was damaged)
the next one seals again what was not heard; what was heard stays in the ring under its old number, for a cloud that is
restored from an older backup. Every buffer passes tests/conformance/test_buffer.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from wire.batch import SealedBatch
from wire.messages import Gone
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


def draft_of(batch: SealedBatch) -> Draft:
    """What was sealed, to be sealed again under another number."""
    h = batch.header
    return Draft(h.boot, h.offset_ms, h.first_at, h.last_at, h.entries, h.points, batch.body)


@dataclass(frozen=True, slots=True)
class LastSealed:
    """Where an earlier run of the agent ended, as far as the buffer knows."""

    boot: bytes
    last_at: int
    was_stopped: bool  # True: by a clean shutdown


@dataclass(frozen=True, slots=True)
class Fill:
    """How much the buffer holds and may hold; counts are since the agent started."""

    unsent_batches: int
    kept_batches: int
    used_bytes: int
    quota_bytes: int  # less than what is configured when the disk has less to give
    dropped_batches: int  # never acknowledged and gone for lack of space, thinned ones included
    thinned_batches: int
    appended_bytes: int

    @property
    def unsent_bytes(self) -> int:
        """By the average batch."""
        return self.used_bytes * self.unsent_batches // max(1, self.kept_batches)


class Span(NamedTuple):
    """The numbers of one epoch that are still here: from `oldest` on and before `next`; equal when there are none."""

    oldest: int
    next: int


class BufferFailure(Exception):
    """Base of what a buffer may raise.

    BufferFailure
    ├── BufferFull      the disk takes no more; trying again later helps
    └── BufferCorrupt   the file cannot be trusted and could not be mended
    """


class BufferFull(BufferFailure):
    """The disk takes no more now."""


class BufferCorrupt(BufferFailure):
    """The file cannot be read as what it was written as."""


class Buffer(Protocol):
    """A durable, numbered, chained sequence of sealed batches. Calls may block on the disk; one caller at a time.

    `epoch` may change with any call that touches the disk: a damaged file is mended by beginning anew.
    """

    acknowledged: int  # highest seq of the current epoch that the ingest said it has committed

    @property
    def epoch(self) -> bytes: ...

    @property
    def next_seq(self) -> int: ...

    @property
    def oldest_seq(self) -> int:
        """The lowest seq of this epoch that is still here; `next_seq` when there is none."""

    @property
    def earlier_epochs(self) -> Sequence[bytes]:
        """Oldest first: those in which something was heard, kept or not."""

    def span(self, epoch: bytes) -> Span: ...

    def append(self, draft: Draft) -> SealedBatch:
        """Seal and store. When it returns, the batch is on disk. Raises BufferFull."""

    def flight(self, after: int, max_bytes: int, epoch: bytes | None = None) -> Sequence[bytes]:
        """Consecutive sound batches from `after` + 1 on, as many as fit, at least one; none if that one is not here."""

    def gone(self, after: int, epoch: bytes | None = None) -> Gone | None:
        """The batches from `after` + 1 on that were thinned or damaged; None when the next is sound, or plainly old."""

    def hash_at(self, seq: int, epoch: bytes | None = None) -> bytes | None:
        """The hash of a batch, by itself or by the one that follows it; None when neither is here."""

    def holds(self, seq: int, epoch: bytes | None = None) -> bool:
        """It is here and sound."""

    def acknowledge(self, through: int) -> None:
        """Remember what the ingest has committed; may go back, when the cloud was restored from a backup."""

    def begin_epoch(self, reseal_after: int) -> None:
        """Start numbering anew under a fresh epoch and seal again what came after `reseal_after` in the old one."""

    def reseal(self, epoch: bytes) -> None:
        """Seal everything that is left of an earlier epoch again in the current one, and forget the earlier."""

    def keep_points(self, table: PointTable) -> None: ...

    def points(self, digest: bytes) -> PointTable | None: ...

    def last_sealed(self) -> LastSealed | None: ...

    def fill(self) -> Fill: ...

    def close(self, *, is_clean: bool) -> None: ...
