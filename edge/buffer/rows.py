"""The rows of the buffer file as what they are: batches by epoch number and seq, sound or not. No decisions here."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from edge.buffer.contract import Draft, draft_of
from edge.buffer.file import SEQ_BITS, SEQ_MASK
from edge.buffer.wreck import hole
from wire.batch import NO_PREVIOUS, SealedBatch, open_batch
from wire.errors import BadSignature, Malformed
from wire.signature import VerifyKey


def row_id(no: int, seq: int) -> int:
    return no << SEQ_BITS | seq


class Rows:
    """`own` is the gateway's key: bytes that flipped on the card no longer fit its signature."""

    def __init__(self, db: sqlite3.Connection, own: VerifyKey) -> None:
        self._db, self._own = db, own

    def add(self, no: int, batch: SealedBatch) -> None:
        self._db.execute("INSERT INTO batch VALUES (?, ?)", (row_id(no, batch.header.seq), batch.data))

    def remove(self, no: int, first: int, last: int) -> None:
        self._db.execute("DELETE FROM batch WHERE id BETWEEN ? AND ?", (row_id(no, first), row_id(no, last)))

    def remove_oldest(self, through: int, most: int) -> int:
        """Of any epoch, up to an id; how many there were."""
        done = self._db.execute(
            "DELETE FROM batch WHERE id IN (SELECT id FROM batch WHERE id <= ? ORDER BY id LIMIT ?)", (through, most)
        )
        return done.rowcount

    def open(self, data: bytes) -> SealedBatch:
        """Raises Malformed and BadSignature."""
        batch = open_batch(data)
        self._own.verify(batch.signed, batch.signature)
        return batch

    def sound(self, data: bytes) -> SealedBatch | None:
        try:
            return self.open(data)
        except (Malformed, BadSignature):
            return None

    def newest(self, no: int) -> SealedBatch | None:
        """Raises as `open`: without it neither numbers nor chain can go on."""
        row = self._db.execute(
            "SELECT data FROM batch WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1",
            (row_id(no, 0), row_id(no, SEQ_MASK)),
        ).fetchone()
        return None if row is None else self.open(row[0])

    def last_written(self) -> SealedBatch | None:
        row = self._db.execute("SELECT data FROM batch ORDER BY id DESC LIMIT 1").fetchone()
        return None if row is None else open_batch(row[0])

    def oldest(self, no: int, head: int) -> int:
        """The lowest seq that is here; `head` + 1 when there is none."""
        first = self._db.execute(
            "SELECT min(id) FROM batch WHERE id BETWEEN ? AND ?", (row_id(no, 0), row_id(no, SEQ_MASK))
        ).fetchone()[0]
        return head + 1 if first is None else int(first) & SEQ_MASK

    def at(self, no: int, seq: int) -> SealedBatch | None:
        """None: not here, or not sound."""
        row = self._db.execute("SELECT data FROM batch WHERE id = ?", (row_id(no, seq),)).fetchone()
        return None if row is None else self.sound(row[0])

    def hash_at(self, no: int, seq: int) -> bytes | None:
        batch = self.at(no, seq)
        if batch is not None:
            return batch.hash
        following = self.at(no, seq + 1)
        return None if following is None else following.header.prev

    def after(self, no: int, seq: int) -> Iterator[tuple[int, bytes]]:
        rows = self._db.execute(
            "SELECT id, data FROM batch WHERE id > ? AND id <= ? ORDER BY id", (row_id(no, seq), row_id(no, SEQ_MASK))
        )
        return ((id_ & SEQ_MASK, data) for id_, data in rows)

    def flight(self, no: int, after: int, max_bytes: int) -> Iterator[bytes]:
        """Consecutive, chained and sound, as many as fit, at least one; nothing when the next is not there."""
        before = self.at(no, after) if after else None
        previous = NO_PREVIOUS if after == 0 else before and before.hash
        size = 0
        for expected, (seq, data) in enumerate(self.after(no, after), start=after + 1):
            size += len(data)
            batch = self.sound(data)
            if seq != expected or batch is None or (size > max_bytes and expected > after + 1):
                return
            if batch.header.seq != expected or (previous is not None and batch.header.prev != previous):
                return
            yield data
            previous = batch.hash

    def next_sound(self, no: int, after: int, head: int) -> int:
        return next((seq for seq, data in self.after(no, after) if self.sound(data) is not None), head + 1)

    def drafts(self, no: int, first: int, end: int) -> Iterator[Draft]:
        """What is to be sealed again; what cannot be read becomes a declared gap in its place."""
        last: SealedBatch | None = None
        for seq in range(first, end + 1):
            batch = self.at(no, seq)
            if batch is None:
                continue
            draft = draft_of(batch)
            if last is not None and last.header.seq + 1 != seq:
                yield hole(last.header, draft, f"batches {last.header.seq + 1} to {seq - 1}")
            yield draft
            last = batch
