"""Waits that end within 0.1 ms; asyncio rounds every wait up to whole milliseconds, much for a pause of 1.8 ms."""

from __future__ import annotations

import asyncio
import ctypes
import os
from typing import ClassVar, Self

_TFD_NONBLOCK = os.O_NONBLOCK
_TFD_CLOEXEC = os.O_CLOEXEC
_CLOCK_MONOTONIC = 1
_NANO = 1_000_000_000


class _Timespec(ctypes.Structure):
    _fields_: ClassVar = [("s", ctypes.c_long), ("ns", ctypes.c_long)]


class _Itimerspec(ctypes.Structure):
    _fields_: ClassVar = [("interval", _Timespec), ("value", _Timespec)]


class LineTimer:
    """A kernel timer (timerfd, Linux) for one waiter at a time; elsewhere the loop's own. `close` it in the end."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self._libc = ctypes.CDLL(None, use_errno=True)
        make = getattr(self._libc, "timerfd_create", None)
        self._fd: int = -1 if make is None else make(_CLOCK_MONOTONIC, _TFD_NONBLOCK | _TFD_CLOEXEC)
        if self._fd >= 0:
            self._loop.add_reader(self._fd, self._fired)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1

    async def sleep(self, seconds: float) -> None:
        if self._fd < 0:
            await asyncio.sleep(seconds)
            return
        assert self._waiter is None, "a line has one who waits"
        waiter = self._waiter = self._loop.create_future()
        self._set(max(1, round(seconds * _NANO)))
        try:
            await waiter
        finally:
            self._waiter = None
            if self._fd >= 0 and not waiter.done():
                self._set(0)

    def _set(self, nanoseconds: int) -> None:
        spec = _Itimerspec(value=_Timespec(*divmod(nanoseconds, _NANO)))
        self._libc.timerfd_settime(self._fd, 0, ctypes.byref(spec), None)

    def _fired(self) -> None:
        try:
            os.read(self._fd, 8)
        except BlockingIOError:  # it was set anew in the meantime
            return
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
