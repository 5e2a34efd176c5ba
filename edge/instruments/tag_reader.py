"""A tag reader becomes sightings, and a `health` point that says whether the reader itself lives."""

from __future__ import annotations

import asyncio

from edge.drivers.frames import ErrorFrame, Frame, Probing, TagFrame
from edge.drivers.transport import Stream
from edge.instruments.instrument import Instrument, Wiring
from edge.instruments.sightings import SightingWindow
from edge.lines.bus import backoff_s
from wire.entries import Quality, Reading, Sighting

_HEALTH_EVERY_MS = 10_000
_BETWEEN_COMMANDS_S = 0.05
TICK_S = 0.1  # how often it looks at which sightings are due


class TagReader(Instrument):
    """Told to take inventory when the port opens, and again whenever it falls silent."""

    def __init__(self, wiring: Wiring, *, tag: int, health: int) -> None:
        super().__init__(wiring)
        self._health = health
        self._window = SightingWindow(tag)
        self._stream: Stream | None = None
        self._restart_at = 0.0
        self._restarts = 0
        self._health_at: int | None = None
        self._health_reason: str | None = None

    async def _turn(self, stream: Stream) -> None:
        if stream is not self._stream:  # newly opened: what it did before is unknown
            self._stream, self._restart_at, self._restarts = stream, 0.0, 0
        now = self._loop.time()
        if now >= self._restart_at:
            await self._start_inventory(stream, now)
        chunk = await stream.read(4096, TICK_S)
        if chunk:
            self._restarts = 0
            self._restart_at = self._loop.time() + self._timeout_s
            for frame in self._decoder.feed(chunk):
                self._take(frame)
        elif self._loop.time() - self._heard_at > self._timeout_s and self._restarts:
            self._absent("timeout")
        self._give(self._window.due(self._now_ms()))

    async def _start_inventory(self, stream: Stream, now: float) -> None:
        self._decoder.idle()
        if isinstance(self._decoder, Probing):  # no tag in view is no reason to be called silent
            await stream.write(self._decoder.probe_request)
            await asyncio.sleep(_BETWEEN_COMMANDS_S)
        request = self._decoder.poll_request
        if request:
            self.statistics.requests += 1
            await stream.write(request)
            self._decoder.expect(request)
        if self._restarts:
            self._note_silence()
        self._restart_at = now + max(self._timeout_s, backoff_s(self._restarts))
        self._restarts += 1

    def _take(self, frame: Frame) -> None:
        """Any sound frame proves that the reader lives; so does an error of its own making, spoilt bytes do not."""
        if isinstance(frame, ErrorFrame) and frame.kind != "device":
            self.statistics.checksum_errors += 1
            return
        self._note_heard()
        self._note_alive()
        epc = (frame.epc or frame.id or "").lower() if isinstance(frame, TagFrame) else ""
        if not isinstance(frame, TagFrame) or not _is_hex(epc):
            return
        self.statistics.answers += 1
        rssi = None if frame.rssi_dbm is None else round(frame.rssi_dbm)
        first = self._window.see(epc, frame.antenna, rssi, self._now_ms())
        if first is not None:
            self._sink([first], urgent=True)

    def _note_alive(self) -> None:
        self._note_health(None)

    def _absent(self, reason: str) -> None:
        self._note_health(reason)
        self._give(self._window.due(self._now_ms()))

    def _note_health(self, reason: str | None) -> None:
        """On every change, and every 10 s while nothing changes."""
        now = self._now_ms()
        is_news = self._health_at is None or reason != self._health_reason
        if not is_news and self._health_at is not None and now - self._health_at < _HEALTH_EVERY_MS:
            return
        self._health_at, self._health_reason = now, reason
        at = self._stamp()
        if reason is None:
            self._sink([Reading(self._health, at, 1, 0, Quality.GOOD, None)], urgent=False)
        else:
            self._sink([Reading(self._health, at, None, 0, Quality.BAD, reason)], urgent=False)

    def give_held(self) -> None:
        self._give(self._window.held())

    def _give(self, sightings: list[Sighting]) -> None:
        if sightings:
            self._sink(list(sightings), urgent=False)


def _is_hex(text: str) -> bool:
    return 2 <= len(text) <= 128 and len(text) % 2 == 0 and not text.strip("0123456789abcdef")
