"""Waits and calls come when they should, in order, and can be given up."""

import asyncio

import pytest

from ground.kernel_timer import KernelTimer


@pytest.fixture(params=["kernel", "loop"])
async def timer(request, monkeypatch):
    if request.param == "loop":
        monkeypatch.setattr("ctypes.CDLL", lambda *_, **__: object())
    with KernelTimer() as timer:
        yield timer


async def test_a_wait_does_not_end_early(timer):
    loop = asyncio.get_running_loop()
    for seconds in (0.002, 0.0005, 0.004):
        began = loop.time()
        await timer.sleep(seconds)
        assert loop.time() - began >= seconds - 0.0001


async def test_a_wait_that_was_given_up_does_not_end_the_next_one(timer):
    loop = asyncio.get_running_loop()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await timer.sleep(0.02)
    began = loop.time()
    await timer.sleep(0.05)
    assert loop.time() - began >= 0.0499


async def test_calls_come_in_the_order_of_their_times_whenever_they_were_made(timer):
    now, came, done = asyncio.get_running_loop().time(), [], asyncio.Event()
    timer.call_at(now + 0.03, lambda: (came.append("last"), done.set()))
    timer.call_at(now + 0.01, lambda: (came.append("first"), timer.call_at(now + 0.02, lambda: came.append("between"))))
    timer.call_at(now + 0.01, lambda: came.append("second"))
    timer.call_at(now - 1, lambda: came.append("overdue"))
    async with asyncio.timeout(5):
        await done.wait()
    assert came == ["overdue", "first", "second", "between", "last"]


async def test_after_closing_nothing_comes_any_more():
    came = []
    timer = KernelTimer()
    timer.call_at(asyncio.get_running_loop().time() + 0.005, lambda: came.append(1))
    timer.close()
    await asyncio.sleep(0.02)
    assert came == []
