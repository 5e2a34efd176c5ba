"""The file under the buffer: how it is opened, what its errors mean, how much room it has.

Tuned as measured (docs/decisions/0003-edge-buffer.md): WAL with synchronous=FULL loses nothing that was committed;
pages of 1 KiB and a checkpoint every 400 pages halve what reaches the flash.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.buffer.contract import BufferCorrupt, BufferFull
from wire.errors import Malformed

SEQ_BITS = 40
SEQ_MASK = (1 << SEQ_BITS) - 1

_SCHEMA_VERSION = 1
_SCHEMA = f"""
CREATE TABLE epoch (
    no INTEGER PRIMARY KEY, id BLOB NOT NULL, acknowledged INTEGER NOT NULL,
    last INTEGER NOT NULL DEFAULT 0,  -- its highest seq, set when it ended
    thinned_from INTEGER NOT NULL DEFAULT 0, thinned_to INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE batch (id INTEGER PRIMARY KEY, data BLOB NOT NULL);  -- id = epoch number << {SEQ_BITS} | seq
CREATE TABLE point_table (digest BLOB PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE mark (key TEXT PRIMARY KEY, value BLOB NOT NULL);
PRAGMA user_version = {_SCHEMA_VERSION};
"""
_FROM_VERSION_0 = """
ALTER TABLE epoch ADD COLUMN last INTEGER NOT NULL DEFAULT 0;
ALTER TABLE epoch ADD COLUMN thinned_from INTEGER NOT NULL DEFAULT 0;
ALTER TABLE epoch ADD COLUMN thinned_to INTEGER NOT NULL DEFAULT 0;
UPDATE epoch SET last = (SELECT coalesce(max(id & 1099511627775), 0) FROM batch WHERE id >> 40 = epoch.no);
PRAGMA user_version = 1;
"""
_LATER = ("SQLITE_FULL", "SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_NOMEM", "SQLITE_CANTOPEN", "SQLITE_READONLY")
_UNREADABLE = ("SQLITE_IOERR_READ", "SQLITE_IOERR_SHORT_READ", "SQLITE_IOERR_CORRUPTFS", "SQLITE_IOERR_DATA")
_OUR_FAULT = (sqlite3.ProgrammingError, sqlite3.NotSupportedError)
BALLAST_BYTES = 1 << 20  # the journal as large as it gets, and what of it has no place in the file yet


def open_file(path: Path) -> sqlite3.Connection:
    """Raises BufferFull, and BufferCorrupt when the file is there but is not a buffer."""
    with as_buffer_errors():
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
        try:
            for pragma in ("page_size=1024", "journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=400"):
                db.execute(f"PRAGMA {pragma}")
            db.execute("PRAGMA cache_size=-2048")
            _bring_up(db)
        except BaseException:
            db.close()
            raise
    return db


def _bring_up(db: sqlite3.Connection) -> None:
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "batch" not in tables:
        db.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
    elif db.execute("PRAGMA user_version").fetchone() == (0,):
        db.executescript(f"BEGIN IMMEDIATE; {_FROM_VERSION_0} COMMIT;")


@contextmanager
def as_buffer_errors() -> Iterator[None]:
    try:
        yield
    except _OUR_FAULT:
        raise
    except sqlite3.DatabaseError as error:
        name = getattr(error, "sqlite_errorname", "") or ""
        is_passing = name.startswith(_LATER) or (name.startswith("SQLITE_IOERR") and not name.startswith(_UNREADABLE))
        raise (BufferFull if is_passing else BufferCorrupt)(f"{name}: {error}") from error
    except Malformed as error:
        raise BufferCorrupt(str(error)) from error


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # a full disk has SQLite roll back by itself
            db.execute("ROLLBACK")
        raise


def used_bytes(db: sqlite3.Connection) -> int:
    pages, free, size = _page_counts(db)
    return (pages - free) * size


def room_bytes(db: sqlite3.Connection, path: Path, reserve_bytes: int) -> int:
    """What the disk lets the buffer hold: its file as it is, and what is free beyond a reserve."""
    disk = os.statvfs(path.parent)
    pages, _, size = _page_counts(db)
    reserve_bytes = min(reserve_bytes, disk.f_blocks * disk.f_frsize // 8)
    return pages * size + max(0, disk.f_bavail * disk.f_frsize - reserve_bytes)


def hold_ballast(path: Path) -> None:
    """Space beside the file for the day on which something else fills the disk. Not holding it is no error."""
    ballast = _ballast(path)
    disk = os.statvfs(path.parent)
    if ballast.exists() or disk.f_bavail * disk.f_frsize < 4 * BALLAST_BYTES:
        return
    try:
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, BALLAST_BYTES)
    except OSError:
        ballast.unlink(missing_ok=True)


def drop_ballast(path: Path) -> None:
    _ballast(path).unlink(missing_ok=True)


def _ballast(path: Path) -> Path:
    return path.with_name(path.name + "-ballast")


def _page_counts(db: sqlite3.Connection) -> tuple[int, int, int]:
    pages, free, size = (
        int(db.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_count", "freelist_count", "page_size")
    )
    return pages, free, size
