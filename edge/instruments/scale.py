"""A scale becomes readings of its weight, and one Weighing for each thing that was put on it and came to rest."""

from __future__ import annotations

import asyncio
import math
from decimal import Decimal

from edge.drivers.frames import ErrorFrame, Frame, ReadingFrame
from edge.drivers.transport import Stream
from edge.instruments.instrument import Instrument, Wiring
from edge.instruments.mass import weight_in
from edge.instruments.weighing import WeighingJudge
from wire.entries import Entry, Quality, Reading, Weighing


class Scale(Instrument):
    """Asked each period; or listened to, when its driver has nothing to ask."""

    def __init__(self, wiring: Wiring, *, weight: int, unit: str, min_weight: Decimal | None) -> None:
        super().__init__(wiring)
        self._weight, self._unit = weight, unit
        self._judge = WeighingJudge(min_weight)
        self._due = 0.0
        self._given_at = float("-inf")
        self._absent_for: str | None = None

    async def _turn(self, stream: Stream) -> None:
        if not self._decoder.poll_request:
            await self._listen(stream)
            return
        self._due = max(self._due, self._loop.time())
        for frame in await self._ask(stream):
            self._take(frame, every_frame=True)
        self._due += self._period_s
        late_s = self._loop.time() - self._due
        if late_s > 0:  # skipped and counted, never queued
            missed = math.ceil(late_s / self._period_s)
            self.statistics.missed_cycles += missed
            self._due += missed * self._period_s
        await asyncio.sleep(self._due - self._loop.time())

    async def _ask(self, stream: Stream) -> list[Frame]:
        """One question. What came since the last answer was sent unasked, is old, and is dropped."""
        stream.reset_input()
        self._decoder.idle()
        request = self._decoder.poll_request
        self.statistics.requests += 1
        began = self._loop.time()
        await stream.write(request)
        self._decoder.expect(request)
        frames: list[Frame] = []
        while (left := began + self._timeout_s - self._loop.time()) > 0:
            frames += self._decoder.feed(await stream.read(4096, left))
            if any(isinstance(frame, ReadingFrame | ErrorFrame) for frame in frames):
                self._note_heard()
                self.statistics.note_answer(self._loop.time() - began)
                return frames
        self._note_silence()
        self._absent("timeout")
        return []

    async def _listen(self, stream: Stream) -> None:
        chunk = await stream.read(4096, max(self._timeout_s, self._period_s))
        if not chunk:
            self._decoder.idle()
            self._note_silence()
            self._absent("timeout")
            return
        for frame in self._decoder.feed(chunk):
            self._note_heard()
            self._take(frame, every_frame=False)

    def _take(self, frame: Frame, *, every_frame: bool) -> None:
        """Every weight is judged; as readings they are thinned to the period when the scale talks by itself."""
        if isinstance(frame, ErrorFrame):
            if frame.kind == "checksum":
                self.statistics.checksum_errors += 1
            if every_frame:
                self._absent("crc" if frame.kind == "checksum" else f"{frame.kind}_error")
            return
        if not isinstance(frame, ReadingFrame) or frame.point is not None:
            return
        reading = self._reading(frame)
        entries: list[Entry] = []
        weighing = self._weighing(frame, reading)
        if every_frame or weighing or self._loop.time() - self._given_at >= self._period_s:
            self._given_at, self._absent_for = self._loop.time(), None
            entries.append(reading)
        if weighing is not None:
            entries.append(weighing)
        if entries:
            self._sink(entries, urgent=weighing is not None)

    def _reading(self, frame: ReadingFrame) -> Reading:
        at = self._stamp()
        if frame.value is None or frame.quality == "bad":
            return Reading(self._weight, at, None, 0, Quality.BAD, frame.reason or "no_value")
        weight = weight_in(frame.value, frame.unit, self._unit)
        if weight is None:
            return Reading(self._weight, at, None, 0, Quality.BAD, "unknown_unit")
        if frame.stable is False:
            return Reading(self._weight, at, *weight, Quality.UNCERTAIN, "unstable")
        if frame.quality == "uncertain":
            return Reading(self._weight, at, *weight, Quality.UNCERTAIN, frame.reason or "uncertain")
        return Reading(self._weight, at, *weight, Quality.GOOD, None)

    def _weighing(self, frame: ReadingFrame, reading: Reading) -> Weighing | None:
        value = reading.value
        if value is None or reading.mantissa is None:
            return None
        is_derived = frame.is_stability_derived
        weighed = self._judge.observe(value, stable=frame.stable)
        if weighed is None:
            return None
        return Weighing(
            self._weight,
            reading.at,
            reading.mantissa,
            reading.decimals,
            self._unit,
            frame.mode,
            is_derived or weighed.is_stability_derived,
        )

    def _absent(self, reason: str) -> None:
        """One bad reading when it begins, then one each period."""
        now = self._loop.time()
        if reason == self._absent_for and now - self._given_at < 0.9 * self._period_s:
            return
        self._absent_for, self._given_at = reason, now
        self._sink([Reading(self._weight, self._stamp(), None, 0, Quality.BAD, reason)], urgent=False)
