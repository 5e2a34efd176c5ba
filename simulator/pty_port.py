"""A serial socket in the plant's wall: a pty whose outer end has a stable name and may be unplugged at will.

As with a real port, what is said while nobody has it open is lost, and a new listener hears nothing old.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import select
import termios
import tty
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

_LOOK_EVERY_S = 0.01  # how often an unplugged port looks for a new listener
_READ_BYTES = 4096


class PtyPort:
    """A context manager inside a running loop; `receive` gets each chunk the listener sends."""

    def __init__(self, link: Path, receive: Callable[[bytes], None]) -> None:
        self.link = link
        self.is_plugged = False
        self._receive = receive
        self._master = -1
        self._path = ""
        self._look: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        self._master, outer = os.openpty()
        os.set_blocking(self._master, False)
        tty.setraw(outer)
        self._path = os.ttyname(outer)
        os.close(outer)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(self._path)
        self._await_listener()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._look is not None:
            self._look.cancel()
        asyncio.get_running_loop().remove_reader(self._master)
        self.link.unlink(missing_ok=True)
        os.close(self._master)
        self.is_plugged = False

    def write(self, chunk: bytes) -> bool:
        """False when nobody listens, or the listener has let its buffer fill: the bytes are lost, as on a real line."""
        if not self.is_plugged:
            return False
        try:
            return os.write(self._master, chunk) == len(chunk)
        except OSError:  # BlockingIOError: overrun; EIO: unplugged this very moment
            return False

    def _await_listener(self) -> None:
        if self._has_listener():
            self._look = None
            self.is_plugged = True
            asyncio.get_running_loop().add_reader(self._master, self._on_readable)
            return
        self._look = asyncio.get_running_loop().call_later(_LOOK_EVERY_S, self._await_listener)

    def _has_listener(self) -> bool:
        poll = select.poll()
        poll.register(self._master, select.POLLIN)
        return not any(event & select.POLLHUP for _, event in poll.poll(0))

    def _on_readable(self) -> None:
        try:
            chunk = os.read(self._master, _READ_BYTES)
        except BlockingIOError:
            return
        except OSError:  # EIO: the listener closed its end
            self._unplug()
            return
        self._receive(chunk)

    def _unplug(self) -> None:
        self.is_plugged = False
        asyncio.get_running_loop().remove_reader(self._master)
        with contextlib.suppress(OSError):  # EBUSY: someone has it again, and exclusively
            outer = os.open(self._path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            try:
                fcntl.ioctl(outer, termios.TIOCNXCL)
                termios.tcflush(outer, termios.TCIOFLUSH)
            finally:
                os.close(outer)
        self._await_listener()
