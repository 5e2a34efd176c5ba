"""The durable buffer: one SQLite file, one sealed batch a row, one commit a flush.

The row is the batch as it travels, and the chain's head is the last row itself: nothing else is written at a flush.

Within the quota the ring keeps everything. Beyond it goes, in this order: what was heard, oldest first; then what was
not heard is thinned (edge/buffer/thinning.py) and put at the head again; then the oldest thinned. A damaged file is set
aside, what is sound and unheard in it is sealed again in a new one, and the rest is declared.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from edge.buffer.contract import BufferCorrupt, BufferFull, Draft, Fill, LastSealed, Span, draft_of
from edge.buffer.file import (
    as_buffer_errors,
    drop_ballast,
    hold_ballast,
    open_file,
    room_bytes,
    transaction,
    used_bytes,
)
from edge.buffer.rows import Rows, row_id
from edge.buffer.thinning import alike, thinned
from edge.buffer.wreck import Wreck, hole, set_aside, set_aside_before
from wire.batch import NO_PREVIOUS, Header, SealedBatch, seal
from wire.messages import Gone
from wire.points import PointTable, read_point_table
from wire.signature import SigningKey, VerifyKey

log = logging.getLogger(__name__)

RESERVE_BYTES = 16 << 20  # of the disk: for the journal, and for whatever else lives there
_ACK_EVERY_APPENDS = 12  # with a flush of 5 s once a minute; a lost acknowledgement is asked for again on connecting
_TRIM_ROWS = 64
_THIN_BYTES = 1 << 20
_ENVELOPE_BYTES = 300
_NO_EPOCH = (0, 0)  # one that is not known, or no longer: nothing was ever stored under it
_MOST_EPOCHS = 16

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _State:
    """What the file says, kept at hand; taken back with the transaction that did not come about."""

    no: int  # of the current epoch
    epoch: bytes
    seq: int  # the newest batch
    hash: bytes
    oldest: int
    thinned: Span  # numbers of the current epoch that were thinned last
    dropped: int = 0
    thinned_batches: int = 0
    appended_bytes: int = 0


class SqliteBuffer:
    """See contract.Buffer."""

    def __init__(
        self,
        path: Path,
        gateway: str,
        key: SigningKey,
        quota_bytes: int,
        *,
        new_epoch: Callable[[], bytes] = lambda: os.urandom(16),
    ) -> None:
        """Opens, mends or creates the file. Raises BufferFull, and BufferCorrupt when it cannot even be set aside."""
        self._path, self._gateway, self._key, self._quota_bytes = path, gateway, key, quota_bytes
        self._own = VerifyKey(key.public)
        self._new_epoch = new_epoch
        self._lock = threading.Lock()
        self._appends_since_ack_kept = 0
        self._hole_behind: tuple[Header | None, str] | None = None  # a mended file: what comes next shows where it ends
        try:
            self._open()
            self._salvage_aside()
        except BufferCorrupt as error:
            self._begin_anew(error)

    @property
    def epoch(self) -> bytes:
        return self._state.epoch

    @property
    def is_mended(self) -> bool:
        """It was damaged and begun anew; what could not be saved will be declared with the next batch."""
        return self._hole_behind is not None

    @property
    def next_seq(self) -> int:
        return self._state.seq + 1

    @property
    def oldest_seq(self) -> int:
        return self._state.oldest

    @property
    def earlier_epochs(self) -> Sequence[bytes]:
        return list(self._earlier)

    def span(self, epoch: bytes) -> Span:
        if epoch == self._state.epoch:
            return Span(self._state.oldest, self._state.seq + 1)
        no, last = self._earlier.get(epoch, _NO_EPOCH)
        return self._safely(lambda: Span(self._rows.oldest(no, last), last + 1))

    def append(self, draft: Draft) -> SealedBatch:
        try:
            return self._safely(lambda: self._append(draft))
        except BufferFull:
            drop_ballast(self._path)
            self._safely(self._rewind_journal)
            return self._safely(lambda: self._append(draft))

    def flight(self, after: int, max_bytes: int, epoch: bytes | None = None) -> Sequence[bytes]:
        asked = epoch or self.epoch  # a file mended meanwhile has another
        return self._safely(lambda: list(self._rows.flight(self._no_of(asked), after, max_bytes)))

    def gone(self, after: int, epoch: bytes | None = None) -> Gone | None:
        asked = epoch or self.epoch
        return self._safely(lambda: self._gone(self._no_of(asked), after))

    def hash_at(self, seq: int, epoch: bytes | None = None) -> bytes | None:
        asked = epoch or self.epoch
        return self._safely(lambda: self._rows.hash_at(self._no_of(asked), seq))

    def holds(self, seq: int, epoch: bytes | None = None) -> bool:
        asked = epoch or self.epoch
        return self._safely(lambda: self._rows.at(self._no_of(asked), seq)) is not None

    def acknowledge(self, through: int) -> None:
        self.acknowledged = through  # kept on disk with a later append: it can always be asked for again

    def begin_epoch(self, reseal_after: int) -> None:
        with self._lock:
            try:
                with as_buffer_errors():
                    self._begin_epoch(reseal_after)
            except BufferCorrupt as error:
                self._begin_anew(error)  # which is a new epoch

    def reseal(self, epoch: bytes) -> None:
        self._safely(lambda: self._reseal(epoch))

    def keep_points(self, table: PointTable) -> None:
        self._safely(lambda: self._keep_points([table]))  # one statement, a transaction of its own

    def points(self, digest: bytes) -> PointTable | None:
        row = self._safely(
            lambda: self._db.execute("SELECT data FROM point_table WHERE digest = ?", (digest,)).fetchone()
        )
        return None if row is None else read_point_table(row[0])

    def last_sealed(self) -> LastSealed | None:
        batch, is_stopped = self._safely(lambda: (self._rows.last_written(), self._mark("stopped") is not None))
        return None if batch is None else LastSealed(batch.header.boot, batch.header.last_at, is_stopped)

    def fill(self) -> Fill:
        return self._safely(self._fill)

    def close(self, *, is_clean: bool) -> None:
        with self._lock:
            try:
                with as_buffer_errors(), transaction(self._db):
                    self._write_acknowledged()
                    if is_clean:
                        self._db.execute("INSERT OR REPLACE INTO mark VALUES ('stopped', x'')")
            except (BufferFull, BufferCorrupt) as error:
                log.warning("the buffer could not be closed cleanly: %s", error)  # the next start finds what there is
            finally:
                self._db.close()

    def _safely(self, call: Callable[[], T]) -> T:
        """One caller at a time; a file that proves damaged is mended and the call made again."""
        with self._lock:
            try:
                with as_buffer_errors():
                    return call()
            except BufferCorrupt as error:
                self._begin_anew(error)
                with as_buffer_errors():
                    return call()

    # ---- opening and mending

    def _open(self) -> None:
        self._db = open_file(self._path)
        self._rows = Rows(self._db, self._own)
        try:
            with as_buffer_errors():
                self._read_state()
            hold_ballast(self._path)
        except BaseException:
            self._db.close()
            raise

    def _read_state(self) -> None:
        row = self._db.execute(
            "SELECT no, id, acknowledged, thinned_from, thinned_to FROM epoch ORDER BY no DESC LIMIT 1"
        ).fetchone()
        if row is None:
            row = (1, self._new_epoch(), 0, 0, 0)
            with transaction(self._db):
                self._db.execute("INSERT INTO epoch (no, id, acknowledged) VALUES (?, ?, ?)", row[:3])
        no, epoch, self.acknowledged, thinned_from, thinned_to = row
        self._earlier: dict[bytes, tuple[int, int]] = {
            id_: (number, last)
            for number, id_, last in self._db.execute("SELECT no, id, last FROM epoch WHERE no < ? ORDER BY no", (no,))
            if last
        }
        newest = self._rows.newest(no)
        seq, hash_ = (0, NO_PREVIOUS) if newest is None else (newest.header.seq, newest.hash)
        oldest = self._rows.oldest(no, seq)
        self._state = _State(no, epoch, seq, hash_, oldest, Span(thinned_from, thinned_to + 1))

    def _begin_anew(self, why: BufferCorrupt) -> None:
        """A new file under a new epoch, with everything of the old one that is sound and was not heard."""
        self._close_quietly()
        aside = set_aside(self._path, time.strftime("%Y%m%dT%H%M%S", time.gmtime()))
        log.error("the buffer is damaged (%s); it is kept as %s and what is sound in it is sealed again", why, aside)
        self._open()
        self._salvage_aside()

    def _salvage_aside(self) -> None:
        """Once for each file that was set aside, also when the agent died in the middle of it."""
        aside = set_aside_before(self._path)
        if aside is None or self._mark("salvaged") == aside.name.encode():
            return
        wreck = Wreck(aside)
        try:
            with as_buffer_errors(), self._change():
                self._salvage(wreck, f"kept as {aside.name}")
                self._db.execute("INSERT OR REPLACE INTO mark VALUES ('salvaged', ?)", (aside.name.encode(),))
        finally:
            wreck.close()

    def _close_quietly(self) -> None:
        try:
            self._db.close()
        except (sqlite3.Error, AttributeError):  # never opened, or nothing that closing could still save
            pass

    def _salvage(self, wreck: Wreck, detail: str) -> None:
        self._keep_points(wreck.point_tables())
        epoch_no, acknowledged = wreck.newest_epoch()
        last: Header | None = None
        for _, data in wreck.batches(row_id(epoch_no, acknowledged)):
            batch = self._rows.sound(data)
            if batch is None:
                continue
            draft = draft_of(batch)
            if last is not None and batch.header.seq != last.seq + 1:
                self._insert(hole(last, draft, detail))
            self._insert(draft)
            last = batch.header
        self._hole_behind = last, detail

    # ---- within the lock

    def _append(self, draft: Draft) -> SealedBatch:
        with self._change():
            self._make_room(len(draft.body) + _ENVELOPE_BYTES)
            if self._hole_behind is not None:
                last, detail = self._hole_behind
                self._insert(hole(last, draft, detail))
            batch = self._insert(draft)
            self._keep_acknowledged()
            self._db.execute("DELETE FROM mark WHERE key = 'stopped'")
        self._hole_behind = None
        return batch

    def _rewind_journal(self) -> None:
        """The space that it has on a full disk is ours already, to be written from its beginning again."""
        self._db.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()

    @contextmanager
    def _change(self) -> Iterator[None]:
        """A transaction; if it does not come about, what we hold in hand goes back with it."""
        before = self._state, self.acknowledged, self._earlier, self._appends_since_ack_kept
        try:
            with transaction(self._db):
                yield
        except BaseException:
            self._state, self.acknowledged, self._earlier, self._appends_since_ack_kept = before
            raise

    def _insert(self, draft: Draft) -> SealedBatch:
        """Seal as the next one and store."""
        state = self._state
        header = Header(
            gateway=self._gateway,
            epoch=state.epoch,
            seq=state.seq + 1,
            boot=draft.boot,
            offset_ms=draft.offset_ms,
            first_at=draft.first_at,
            last_at=draft.last_at,
            entries=draft.entries,
            prev=state.hash,
            points=draft.points,
        )
        batch = seal(header, draft.body, self._key.sign)
        self._rows.add(state.no, batch)
        appended = state.appended_bytes + len(batch.data)
        self._state = replace(state, seq=header.seq, hash=batch.hash, appended_bytes=appended)
        return batch

    def _keep_acknowledged(self) -> None:
        self._appends_since_ack_kept += 1
        if self._appends_since_ack_kept >= _ACK_EVERY_APPENDS:
            self._write_acknowledged()
            self._appends_since_ack_kept = 0
            hold_ballast(self._path)

    def _write_acknowledged(self) -> None:
        """Only if it is news: a page that does not change is not written."""
        self._db.execute(
            "UPDATE epoch SET acknowledged = ?1 WHERE no = ?2 AND acknowledged <> ?1",
            (self.acknowledged, self._state.no),
        )

    def _gone(self, no: int, after: int) -> Gone | None:
        first = after + 1
        if no == self._state.no and self._state.thinned.oldest <= first < self._state.thinned.next:
            return Gone(first, self._state.thinned.next - 1, "thinned")
        head = self._last_of(no)
        is_old = first < self._rows.oldest(no, head)
        if is_old or first > head or next(self._rows.flight(no, after, 1), None) is not None:
            return None
        return Gone(first, self._rows.next_sound(no, first, head) - 1, "buffer_corrupt")

    def _begin_epoch(self, reseal_after: int) -> None:
        with self._change():
            old, heard = self._state, min(reseal_after, self._state.seq)
            self._db.execute("UPDATE epoch SET last = ? WHERE no = ?", (heard, old.no))
            fresh = _State(old.no + 1, self._new_epoch(), 0, NO_PREVIOUS, 1, Span(0, 1), old.dropped)
            self._db.execute("INSERT INTO epoch (no, id, acknowledged) VALUES (?, ?, 0)", (fresh.no, fresh.epoch))
            self._db.execute("DELETE FROM epoch WHERE no <= ?", (fresh.no - _MOST_EPOCHS,))
            self._state, self.acknowledged = fresh, 0
            for draft in self._rows.drafts(old.no, max(heard + 1, old.oldest), old.seq):
                self._insert(draft)
            self._rows.remove(old.no, heard + 1, old.seq)
            if heard:
                self._earlier = self._earlier | {old.epoch: (old.no, heard)}

    def _reseal(self, epoch: bytes) -> None:
        no, last = self._earlier.get(epoch, _NO_EPOCH)
        with self._change():
            for draft in self._rows.drafts(no, self._rows.oldest(no, last), last):
                self._insert(draft)
            self._rows.remove(no, 0, last)
            self._db.execute("DELETE FROM epoch WHERE no = ?", (no,))
            self._earlier = {id_: known for id_, known in self._earlier.items() if id_ != epoch}

    def _keep_points(self, tables: Iterable[PointTable]) -> None:
        rows = ((table.digest, table.data) for table in tables)
        self._db.executemany("INSERT OR IGNORE INTO point_table VALUES (?, ?)", rows)

    def _mark(self, key: str) -> bytes | None:
        row = self._db.execute("SELECT value FROM mark WHERE key = ?", (key,)).fetchone()
        return None if row is None else bytes(row[0])

    def _fill(self) -> Fill:
        state = self._state
        return Fill(
            unsent_batches=state.seq - max(self.acknowledged, state.oldest - 1),
            kept_batches=state.seq - state.oldest + 1,
            used_bytes=used_bytes(self._db),
            quota_bytes=self._limit_bytes(),
            dropped_batches=state.dropped,
            thinned_batches=state.thinned_batches,
            appended_bytes=state.appended_bytes,
        )

    # ---- room

    def _limit_bytes(self) -> int:
        return min(self._quota_bytes, room_bytes(self._db, self._path, RESERVE_BYTES))

    def _make_room(self, need_bytes: int) -> None:
        limit = self._limit_bytes()
        while used_bytes(self._db) + need_bytes > limit and (self._forget_heard() or self._thin_oldest()):
            self._state = replace(self._state, oldest=self._rows.oldest(self._state.no, self._state.seq))

    def _forget_heard(self) -> bool:
        """The newest batch always stays: the chain and the numbers go on from it."""
        through = min(self._id(self.acknowledged), self._id(self._state.seq - 1))
        return self._rows.remove_oldest(through, _TRIM_ROWS) > 0

    def _thin_oldest(self) -> bool:
        """A run of batches that were not heard becomes one at the head. False: there is nothing left to thin."""
        oldest = self._oldest_unheard()
        if not oldest:
            return False
        run = alike([self._rows.sound(data) for _, data in oldest])
        first, last = oldest[0][0], oldest[len(run) - 1][0]
        draft = thinned([batch for batch in run if batch is not None])
        self._rows.remove(self._state.no, first, last)
        self._state = replace(self._state, dropped=self._state.dropped + len(run))
        if draft is not None:
            self._note_thinned(first, last)
            self._insert(draft)
        return True

    def _oldest_unheard(self) -> list[tuple[int, bytes]]:
        state, size = self._state, 0
        found: list[tuple[int, bytes]] = []
        for seq, data in self._rows.after(state.no, max(self.acknowledged, state.oldest - 1)):
            size += len(data)
            if seq == state.seq or (found and size > _THIN_BYTES):
                break
            found.append((seq, data))
        return found

    def _note_thinned(self, first: int, last: int) -> None:
        state = self._state
        begin = state.thinned.oldest if state.thinned.next == first else first
        self._state = replace(
            state, thinned=Span(begin, last + 1), thinned_batches=state.thinned_batches + last - first + 1
        )
        self._db.execute("UPDATE epoch SET thinned_from = ?, thinned_to = ? WHERE no = ?", (begin, last, state.no))

    # ---- numbers

    def _no_of(self, epoch: bytes) -> int:
        return self._state.no if epoch == self._state.epoch else self._earlier.get(epoch, _NO_EPOCH)[0]

    def _last_of(self, no: int) -> int:
        if no == self._state.no:
            return self._state.seq
        return next((last for number, last in self._earlier.values() if number == no), 0)

    def _id(self, seq: int) -> int:
        return row_id(self._state.no, seq)
