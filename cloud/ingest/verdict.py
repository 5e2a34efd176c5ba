"""What to do with one batch, decided from its envelope and the gateway's cursor alone.

seq <= through       same hash as stored   REPEATED      acknowledge again
                     another hash          CONFLICT      evidence: a cloned card or an old image
seq == through + 1   prev fits             TAKE
                     prev does not fit     CHAIN_BROKEN  evidence, as above
seq >  through + 1                         HOLE          answer with what is committed
"""

from dataclasses import dataclass
from enum import StrEnum

from wire.batch import NO_PREVIOUS, SealedBatch


@dataclass(frozen=True, slots=True)
class Cursor:
    """Every batch of an epoch up to `through` is committed or declared lost; `hash` is that of the last, if it came."""

    through: int = 0
    hash: bytes | None = None


class Verdict(StrEnum):
    TAKE = "take"
    REPEATED = "repeated"
    HOLE = "hole"
    CONFLICT = "conflict"
    CHAIN_BROKEN = "chain_broken"


def judge(batch: SealedBatch, cursor: Cursor, stored_hash: bytes | None) -> Verdict:
    """`stored_hash` is that of the stored batch with the same number, None when there is none."""
    seq = batch.header.seq
    if seq <= cursor.through:
        return Verdict.CONFLICT if stored_hash not in {None, batch.hash} else Verdict.REPEATED
    if seq > cursor.through + 1:
        return Verdict.HOLE
    if not _follows(batch, cursor):
        return Verdict.CHAIN_BROKEN
    return Verdict.TAKE


def _follows(batch: SealedBatch, cursor: Cursor) -> bool:
    if cursor.through == 0:
        return batch.header.prev == NO_PREVIOUS
    # After a declared loss the batch before is unknown here, and any `prev` has to be believed.
    return cursor.hash is None or batch.header.prev == cursor.hash
