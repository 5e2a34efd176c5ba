"""Waits of a line end when they should, and can be given up."""

import asyncio

import pytest

from edge.line_timer import LineTimer


async def test_it_does_not_end_early_and_serves_again():
    loop = asyncio.get_running_loop()
    with LineTimer() as timer:
        for seconds in (0.002, 0.0005, 0.004):
            began = loop.time()
            await timer.sleep(seconds)
            assert loop.time() - began >= seconds - 0.0001


async def test_a_wait_that_was_given_up_does_not_end_the_next_one():
    loop = asyncio.get_running_loop()
    with LineTimer() as timer:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await timer.sleep(0.02)
        began = loop.time()
        await timer.sleep(0.05)
        assert loop.time() - began >= 0.0499
