"""The durable buffer: one SQLite file, one sealed batch a row, one commit a flush.

Tuned as measured (docs/decisions/0003-edge-buffer.md): WAL with synchronous=FULL loses nothing that was committed;
pages of 1 KiB and a checkpoint every 400 pages halve what reaches the flash. The row is the batch as it travels, and
the chain's head is the last row itself: nothing else is written at a flush.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from edge.buffer.contract import BufferCorrupt, BufferFull, Draft, Fill, LastSealed
from wire.batch import NO_PREVIOUS, Header, SealedBatch, open_batch, seal
from wire.body import encode_body
from wire.entries import Gap
from wire.errors import BadSignature, Malformed
from wire.points import PointTable, read_point_table
from wire.signature import SigningKey, VerifyKey

_SEQ_BITS = 40
_SEQ_MASK = (1 << _SEQ_BITS) - 1
_ACK_EVERY_APPENDS = 12  # with a flush of 5 s once a minute; a lost acknowledgement is asked for again on connecting
_TRIM_ROWS = 64

_SCHEMA = """
CREATE TABLE epoch (no INTEGER PRIMARY KEY, id BLOB NOT NULL, acknowledged INTEGER NOT NULL);
CREATE TABLE batch (id INTEGER PRIMARY KEY, data BLOB NOT NULL);  -- id = epoch number << 40 | seq
CREATE TABLE point_table (digest BLOB PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE mark (key TEXT PRIMARY KEY, value BLOB NOT NULL);
"""


class SqliteBuffer:
    """See contract.Buffer."""

    def __init__(self, path: Path, gateway: str, key: SigningKey, quota_bytes: int) -> None:
        """Opens or creates the file. Raises BufferCorrupt when it is there but cannot be trusted, BufferFull."""
        self._gateway, self._key, self._quota_bytes = gateway, key, quota_bytes
        self._own = VerifyKey(key.public)
        self._lock = threading.Lock()
        self._dropped = 0
        self._appends_since_ack_kept = 0
        self._epoch_no, self._head_seq, self._oldest_seq = 0, 0, 1
        self._head_hash = NO_PREVIOUS
        self._db = _connect(path)
        try:
            with _as_buffer_errors():
                self._open()
        except BaseException:
            self._db.close()
            raise

    @property
    def next_seq(self) -> int:
        return self._head_seq + 1

    @property
    def oldest_seq(self) -> int:
        return self._oldest_seq

    def append(self, draft: Draft) -> SealedBatch:
        with self._lock, _as_buffer_errors():
            batch = self._seal(draft, self._head_seq + 1, self._head_hash)
            with self._transaction():
                self._make_room(len(batch.data))
                self._insert(batch)
                self._keep_acknowledged()
                self._db.execute("DELETE FROM mark WHERE key = 'stopped'")
            self._head_seq, self._head_hash = batch.header.seq, batch.hash
            return batch

    def flight(self, after: int, max_bytes: int) -> Sequence[bytes]:
        with self._lock, _as_buffer_errors():
            found: list[bytes] = []
            size, previous = 0, self._hash_at(after) if after else NO_PREVIOUS
            for seq, data in self._rows(after + 1):
                if found and size + len(data) > max_bytes:
                    break
                previous = self._check(data, seq, previous)
                found.append(data)
                size += len(data)
            return found

    def hash_at(self, seq: int) -> bytes | None:
        with self._lock, _as_buffer_errors():
            return self._hash_at(seq)

    def acknowledge(self, through: int) -> None:
        self.acknowledged = through  # kept on disk with a later append: it can always be asked for again
        self._appends_since_ack_kept += 1

    def begin_epoch(self, reseal_after: int) -> None:
        with self._lock, _as_buffer_errors():
            old_no, new_no = self._epoch_no, self._epoch_no + 1
            epoch = os.urandom(16)
            with self._transaction():
                self._db.execute("INSERT INTO epoch VALUES (?, ?, 0)", (new_no, epoch))
                self._epoch_no, self.epoch = new_no, epoch
                head_seq, head_hash = 0, NO_PREVIOUS
                for draft in self._drafts(old_no, reseal_after):
                    batch = self._seal(draft, head_seq + 1, head_hash)
                    self._insert(batch)
                    head_seq, head_hash = batch.header.seq, batch.hash
                first = old_no << _SEQ_BITS | (reseal_after + 1)
                self._db.execute("DELETE FROM batch WHERE id BETWEEN ? AND ?", (first, old_no << _SEQ_BITS | _SEQ_MASK))
            self._head_seq, self._head_hash, self.acknowledged = head_seq, head_hash, 0
            self._oldest_seq = 1

    def keep_points(self, table: PointTable) -> None:
        with self._lock, _as_buffer_errors(), self._transaction():
            self._db.execute("INSERT OR IGNORE INTO point_table VALUES (?, ?)", (table.digest, table.data))

    def points(self, digest: bytes) -> PointTable | None:
        with self._lock, _as_buffer_errors():
            row = self._db.execute("SELECT data FROM point_table WHERE digest = ?", (digest,)).fetchone()
        return None if row is None else read_point_table(row[0])

    def last_sealed(self) -> LastSealed | None:
        with self._lock, _as_buffer_errors():
            row = self._db.execute("SELECT data FROM batch ORDER BY id DESC LIMIT 1").fetchone()
            stopped = self._db.execute("SELECT 1 FROM mark WHERE key = 'stopped'").fetchone()
        if row is None:
            return None
        header = open_batch(row[0]).header
        return LastSealed(header.boot, header.last_at, stopped is not None)

    def fill(self) -> Fill:
        with self._lock, _as_buffer_errors():
            return Fill(
                unsent_batches=self._head_seq - max(self.acknowledged, self._oldest_seq - 1),
                kept_batches=self._head_seq - self._oldest_seq + 1,
                used_bytes=self._used_bytes(),
                quota_bytes=self._quota_bytes,
                dropped_batches=self._dropped,
            )

    def close(self, *, is_clean: bool) -> None:
        with self._lock:
            try:
                with self._transaction():
                    self._db.execute(
                        "UPDATE epoch SET acknowledged = ? WHERE no = ?", (self.acknowledged, self._epoch_no)
                    )
                    if is_clean:
                        self._db.execute("INSERT OR REPLACE INTO mark VALUES ('stopped', x'')")
            finally:
                self._db.close()

    # ---- within the lock

    def _open(self) -> None:
        if not self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'batch'").fetchone():
            self._db.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
        row = self._db.execute("SELECT no, id, acknowledged FROM epoch ORDER BY no DESC LIMIT 1").fetchone()
        if row is None:
            row = (1, os.urandom(16), 0)
            with self._transaction():
                self._db.execute("INSERT INTO epoch VALUES (?, ?, ?)", row)
        self._epoch_no, self.epoch, self.acknowledged = row
        first, last = self._db.execute("SELECT min(id), max(id) FROM batch WHERE id > ?", (self._id(0),)).fetchone()
        self._oldest_seq = 1 if first is None else first & _SEQ_MASK
        if last is not None:
            self._head_seq = last & _SEQ_MASK
            data = self._db.execute("SELECT data FROM batch WHERE id = ?", (last,)).fetchone()[0]
            self._head_hash = open_batch(data).hash

    def _seal(self, draft: Draft, seq: int, prev: bytes) -> SealedBatch:
        header = Header(
            gateway=self._gateway,
            epoch=self.epoch,
            seq=seq,
            boot=draft.boot,
            offset_ms=draft.offset_ms,
            first_at=draft.first_at,
            last_at=draft.last_at,
            entries=draft.entries,
            prev=prev,
            points=draft.points,
        )
        return seal(header, draft.body, self._key.sign)

    def _insert(self, batch: SealedBatch) -> None:
        self._db.execute("INSERT INTO batch VALUES (?, ?)", (self._id(batch.header.seq), batch.data))

    def _rows(self, from_seq: int) -> Iterator[tuple[int, bytes]]:
        rows = self._db.execute("SELECT id, data FROM batch WHERE id >= ? ORDER BY id", (self._id(from_seq),))
        return ((id_ & _SEQ_MASK, data) for id_, data in rows)

    def _hash_at(self, seq: int) -> bytes | None:
        if seq == self._head_seq:
            return self._head_hash
        row = self._db.execute("SELECT data FROM batch WHERE id = ?", (self._id(seq),)).fetchone()
        return None if row is None else open_batch(row[0]).hash

    def _check(self, data: bytes, seq: int, previous: bytes | None) -> bytes:
        """Bytes that flipped on the card are found here, before they are sent."""
        try:
            batch = self._open_own(data)
        except (Malformed, BadSignature) as error:
            raise BufferCorrupt(f"batch {seq} is not as it was written: {error}") from error
        if batch.header.seq != seq or (previous is not None and batch.header.prev != previous):
            raise BufferCorrupt(f"batch {seq} does not follow the one before it")
        return batch.hash

    def _open_own(self, data: bytes) -> SealedBatch:
        batch = open_batch(data)
        self._own.verify(batch.signed, batch.signature)
        return batch

    def _drafts(self, epoch_no: int, after: int) -> Iterator[Draft]:
        """What is to be sealed again; a row that cannot be read becomes a declared gap in its place."""
        last: Header | None = None
        for seq in range(max(after + 1, self._oldest_seq), self._head_seq + 1):
            row = self._db.execute("SELECT data FROM batch WHERE id = ?", (epoch_no << _SEQ_BITS | seq,)).fetchone()
            try:
                batch = self._open_own(row[0] if row else b"")
            except (Malformed, BadSignature) as error:
                if last is not None:
                    yield _gap_draft(last, seq, str(error))
                continue
            last = header = batch.header
            yield Draft(
                header.boot,
                header.offset_ms,
                header.first_at,
                header.last_at,
                header.entries,
                header.points,
                batch.body,
            )

    def _make_room(self, need_bytes: int) -> None:
        """Within the quota the ring keeps all; beyond it the oldest goes, acknowledged or (counted) not."""
        while self._used_bytes() + need_bytes > self._quota_bytes and self._head_seq > self._oldest_seq:
            upto = min(self._oldest_seq + _TRIM_ROWS - 1, self._head_seq - 1)
            self._dropped += max(0, upto - max(self.acknowledged, self._oldest_seq - 1))
            self._db.execute("DELETE FROM batch WHERE id <= ?", (self._id(upto),))
            self._oldest_seq = upto + 1

    def _used_bytes(self) -> int:
        pages, free, size = (self._db.execute(f"PRAGMA {name}").fetchone()[0] for name in _PAGE_PRAGMAS)
        return int((pages - free) * size)

    def _keep_acknowledged(self) -> None:
        if self._appends_since_ack_kept >= _ACK_EVERY_APPENDS:
            self._db.execute("UPDATE epoch SET acknowledged = ? WHERE no = ?", (self.acknowledged, self._epoch_no))
            self._appends_since_ack_kept = 0

    def _id(self, seq: int) -> int:
        return int(self._epoch_no << _SEQ_BITS | seq)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


_PAGE_PRAGMAS = ("page_count", "freelist_count", "page_size")


def set_aside(path: Path, stamp: str) -> Path:
    """Move an untrusted buffer file (and its journal) out of the way; it is kept for those who want to look."""
    aside = path.with_name(f"{path.name}.corrupt-{stamp}")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside


def _connect(path: Path) -> sqlite3.Connection:
    with _as_buffer_errors():
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
        try:
            for pragma in ("page_size=1024", "journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=400"):
                db.execute(f"PRAGMA {pragma}")
            db.execute("PRAGMA cache_size=-2048")
        except BaseException:
            db.close()
            raise
    return db


def _gap_draft(last: Header, seq: int, reason: str) -> Draft:
    gap = Gap("buffer_corrupt", None, last.last_at, None, None, f"batch {seq}: {reason}")
    body = encode_body([gap], last.last_at)
    return Draft(last.boot, last.offset_ms, last.last_at, last.last_at, 1, last.points, body)


@contextmanager
def _as_buffer_errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        name = getattr(error, "sqlite_errorname", "") or ""
        if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
            raise BufferFull(f"{name}: {error}") from error
        if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
            raise BufferCorrupt(f"{name}: {error}") from error
        raise
    except Malformed as error:
        raise BufferCorrupt(str(error)) from error
