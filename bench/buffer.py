"""What reaches the card: bytes for each reading at several flush intervals, and how soon a full buffer is open again.

60 points at 1 Hz for two hours, sealed, appended and acknowledged as the agent does it, in a buffer on an ext4 file
system of its own on a loop device. Counted is what the block device was told to write, file system journal included
(sectors written, /sys/block/loopN/stat). `ring full` runs against a quota that the data fills, so that each append has
to make room. Needs root for the loop device; without it only the recovery is measured, and that is said.

The loss bound of a flush interval is the interval itself: a power cut takes what was measured since the last flush.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from bench.figures import Figure, as_table
from bench.rig import SCRATCH
from edge.buffer.contract import Draft
from edge.buffer.sqlite import SqliteBuffer
from wire.body import encode_body
from wire.entries import Quality, Reading
from wire.signature import SigningKey

NAME = "buffer"
SECONDS = 7200.0  # of the plant's time; it takes a few real ones
FLUSHES_S = (1, 5, 10, 30)
AIM_FLUSH_S, AIM_BYTES = 5, 45
RECOVERED_READINGS = 10_000_000
_POINTS, _DEVICES = 60, 6
_BOOT = bytes(16)
_DISK_BYTES = 512 << 20
_SECTOR = 512


def run(seconds: float = SECONDS) -> list[Figure]:
    figures = []
    if os.geteuid() == 0:
        with _disk() as (folder, device):
            figures += [_wear(folder, device, flush_s, seconds) for flush_s in FLUSHES_S]
            figures.append(_wear(folder, device, AIM_FLUSH_S, seconds, quota_bytes=1 << 20))
            figures.append(_wear(folder, device, AIM_FLUSH_S, seconds, step=20))
    else:
        print("NOT MEASURED: bytes on the device; a loop device needs root", file=sys.stderr)
    return [*figures, *_recovery(RECOVERED_READINGS)]


def _wear(
    folder: Path, device: str, flush_s: int, seconds: float, *, quota_bytes: int = 1 << 30, step: int = 1
) -> Figure:
    path = folder / "buffer.db"
    for part in folder.glob("buffer.db*"):
        part.unlink()
    buffer = SqliteBuffer(path, "gw-01", SigningKey(bytes(32)), quota_bytes)
    os.sync()
    before, readings = _sectors_written(device), 0
    for draft in _drafts(flush_s, seconds, step):
        buffer.append(draft)
        buffer.acknowledge(buffer.next_seq - 1)
        readings += draft.entries
    os.sync()
    written = (_sectors_written(device) - before) * _SECTOR
    buffer.close(is_clean=True)
    kind = ", ring full" if quota_bytes < 1 << 30 else ", noisy values" if step > 1 else ""
    return Figure(
        NAME,
        f"flush {flush_s} s{kind}",
        written / readings,
        "B/reading",
        aim=AIM_BYTES if flush_s == AIM_FLUSH_S else None,
        note=f"loses at most {flush_s} s; {written * 86_400 / seconds / 1e9:.2f} GB a day",
    )


def _drafts(flush_s: int, seconds: float, step: int = 1) -> Iterator[Draft]:
    """Values of 0 to 3 decimals that wander by up to `step`; devices answer some milliseconds early or late."""
    dice = random.Random(1)
    values = [dice.randrange(-300, 300) for _ in range(_POINTS)]
    waiting: list[Reading] = []
    for second in range(int(seconds)):
        for device in range(_DEVICES):
            at = second * 1000 + device * 40 + dice.randrange(-20, 20) + 20
            for point in range(device * 10, device * 10 + 10):
                values[point] += dice.choice((-step, 0, 0, step)) if step == 1 else dice.randint(-step, step)
                waiting.append(Reading(point, at, values[point], point % 4, Quality.GOOD, None))
        if (second + 1) % flush_s == 0:
            first_at, last_at = min(one.at for one in waiting), max(one.at for one in waiting)
            yield Draft(_BOOT, 0, first_at, last_at, len(waiting), bytes(16), encode_body(waiting, first_at))
            waiting = []


def _recovery(readings: int) -> list[Figure]:
    """The process dies with its journal open; then, with nothing of it in memory: open, look, append."""
    folder = Path(tempfile.mkdtemp(prefix="coldlink-bench-", dir=SCRATCH))
    try:
        _fill(folder / "full.db", readings)
        began = time.perf_counter()
        buffer = SqliteBuffer(folder / "full.db", "gw-01", SigningKey(bytes(32)), 1 << 30)
        opened_s = time.perf_counter() - began
        flight, fill = buffer.flight(0, 64 << 10), buffer.fill()
        buffer.append(next(_drafts(5, 5)))
        took_s = time.perf_counter() - began
        buffer.close(is_clean=False)
    finally:
        shutil.rmtree(folder)
    note = f"{fill.unsent_batches:,} batches, {fill.used_bytes / readings:.1f} B/reading; open {opened_s * 1000:.0f} ms"
    return [Figure(NAME, "recovery", took_s, "s", aim=1, note=f"{note}, first flight of {len(flight)}, append")]


def _fill(path: Path, readings: int) -> None:
    template = path.with_name("made.db")
    buffer = SqliteBuffer(template, "gw-01", SigningKey(bytes(32)), 1 << 30)
    buffer._db.execute("PRAGMA synchronous = OFF")  # how it was filled is not what is measured
    drafts = list(_drafts(5, 600))
    for number in range(-(-readings // drafts[0].entries)):
        buffer.append(drafts[number % len(drafts)])
    for suffix in ("", "-wal"):
        copy = path.with_name(path.name + suffix)
        shutil.copy(template.with_name(template.name + suffix), copy)
        with copy.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    buffer.close(is_clean=False)


@contextmanager
def _disk() -> Iterator[tuple[Path, str]]:
    """An empty ext4 on a loop device, and the name under which /sys counts what is written to it."""
    scratch = Path(tempfile.mkdtemp(prefix="coldlink-bench-", dir=SCRATCH))
    image, folder = scratch / "disk", scratch / "mounted"
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(_DISK_BYTES)
    # Inode tables are written now, not in the background while we count.
    subprocess.run(["mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(image)], check=True)
    found = subprocess.run(["losetup", "--find", "--show", str(image)], check=True, capture_output=True, text=True)
    device = found.stdout.strip()
    try:
        subprocess.run(["mount", "-o", "noatime", device, str(folder)], check=True)
        try:
            yield folder, Path(device).name
        finally:
            subprocess.run(["umount", str(folder)], check=True)
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)
        shutil.rmtree(scratch)


def _sectors_written(device: str) -> int:
    """The seventh field: Documentation/block/stat.rst of the kernel."""
    return int(Path(f"/sys/block/{device}/stat").read_text().split()[6])


if __name__ == "__main__":
    print(as_table(run()))
