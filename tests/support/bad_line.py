"""The fault proxy in a thread of its own, for tests that do not run on an event loop."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from simulator.fault_proxy import FaultProxy, Weather
from simulator.mischief import Injection, Mischief

_PATIENCE_S = 10


class BadLine:
    """What a test may do to the line; every call returns when it is done."""

    def __init__(self, proxy: FaultProxy, loop: asyncio.AbstractEventLoop) -> None:
        self._proxy, self._loop = proxy, loop
        self.port = proxy.port

    @property
    def injections(self) -> Sequence[Injection]:
        return list(self._proxy.past.injections)

    @property
    def connections(self) -> int:
        """Ever accepted."""
        return self._proxy.connections

    def set_weather(self, weather: Weather) -> None:
        self._do(self._proxy.set_weather(weather))

    def set_mischief(self, mischief: Mischief) -> None:
        self._call(lambda: self._proxy.set_mischief(mischief))

    def reset(self) -> None:
        self._call(self._proxy.reset)

    def forsake(self) -> None:
        self._call(self._proxy.forsake)

    def _call(self, act: Any) -> None:
        async def done() -> None:
            act()

        self._do(done())

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE_S)


@contextmanager
def bad_line(upstream_port: int, seed: int) -> Iterator[BadLine]:
    opened: list[BadLine] = []
    is_open, end = threading.Event(), asyncio.Event()

    async def keep_open() -> None:
        async with FaultProxy(upstream_port, seed=seed) as proxy:
            opened.append(BadLine(proxy, asyncio.get_running_loop()))
            is_open.set()
            await end.wait()

    thread = threading.Thread(target=lambda: asyncio.run(keep_open()), name="bad line")
    thread.start()
    assert is_open.wait(_PATIENCE_S)
    try:
        yield opened[0]
    finally:
        opened[0]._loop.call_soon_threadsafe(end.set)
        thread.join(_PATIENCE_S)
