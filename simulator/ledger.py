"""The ledger: every value the plant ever put on a wire, written at once to a file of its own.

One JSON line per answer, however many points it covers, so that 20,000 values a second are cheap:

    {"n":17,"t":1763765240123,"device":"kho-lanh-b-probe","points":"temperature humidity","values":"-19.4 87.0"}

`n` numbers values, not lines: this line holds rows 17 and 18. `t` is UTC ms at the moment the answer was handed to the
line. `-` in `values` is a fault code: an answer without a number. Fields that are left out have these meanings:

    why        null: the answer was sound. Else what was done to it: crc, late, truncated, wrong_unit, dead, ...
    delivered  true. false: the bytes were spoilt or withheld on purpose; nobody can have read this value.
    unit, stable   only where the instrument says them (scales).

A row with a `why` that is delivered (late, noise) may be taken or refused by a good reader: its time-out says. A row
with a `why` that is not delivered must appear nowhere. A row without a `why` must appear everywhere.
Each line is written with one write(2) before the answer goes out, and fsynced by a thread at least every 200 ms: a
killed plant loses no row, a power cut at most the last 200 ms.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

FSYNC_EVERY_S = 0.2
_LONGEST_LINES = 65_536  # the last two lines are within this


class LedgerRow(NamedTuple):
    n: int
    t: int
    device: str
    point: str
    value: str | None
    delivered: bool
    why: str | None
    unit: str | None = None
    stable: bool | None = None


class _Line(msgspec.Struct):
    n: int
    t: int
    device: str
    points: str
    values: str
    delivered: bool = True
    why: str | None = None
    unit: str | None = None
    stable: bool | None = None


def read_ledger(path: Path) -> Iterator[LedgerRow]:
    """Rows in the order they were written. A last line without its end (power cut) is left out."""
    decode = msgspec.json.Decoder(_Line).decode
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                return
            row = decode(line)
            for offset, (point, value) in enumerate(zip(row.points.split(" "), row.values.split(" "), strict=True)):
                shown = None if value == "-" else value
                yield LedgerRow(
                    row.n + offset, row.t, row.device, point, shown, row.delivered, row.why, row.unit, row.stable
                )


class Ledger:
    """Appends; never rewrites. `close` fsyncs. Without a path it only counts (plants that nobody audits)."""

    def __init__(self, path: Path | None) -> None:
        self.rows = _rows_in(path)
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644) if path else None
        self._dirty = threading.Event()
        self._closed = threading.Event()
        self._syncer = threading.Thread(target=self._sync, name="ledger-fsync", daemon=True)
        if self._fd is not None:
            self._syncer.start()

    def write(
        self,
        device: str,
        points: str,
        values: str,
        *,
        why: str | None = None,
        delivered: bool = True,
        unit: str | None = None,
        stable: bool | None = None,
    ) -> None:
        """`points` and `values` are space-separated and of equal number; nothing in them needs escaping."""
        first = self.rows + 1
        self.rows += points.count(" ") + 1
        if self._fd is None:
            return
        extra = "" if why is None else f',"why":"{why}"'
        if not delivered:
            extra += ',"delivered":false'
        if unit is not None:
            extra += f',"unit":"{unit}"'
        if stable is not None:
            extra += f',"stable":{"true" if stable else "false"}'
        line = (
            f'{{"n":{first},"t":{time.time_ns() // 1_000_000},"device":"{device}",'
            f'"points":"{points}","values":"{values}"{extra}}}\n'
        )
        os.write(self._fd, line.encode())
        self._dirty.set()

    def close(self) -> None:
        if self._fd is None:
            return
        self._closed.set()
        self._dirty.set()
        self._syncer.join()
        os.fsync(self._fd)
        os.close(self._fd)
        self._fd = None

    def _sync(self) -> None:
        while not self._closed.is_set():
            self._dirty.wait()
            self._dirty.clear()
            if self._fd is not None:
                os.fsync(self._fd)
            self._closed.wait(FSYNC_EVERY_S)


def _rows_in(path: Path | None) -> int:
    """The number of the last row of a ledger that is continued; a torn last line is cut off first."""
    if path is None or not path.exists():
        return 0
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - _LONGEST_LINES))
        tail = file.read()
    whole = tail.rfind(b"\n") + 1
    if whole < len(tail):
        os.truncate(path, size - len(tail) + whole)
    if whole == 0:
        return 0
    last = msgspec.json.decode(tail[tail.rfind(b"\n", 0, whole - 1) + 1 : whole], type=_Line)
    return last.n + last.points.count(" ")
