"""From the sinks of the buses to the disk: in time, complete, and never silently dropped."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from edge.buffer.contract import BufferFull
from edge.buffer.memory import MemoryBuffer
from edge.clock import Clock, UtcNow
from edge.delivery import sealer as sealer_module
from edge.delivery.sealer import Sealer
from wire.batch import open_batch
from wire.body import decode_body
from wire.entries import Quality, Reading
from wire.signature import SigningKey


class FakeTime:
    boot_id = bytes(16)

    def boot_ms(self):
        return 5000

    def utc(self):
        return UtcNow(1_795_246_320_000, 1)


def readings(count, start=0):
    return [Reading(0, 1000 + start + n, n, 1, Quality.GOOD, None) for n in range(count)]


def sealed(buffer):
    batches = [open_batch(data) for data in buffer.flight(0, 1 << 30)]
    return [r for b in batches for r in decode_body(b.body, b.header.first_at, b.header.entries).readings()]


@pytest.fixture
def executor():
    with ThreadPoolExecutor(1) as one:
        yield one


def make_sealer(buffer, executor, flush_s=60.0):
    woken = []
    sealer = Sealer(
        buffer, Clock(FakeTime()), bytes(16), flush_s=flush_s, executor=executor, on_sealed=lambda: woken.append(1)
    )
    return sealer, woken


async def test_everything_taken_is_in_the_batch_that_flush_seals(executor):
    buffer = MemoryBuffer("gw-01", SigningKey(bytes(32)))
    sealer, woken = make_sealer(buffer, executor)
    sealer.take(readings(5))
    sealer.take(readings(3, start=100))
    await sealer.flush()
    assert sealed(buffer) == readings(5) + readings(3, start=100)
    assert woken == [1]


async def test_the_batch_knows_its_offset_and_carries_the_anchor(executor):
    buffer = MemoryBuffer("gw-01", SigningKey(bytes(32)))
    sealer, _ = make_sealer(buffer, executor)
    sealer.take(readings(1))
    await sealer.flush()
    batch = open_batch(buffer.flight(0, 1)[0])
    assert batch.header.offset_ms == 1_795_246_315_000
    assert len(decode_body(batch.body, batch.header.first_at, batch.header.entries).anchors) == 1


async def test_something_urgent_does_not_wait_for_the_interval(executor):
    buffer = MemoryBuffer("gw-01", SigningKey(bytes(32)))
    done = asyncio.Event()
    sealer = Sealer(buffer, Clock(FakeTime()), bytes(16), flush_s=60, executor=executor, on_sealed=done.set)
    task = asyncio.create_task(sealer.run())
    began = asyncio.get_running_loop().time()
    sealer.take(readings(1), urgent=True)
    await asyncio.wait_for(done.wait(), 5)
    assert asyncio.get_running_loop().time() - began < 2
    task.cancel()


async def test_readings_wait_in_memory_while_the_disk_takes_nothing(executor):
    class FullAtFirst(MemoryBuffer):
        is_full = True

        def append(self, draft):
            if self.is_full:
                raise BufferFull("no space left on device")
            return super().append(draft)

    buffer = FullAtFirst("gw-01", SigningKey(bytes(32)))
    sealer, _ = make_sealer(buffer, executor)
    sealer.take(readings(4))
    await sealer.flush()
    assert sealed(buffer) == []
    buffer.is_full = False
    sealer.take(readings(2, start=50))
    await sealer.flush()
    assert sealed(buffer) == readings(4) + readings(2, start=50)


async def test_what_arrives_while_sealing_waits_for_the_next_flush(executor):
    """A second batch of a few entries would cost another commit."""

    class Arriving(MemoryBuffer):
        def append(self, draft):
            sealer.take(readings(1, start=500 + self.next_seq))
            return super().append(draft)

    buffer = Arriving("gw-01", SigningKey(bytes(32)))
    sealer, _ = make_sealer(buffer, executor)
    sealer.take(readings(3))
    await sealer.flush()
    assert [open_batch(data).header.seq for data in buffer.flight(0, 1 << 20)] == [1]
    await sealer.flush()
    assert len(sealed(buffer)) == 4


class FullFor(MemoryBuffer):
    """A disk that takes nothing for a while."""

    is_full = True

    def append(self, draft):
        if self.is_full:
            raise BufferFull("no space left on device")
        return super().append(draft)


async def test_what_memory_cannot_hold_while_the_disk_is_full_is_declared_once(executor, monkeypatch):
    monkeypatch.setattr(sealer_module, "MAX_WAITING_ENTRIES", 10)
    buffer = FullFor("gw-01", SigningKey(bytes(32)))
    sealer, _ = make_sealer(buffer, executor)
    for start in (0, 100, 200):
        sealer.take(readings(8, start=start))
        await sealer.flush()
    buffer.is_full = False
    await sealer.flush()
    [batch] = [open_batch(data) for data in buffer.flight(0, 1 << 30)]
    body = decode_body(batch.body, batch.header.first_at, batch.header.entries)
    [gap] = body.gaps
    kept = [r.at for r in body.readings()]
    dropped = [r.at for start in (0, 100, 200) for r in readings(8, start=start) if r.at not in kept]
    assert (gap.reason, gap.from_at) == ("disk_full", min(dropped))
    assert gap.until_at >= max(dropped)
    assert sealer.entries_dropped == int(gap.detail.split()[0])


async def test_a_body_that_would_be_too_large_becomes_several_batches(executor, monkeypatch):
    monkeypatch.setattr(sealer_module, "MAX_BODY_BYTES", 200)
    buffer = MemoryBuffer("gw-01", SigningKey(bytes(32)))
    sealer, _ = make_sealer(buffer, executor)
    sealer.take([Reading(0, n * 997, n * n * n * 7919 % 100_003, 1, Quality.GOOD, None) for n in range(1, 400)])
    await sealer.flush()
    assert buffer.next_seq > 3
    assert [r.at for r in sealed(buffer)] == [n * 997 for n in range(1, 400)]
