"""What every buffer promises (edge/buffer/contract.py), checked against each one we have."""

import hashlib
import sqlite3

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.buffer.contract import Draft
from edge.buffer.memory import MemoryBuffer
from edge.buffer.sqlite import SqliteBuffer
from edge.buffer.wreck import set_aside
from wire.batch import NO_PREVIOUS, open_batch
from wire.body import decode_body, encode_body
from wire.entries import Gap, Quality, Reading
from wire.messages import Gone
from wire.points import Point, PointTable
from wire.signature import SigningKey, VerifyKey

KEY = SigningKey(bytes(range(32)))
BOOT = bytes(range(16))


def draft(number: int, size: int = 1) -> Draft:
    readings = [Reading(i, number * 1000, number * 7919 + i * 31, 1, Quality.GOOD, None) for i in range(size)]
    return Draft(BOOT, None, number * 1000, number * 1000, size, bytes(16), encode_body(readings, number * 1000))


def sqlite_buffer(folder, quota_bytes=10 << 20):
    return SqliteBuffer(folder / "buffer.db", "gw-01", KEY, quota_bytes)


@pytest.fixture(params=["sqlite", "memory"])
def buffer(request, tmp_path):
    one = sqlite_buffer(tmp_path) if request.param == "sqlite" else MemoryBuffer("gw-01", KEY)
    yield one
    one.close(is_clean=True)


def numbers(buffer, after=0):
    return [open_batch(data).header.seq for data in buffer.flight(after, 1 << 30)]


def test_batches_are_numbered_from_one_without_holes_and_chained(buffer):
    batches = [buffer.append(draft(n)) for n in (1, 2, 3)]
    assert [b.header.seq for b in batches] == [1, 2, 3]
    assert [b.header.prev for b in batches] == [NO_PREVIOUS, batches[0].hash, batches[1].hash]
    assert buffer.next_seq == 4


def test_every_batch_carries_a_signature_that_holds(buffer):
    batch = open_batch(buffer.append(draft(1)).data)
    VerifyKey(KEY.public).verify(batch.signed, batch.signature)
    assert batch.hash == hashlib.sha256(batch.data).digest()


def test_sending_again_is_byte_identical(buffer):
    for n in range(1, 5):
        buffer.append(draft(n))
    assert list(buffer.flight(1, 1 << 20)) == list(buffer.flight(1, 1 << 20))


def test_a_flight_begins_after_the_given_number_and_keeps_to_its_size(buffer):
    for n in range(1, 11):
        buffer.append(draft(n))
    one = len(buffer.flight(0, 1)[0])
    assert len(buffer.flight(0, 1)) == 1
    assert numbers(buffer, after=7) == [8, 9, 10]
    assert len(buffer.flight(0, one * 3 + 50)) == 3


def test_acknowledged_batches_stay_as_local_history(buffer):
    for n in range(1, 4):
        buffer.append(draft(n))
    buffer.acknowledge(2)
    assert buffer.acknowledged == 2
    assert numbers(buffer) == [1, 2, 3]
    assert buffer.hash_at(2) == open_batch(buffer.flight(1, 1)[0]).hash
    assert buffer.hash_at(9) is None
    assert (buffer.holds(2), buffer.holds(9)) == (True, False)


def test_a_new_epoch_seals_again_what_was_not_heard(buffer):
    for n in range(1, 6):
        buffer.append(draft(n))
    bodies = [open_batch(data).body for data in buffer.flight(3, 1 << 20)]
    epoch = buffer.epoch
    buffer.begin_epoch(reseal_after=3)
    assert buffer.epoch != epoch
    assert buffer.acknowledged == 0
    again = [open_batch(data) for data in buffer.flight(0, 1 << 20)]
    assert [b.header.seq for b in again] == [1, 2]
    assert {b.header.epoch for b in again} == {buffer.epoch}
    assert [b.body for b in again] == bodies
    assert buffer.append(draft(6)).header.prev == again[-1].hash


def test_a_point_table_is_found_by_its_digest(buffer):
    table = PointTable((Point("probe", "temperature", "Cel", "air_temperature"),))
    buffer.keep_points(table)
    buffer.keep_points(table)
    assert buffer.points(table.digest) == table
    assert buffer.points(bytes(16)) is None


# ---- what only a file can promise


def test_what_was_appended_is_there_after_the_process_died(tmp_path):
    first = sqlite_buffer(tmp_path)
    batches = [first.append(draft(n)) for n in range(1, 4)]
    second = sqlite_buffer(tmp_path)  # the first was never closed: as after kill -9
    assert list(second.flight(0, 1 << 20)) == [b.data for b in batches]
    assert (second.epoch, second.next_seq) == (first.epoch, 4)
    assert second.append(draft(4)).header.prev == batches[-1].hash
    first._db.close()
    second.close(is_clean=True)


def test_the_end_of_the_last_run_is_known_and_whether_it_was_clean(tmp_path):
    one = sqlite_buffer(tmp_path)
    assert one.last_sealed() is None
    one.append(draft(7))
    last = one.last_sealed()
    assert (last.boot, last.last_at, last.was_stopped) == (BOOT, 7000, False)
    one.close(is_clean=True)
    two = sqlite_buffer(tmp_path)
    assert two.last_sealed().was_stopped
    two.append(draft(8))
    assert not two.last_sealed().was_stopped
    two.close(is_clean=True)


def test_the_quota_holds_and_what_was_never_heard_is_counted_when_it_goes(tmp_path):
    one = sqlite_buffer(tmp_path, quota_bytes=200_000)
    for n in range(1, 600):
        one.append(draft(n, size=100))
    fill = one.fill()
    assert fill.used_bytes <= 200_000
    assert fill.dropped_batches == one.oldest_seq - 1 > 0
    assert numbers(one, after=one.oldest_seq - 1)[0] == one.oldest_seq
    one.close(is_clean=True)


def sealed_at_1_hz(n):
    """Five seconds of twenty points, as a flush of the agent."""
    at = n * 5000
    readings = [
        Reading(point, at + second * 1000, n + point, 1, Quality.GOOD, None)
        for second in range(5)
        for point in range(20)
    ]
    return Draft(BOOT, 7, at, at + 4000, len(readings), bytes(16), encode_body(readings, at))


def test_what_was_not_heard_is_thinned_before_it_goes_and_says_so(tmp_path):
    one = sqlite_buffer(tmp_path, quota_bytes=300_000)
    for n in range(1, 1500):
        one.append(sealed_at_1_hz(n))
    fill = one.fill()
    assert fill.used_bytes <= 300_000
    assert fill.thinned_batches > 0
    kept = [open_batch(data) for data in one.flight(one.oldest_seq - 1, 1 << 30)]
    bodies = [decode_body(b.body, b.header.first_at, b.header.entries) for b in kept]
    spans = [(g.from_at, g.until_at) for body in bodies for g in body.gaps]
    assert {g.reason for g in gaps(kept)} == {"thinned"}
    times = {r.at for body in bodies for r in body.readings()}
    hours_kept = (max(times) - min(times)) / 3_600_000
    assert hours_kept > 1.9  # 2.08 h were sealed; without thinning the quota holds a third of that
    missing = [at for at in range(min(times), max(times), 5000) if not times & set(range(at, at + 5000, 1000))]
    assert all(any(begin <= at <= end for begin, end in spans) for at in missing)
    one.close(is_clean=True)


def test_a_gateway_says_which_batches_were_thinned(tmp_path):
    one = sqlite_buffer(tmp_path, quota_bytes=150_000)
    for n in range(1, 600):
        one.append(sealed_at_1_hz(n))
    oldest = one.oldest_seq
    assert one.gone(0) == Gone(1, oldest - 1, "thinned")
    one.close(is_clean=True)
    two = sqlite_buffer(tmp_path, quota_bytes=150_000)
    assert two.gone(0) == Gone(1, oldest - 1, "thinned")
    assert two.gone(oldest - 1) is None
    two.close(is_clean=True)


def test_thinned_batches_are_chained_and_sent_like_any_other(tmp_path):
    one = sqlite_buffer(tmp_path, quota_bytes=200_000)
    for n in range(1, 900):
        one.append(sealed_at_1_hz(n))
    assert numbers(one, after=one.oldest_seq - 1) == list(range(one.oldest_seq, one.next_seq))
    one.close(is_clean=True)


def test_acknowledged_batches_go_first_and_uncounted(tmp_path):
    one = sqlite_buffer(tmp_path, quota_bytes=200_000)
    for n in range(1, 600):
        one.append(draft(n, size=100))
        one.acknowledge(n)
    assert one.fill().dropped_batches == 0
    one.close(is_clean=True)


def flip(buffer, seq):
    """One bit of a batch on the card."""
    (data,) = buffer._db.execute("SELECT data FROM batch WHERE id & 255 = ?", (seq,)).fetchone()
    broken = data[:-80] + bytes([data[-80] ^ 1]) + data[-79:]
    buffer._db.execute("UPDATE batch SET data = ? WHERE id & 255 = ?", (broken, seq))


def test_a_flipped_byte_is_found_before_it_is_sent_and_stands_in_nobodys_way(tmp_path):
    one = sqlite_buffer(tmp_path)
    for n in range(1, 6):
        one.append(draft(n))
    flip(one, 3)
    assert numbers(one) == [1, 2]
    assert numbers(one, after=2) == []
    assert one.gone(2) == Gone(3, 3, "buffer_corrupt")
    assert one.gone(0) is None
    assert numbers(one, after=3) == [4, 5]
    assert not one.holds(3)
    assert one.hash_at(3) == open_batch(one.flight(3, 1)[0]).header.prev  # the one that follows tells it
    one.close(is_clean=True)


def test_what_a_new_epoch_cannot_read_becomes_a_declared_gap(tmp_path):
    one = sqlite_buffer(tmp_path)
    for n in range(1, 6):
        one.append(draft(n))
    flip(one, 3)
    one.begin_epoch(reseal_after=0)
    again = [open_batch(d) for d in one.flight(0, 1 << 20)]
    assert [b.header.first_at for b in again] == [1000, 2000, 4000, 4000, 5000]
    assert gaps(again) == [Gap("buffer_corrupt", BOOT, 2000, 4000, None, "batches 3 to 3")]
    one.close(is_clean=True)


def gaps(batches):
    return [g for b in batches for g in decode_body(b.body, b.header.first_at, b.header.entries).gaps]


def test_a_file_that_is_no_buffer_is_set_aside_and_its_time_declared(tmp_path):
    path = tmp_path / "buffer.db"
    path.write_bytes(b"this is not a database, it is a love letter" * 100)
    one = sqlite_buffer(tmp_path)
    assert one.is_mended
    assert b"love letter" in next(tmp_path.glob("buffer.db.corrupt-*")).read_bytes()
    one.append(draft(1))
    assert not one.is_mended
    [gap, batch] = [open_batch(d) for d in one.flight(0, 1 << 20)]
    assert [(g.reason, g.from_at, g.until_at) for g in gaps([gap])] == [("buffer_corrupt", None, 1000)]
    assert batch.header.first_at == 1000
    one.close(is_clean=True)


def test_only_the_newest_damaged_file_is_kept(tmp_path):
    for n in (1, 2):
        (tmp_path / "buffer.db").write_bytes(b"%d" % n * 5000)
        sqlite_buffer(tmp_path).close(is_clean=True)
    [aside] = [path for path in tmp_path.glob("buffer.db.corrupt-*") if not path.name.endswith(("-wal", "-shm"))]
    assert aside.read_bytes().startswith(b"2")


def damage_pages(path, first, last):
    with path.open("r+b") as file:
        file.seek(first * 1024)
        file.write(bytes(range(256)) * 4 * (last - first))


def test_damaged_pages_cost_only_what_lies_on_them(tmp_path):
    one = sqlite_buffer(tmp_path)
    table = PointTable((Point("probe", "temperature", "Cel", "air_temperature"),))
    one.keep_points(table)
    for n in range(1, 301):
        one.append(draft(n, size=100))
    one.acknowledge(20)
    one.close(is_clean=True)
    pages = (tmp_path / "buffer.db").stat().st_size // 1024
    damage_pages(tmp_path / "buffer.db", pages // 2, pages // 2 + 12)

    two = sqlite_buffer(tmp_path)
    epoch, after = two.epoch, 20
    while flight := two.flight(after, 1 << 20, epoch):
        after += len(flight)
    assert two.epoch != epoch  # mended on the way
    two.append(draft(301))
    again = [open_batch(d) for d in two.flight(0, 1 << 30)]
    readable = {b.header.first_at // 1000 for b in again if not gaps([b])}
    assert readable <= set(range(21, 302)) and len(readable) >= 265
    assert {g.reason for g in gaps(again)} == {"buffer_corrupt"}
    assert two.points(table.digest) == table
    two.close(is_clean=True)


def test_an_agent_that_died_while_it_saved_what_was_sound_saves_it_at_the_next_start(tmp_path):
    one = sqlite_buffer(tmp_path)
    for n in range(1, 21):
        one.append(draft(n))
    one.close(is_clean=True)
    set_aside(tmp_path / "buffer.db", "20261121T000000")  # and here it died
    for _ in range(2):
        two = sqlite_buffer(tmp_path)
        again = [open_batch(d) for d in two.flight(0, 1 << 30)]
        assert [b.header.first_at for b in again] == [n * 1000 for n in range(1, 21)]
        two.close(is_clean=True)


def test_a_buffer_of_the_first_version_is_brought_up(tmp_path):
    one = sqlite_buffer(tmp_path)
    batch = one.append(draft(1))
    one._db.executescript(
        "ALTER TABLE epoch DROP COLUMN last; ALTER TABLE epoch DROP COLUMN thinned_from;"
        "ALTER TABLE epoch DROP COLUMN thinned_to; PRAGMA user_version = 0"
    )
    one._db.close()
    two = sqlite_buffer(tmp_path)
    assert list(two.flight(0, 1)) == [batch.data]
    two.begin_epoch(reseal_after=1)
    assert two.span(two.earlier_epochs[0]) == (1, 2)
    two.close(is_clean=True)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(["append", "ack", "reopen", "epoch"]), max_size=25))
def test_any_life_of_a_buffer_equals_its_twin(steps, tmp_path_factory):
    """Append, acknowledge, die and start, begin anew, in any order: the file and the list tell the same story."""
    folder = tmp_path_factory.mktemp("life")
    real, twin = sqlite_buffer(folder), MemoryBuffer("gw-01", KEY)
    for n, step in enumerate(steps, start=1):
        if step == "append":
            real.append(draft(n))
            twin.append(draft(n))
        elif step == "ack":
            real.acknowledge(real.next_seq - 1)
            twin.acknowledge(twin.next_seq - 1)
        elif step == "epoch":
            real.begin_epoch(real.acknowledged)
            twin.begin_epoch(twin.acknowledged)
        else:
            acknowledged = real.acknowledged
            real._db.close()
            real = sqlite_buffer(folder)
            assert real.acknowledged <= acknowledged
            real.acknowledge(acknowledged)  # the ingest says it again on connecting
        assert [open_batch(d).body for d in real.flight(0, 1 << 30)] == [
            open_batch(d).body for d in twin.flight(0, 1 << 30)
        ]
        assert real.next_seq == twin.next_seq
    real.close(is_clean=True)


def test_synchronous_is_full_and_the_journal_a_wal(tmp_path):
    one = sqlite_buffer(tmp_path)
    pragmas = {
        name: one._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "journal_mode", "page_size")
    }
    assert pragmas == {"synchronous": 2, "journal_mode": "wal", "page_size": 1024}
    one.close(is_clean=True)
    assert sqlite3.sqlite_version_info >= (3, 37)
