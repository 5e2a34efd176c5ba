"""A damaged buffer file: set aside, and read as far as it can be read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from edge.buffer.contract import Draft
from wire.batch import Header
from wire.body import encode_body
from wire.entries import Gap
from wire.errors import Malformed
from wire.points import PointTable, read_point_table

_SKIPS = tuple(1 << power for power in range(24))
_MAX_DETAIL = 256


def set_aside(path: Path, stamp: str) -> Path:
    """Move an untrusted file (and its journal) out of the way, in the place of one that was set aside before."""
    for older in path.parent.glob(f"{path.name}.corrupt-*"):
        older.unlink()
    aside = path.with_name(f"{path.name}.corrupt-{stamp}")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside


def set_aside_before(path: Path) -> Path | None:
    """The damaged file that lies beside this one."""
    found = (part for part in path.parent.glob(f"{path.name}.corrupt-*") if not part.name.endswith(("-wal", "-shm")))
    return next(found, None)


def hole(before: Header | None, draft: Draft, detail: str) -> Draft:
    """The gap between a batch that was read and the next that could be, told in the boot of the latter."""
    from_boot, from_at = (None, None) if before is None else (before.boot, before.last_at)
    gap = Gap("buffer_corrupt", from_boot, from_at, draft.first_at, None, detail[:_MAX_DETAIL])
    body = encode_body([gap], draft.first_at)
    return replace(draft, last_at=draft.first_at, entries=1, body=body)


class Wreck:
    """What can still be read of a file that was set aside. Nothing here raises for what is damaged."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)

    def close(self) -> None:
        self._db.close()

    def newest_epoch(self) -> tuple[int, int]:
        """Its number and how far it was acknowledged; (0, 0) when that cannot be read."""
        found = self._first("SELECT no, acknowledged FROM epoch ORDER BY no DESC LIMIT 1", ())
        return (0, 0) if found is None else (int(found[0]), int(found[1]))

    def point_tables(self) -> Iterator[PointTable]:
        try:
            for (data,) in self._db.execute("SELECT data FROM point_table"):
                table = _readable_table(data)
                if table is not None:
                    yield table
        except sqlite3.DatabaseError:
            return

    def batches(self, after: int) -> Iterator[tuple[int, bytes]]:
        """Ids and bytes behind an id. Where the tree is broken it is asked further on, in growing steps."""
        while True:
            found = self._next(after)
            if found is None:
                return
            after, data = found
            yield after, data

    def _next(self, after: int) -> tuple[int, bytes] | None:
        try:
            row = self._db.execute("SELECT id, data FROM batch WHERE id > ? ORDER BY id LIMIT 1", (after,)).fetchone()
        except sqlite3.DatabaseError:
            return self._beyond(after)
        return None if row is None else (int(row[0]), bytes(row[1]))

    def _beyond(self, after: int) -> tuple[int, bytes] | None:
        """The nearest that can be read behind a damaged place: far steps find it, then halving goes back to it."""
        low, found = after, None
        for skip in _SKIPS:
            row = self._first("SELECT id, data FROM batch WHERE id > ? ORDER BY id LIMIT 1", (after + skip,))
            if row is not None:
                found = row
                break
            low = after + skip
        if found is None:
            return None
        high = int(found[0])
        while low + 1 < high:
            middle = (low + high) // 2
            row = self._first("SELECT id, data FROM batch WHERE id > ? ORDER BY id LIMIT 1", (middle,))
            if row is None:
                low = middle
            else:
                found, high = row, middle
        return int(found[0]), bytes(found[1])

    def _first(self, sql: str, values: tuple[int, ...]) -> tuple[bytes, ...] | None:
        try:
            row: tuple[bytes, ...] | None = self._db.execute(sql, values).fetchone()
        except sqlite3.DatabaseError:
            return None
        return row


def _readable_table(data: bytes) -> PointTable | None:
    try:
        return read_point_table(data)
    except Malformed:
        return None
