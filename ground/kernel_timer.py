"""Calls and waits that come within 0.1 ms of their time; asyncio rounds every wait up to whole milliseconds.

A pause of 3.5 characters at 19200 Bd is 1.8 ms: there the rounding would cost a twentieth of the line.
"""

from __future__ import annotations

import asyncio
import ctypes
import heapq
import itertools
import os
from collections.abc import Callable
from typing import ClassVar, NamedTuple, Self

_TFD_NONBLOCK = os.O_NONBLOCK
_TFD_CLOEXEC = os.O_CLOEXEC
_TFD_TIMER_ABSTIME = 1
_CLOCK_MONOTONIC = 1  # the clock of the loop
_NANO = 1_000_000_000


class _Timespec(ctypes.Structure):
    _fields_: ClassVar = [("s", ctypes.c_long), ("ns", ctypes.c_long)]


class _Itimerspec(ctypes.Structure):
    _fields_: ClassVar = [("interval", _Timespec), ("value", _Timespec)]


class _Call(NamedTuple):
    when: float
    number: int  # of two at the same time the first made comes first
    act: Callable[[], object]


class KernelTimer:
    """One timerfd (Linux) for any number of calls; elsewhere the loop's own timers. `close` it in the end."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._libc = ctypes.CDLL(None, use_errno=True)
        make = getattr(self._libc, "timerfd_create", None)
        self._fd: int = -1 if make is None else make(_CLOCK_MONOTONIC, _TFD_NONBLOCK | _TFD_CLOEXEC)
        self._calls: list[_Call] = []
        self._numbers = itertools.count()
        self._coarse: asyncio.TimerHandle | None = None
        if self._fd >= 0:
            self._loop.add_reader(self._fd, self._on_fired)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """What has not come by now never will."""
        self._calls.clear()
        if self._coarse is not None:
            self._coarse.cancel()
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1

    def call_at(self, when: float, act: Callable[[], object]) -> None:
        """`when` is loop time."""
        heapq.heappush(self._calls, _Call(when, next(self._numbers), act))
        self._set()

    async def sleep(self, seconds: float) -> None:
        waiter = asyncio.Event()
        self.call_at(self._loop.time() + seconds, waiter.set)
        await waiter.wait()

    def _set(self) -> None:
        """For the first of the calls."""
        when = self._calls[0].when
        if self._fd < 0:
            if self._coarse is not None:
                self._coarse.cancel()
            self._coarse = self._loop.call_at(when, self._run_due)
            return
        spec = _Itimerspec(value=_Timespec(*divmod(max(1, round(when * _NANO)), _NANO)))
        self._libc.timerfd_settime(self._fd, _TFD_TIMER_ABSTIME, ctypes.byref(spec), None)

    def _on_fired(self) -> None:
        try:
            os.read(self._fd, 8)
        except BlockingIOError:  # it was set anew in the meantime
            return
        self._run_due()

    def _run_due(self) -> None:
        now = self._loop.time()
        while self._calls and self._calls[0].when <= now:
            heapq.heappop(self._calls).act()
        if self._calls:
            self._set()
