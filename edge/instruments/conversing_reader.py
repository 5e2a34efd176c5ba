"""A tag reader that must be spoken to in many steps before it reads, such as one of LLRP."""

from __future__ import annotations

import asyncio
import logging

from edge.drivers.errors import PortLost
from edge.drivers.frames import Conversation
from edge.drivers.transport import Stream
from edge.instruments.instrument import Wiring
from edge.instruments.tag_reader import TICK_S, TagReader
from edge.lines.bus import backoff_s

log = logging.getLogger(__name__)

_SETUP_TIMEOUTS = 3  # a reader may take longer over its setup than over an answer


class ConversingReader(TagReader):
    """Spoken to on each new connection; its keep-alives are its pulse.

    A connection that leads nowhere is ended, and the next one waits a little longer.
    """

    def __init__(self, wiring: Wiring, conversation: Conversation, *, tag: int, health: int) -> None:
        super().__init__(wiring, tag=tag, health=health)
        self._conversation = conversation
        self._opened_at = 0.0
        self._retry_at = 0.0
        self._failures = 0
        self._why: str | None = None  # the last connection failed; None once one works

    async def _turn(self, stream: Stream) -> None:
        now = self._loop.time()
        if now < self._retry_at:
            self._absent("no_connection")
            await asyncio.sleep(min(TICK_S, self._retry_at - now))
            return
        if stream is not self._stream:
            self._stream, self._opened_at = stream, now
            self._heard_at = now
            self._conversation.open()
        try:
            await self._converse(stream)
        except PortLost:
            self._note_failure("no_connection")
            raise
        if (reason := self._verdict()) is not None:
            self._note_failure(reason)
            self.port.lose(reason)
        self._give(self._window.due(self._now_ms()))

    async def _converse(self, stream: Stream) -> None:
        for frame in self._conversation.feed(await stream.read(4096, TICK_S)):
            self._take(frame)
        if replies := self._conversation.take_replies():
            self.statistics.requests += 1
            await stream.write(replies)

    def _verdict(self) -> str | None:
        """Why this connection is to be given up."""
        now = self._loop.time()
        if self._conversation.ended is not None:
            return self._conversation.ended
        if now - self._heard_at > self._timeout_s:
            self.statistics.timeouts += 1
            return "timeout"
        if not self._conversation.is_ready and now - self._opened_at > self._timeout_s * _SETUP_TIMEOUTS:
            return "setup_timeout"
        return None

    def _note_failure(self, reason: str) -> None:
        if reason != self._why:
            log.warning("%s: no inventory: %s", self.name, reason)
        self._why, self.is_silent = reason, True
        self._retry_at = self._loop.time() + backoff_s(self._failures)
        self._failures += 1
        self._absent(reason)

    def _note_heard(self) -> None:
        """A reader that answers and takes no inventory sees nothing: it is not yet alive."""
        if self._conversation.is_ready:
            super()._note_heard()
        self._heard_at = self._loop.time()

    def _note_alive(self) -> None:
        if self._conversation.is_ready:
            self._why, self._failures = None, 0
            self._note_health(None)

    def _absent(self, reason: str) -> None:
        super()._absent(self._why or reason)
