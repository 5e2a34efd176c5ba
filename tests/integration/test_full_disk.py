"""The buffer on a disk that is really full: a small tmpfs. Needs root; says loudly when it has to be left out."""

import subprocess

import pytest

from edge.buffer import sqlite
from edge.buffer.contract import BufferFull
from edge.buffer.sqlite import SqliteBuffer
from tests.conformance.test_buffer import KEY, gaps, sealed_at_1_hz
from wire.batch import open_batch

DISK_BYTES = 8 << 20


@pytest.fixture
def disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "coldlink-test", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("NOT TESTED: a full disk; mounting a small tmpfs needs root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def opened(disk):
    return SqliteBuffer(disk / "buffer.db", "gw-01", KEY, 1 << 30)


def fill_up(disk):
    """Something else takes what is left."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return ballast


def test_the_disk_is_the_limit_when_it_is_smaller_than_the_quota(disk):
    one = opened(disk)
    n = 0
    while one.fill().thinned_batches == 0:
        n += 1
        one.append(sealed_at_1_hz(n))
    for more in range(500):
        one.append(sealed_at_1_hz(n + more + 1))
    fill = one.fill()
    assert fill.used_bytes <= fill.quota_bytes < DISK_BYTES
    one.close(is_clean=True)


def test_a_disk_that_others_filled_costs_history_first_and_never_the_agent(disk):
    one = opened(disk)
    for n in range(1, 400):
        one.append(sealed_at_1_hz(n))
        one.acknowledge(n)
    fill_up(disk)
    for n in range(400, 1200):
        one.append(sealed_at_1_hz(n))
    assert one.fill().dropped_batches >= 0
    newest = [open_batch(data).header.first_at for data in one.flight(one.next_seq - 4, 1 << 20)]
    assert newest == [1197 * 5000, 1198 * 5000, 1199 * 5000]
    one.close(is_clean=True)


def test_a_disk_without_a_byte_left_is_said_and_recovers(disk, monkeypatch):
    """Without the reserve SQLite runs into SQLITE_FULL itself, in the middle of a transaction."""
    monkeypatch.setattr(sqlite, "room_bytes", lambda *_: 1 << 30)
    one = opened(disk)
    one.append(sealed_at_1_hz(1))
    ballast = fill_up(disk)
    refused, n = 0, 1
    while refused < 3 and n < 2000:
        try:
            one.append(sealed_at_1_hz(n + 1))
            n += 1
        except BufferFull:
            refused += 1
    assert refused == 3
    assert one.next_seq == n + 1  # what was refused left no trace
    ballast.unlink()
    one.append(sealed_at_1_hz(n + 1))
    after = [open_batch(data) for data in one.flight(0, 1 << 30)]
    assert [b.header.first_at for b in after] == [m * 5000 for m in range(1, n + 2)]
    assert gaps(after) == []
    one._db.close()
    two = opened(disk)
    assert two.next_seq == n + 2
    two.close(is_clean=True)


def test_a_new_epoch_that_finds_no_room_leaves_the_old_one_whole(disk, monkeypatch):
    monkeypatch.setattr(sqlite, "room_bytes", lambda *_: 1 << 30)
    one = opened(disk)
    for n in range(1, 600):
        one.append(sealed_at_1_hz(n))
    epoch, kept = one.epoch, len(one.flight(0, 1 << 30))
    fill_up(disk)
    with pytest.raises(BufferFull):
        one.begin_epoch(0)
    assert (one.epoch, len(one.flight(0, 1 << 30)), one.acknowledged) == (epoch, kept, 0)
    one._db.close()
