"""Questions to one unit over a line, and what became of them. Failure is an outcome here, not an error."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from edge.commissioning.line import Line
from edge.drivers.crc import crc_modbus
from edge.drivers.modbus import Fault, Request, Response, RtuMatcher, TcpMatcher, with_crc
from edge.lines.bus import Chunk, LineSettings, Patience

QUIET_S = 0.03  # a USB adapter hands on what it has every 16 ms
_REQUEST_BYTES = 8


class Outcome(NamedTuple):
    """`payload` of a good answer, else the `reason` why there is none; `raw` is all that was heard."""

    payload: bytes | None
    reason: str | None
    answer_s: float | None
    is_doubled: bool
    raw: bytes

    @property
    def is_alive(self) -> bool:
        """The unit itself has answered, if only with a refusal."""
        return self.payload is not None or self.exception > 0

    @property
    def exception(self) -> int:
        number = (self.reason or "").removeprefix("exception_")
        return int(number) if number.isdecimal() else 0


class Asker:
    """Asks the units of one line at one setting."""

    def __init__(self, line: Line, settings: LineSettings | None = None, *, wait_s: float = 0.3) -> None:
        self.line, self.settings, self.wait_s = line, settings, wait_s
        self._slowest_s = 0.0
        self._transaction = random.randrange(0x8000, 0xFFFF)  # far from those of the agent's polls

    async def ask(self, request: Request, *, wait_s: float | None = None, listens_on: bool = False) -> Outcome:
        """`listens_on`: wait for a second answer too. Raises BusError, WriteRefused."""
        wait_s = self.wait_s if wait_s is None else wait_s
        overhead = 7 if self.line.place.is_tcp else 3 + _REQUEST_BYTES * self.line.is_echoing
        likely_s = min(wait_s, 2 * self._slowest_s + QUIET_S) if self._slowest_s else wait_s
        patience = Patience(wait_s, QUIET_S, 0 if listens_on else request.size + overhead, likely_s)
        matcher = self._matcher()
        if isinstance(matcher, TcpMatcher):
            self._transaction = self._transaction % 0xFFFF + 1
            frame = matcher.arm(request, self._transaction)
        else:
            frame = matcher.arm(request)
        outcome = judged(matcher, request, await self.line.talk(frame, patience, self.settings))
        self._slowest_s = max(self._slowest_s, outcome.answer_s or 0.0)
        return outcome

    async def ask_raw(self, unit: int, pdu: bytes) -> bytes:
        """For functions whose answers say their own length: whatever was heard, without echo or TCP head."""
        if self.line.place.is_tcp:
            self._transaction = self._transaction % 0xFFFF + 1
            head = self._transaction.to_bytes(2) + bytes(2) + (len(pdu) + 1).to_bytes(2)
            heard = await self.line.talk(head + bytes((unit,)) + pdu, self._long(), self.settings)
            return _joined(heard)[6:]
        frame = with_crc(bytes((unit,)) + pdu)
        heard = await self.line.talk(frame, self._long(), self.settings)
        return _joined(_asked_for(heard)).removeprefix(frame)

    def _long(self) -> Patience:
        return Patience(self.wait_s, 2 * QUIET_S)

    def _matcher(self) -> RtuMatcher | TcpMatcher:
        return TcpMatcher() if self.line.place.is_tcp else RtuMatcher(is_echoing=self.line.is_echoing)


def judged(matcher: RtuMatcher | TcpMatcher, request: Request, chunks: Sequence[Chunk]) -> Outcome:
    """What the bytes say about the request that `matcher` was armed with."""
    raw = _joined(chunks)
    chunks = _asked_for(chunks)
    for chunk in chunks:
        response = matcher.feed(chunk.raw)
        if response is not None:
            rest = matcher.rest if isinstance(matcher, RtuMatcher) else b""
            later = b"".join(other.raw for other in chunks if other.after_s > chunk.after_s)
            is_doubled = _is_answered(request, rest + later)
            return Outcome(_payload(response), response.reason, chunk.after_s, is_doubled, raw)
    is_garbled = _is_garbled(matcher.faults, _joined(chunks))
    reason = "crc" if Fault.CHECKSUM in matcher.faults else "garbled" if is_garbled else "timeout"
    return Outcome(None, reason, None, False, raw)


def _payload(response: Response) -> bytes | None:
    return None if response.exception else response.payload


def _is_garbled(faults: Sequence[Fault], raw: bytes) -> bool:
    """Bytes that are neither an echo nor another unit's sound frame."""
    return bool(raw) and not set(faults) & {Fault.ECHO, Fault.WRONG_UNIT, Fault.LATE}


def _is_answered(request: Request, raw: bytes) -> bool:
    matcher = RtuMatcher()
    matcher.arm(request)
    return bool(raw) and matcher.feed(raw) is not None


def _asked_for(chunks: Sequence[Chunk]) -> Sequence[Chunk]:
    return [chunk for chunk in chunks if chunk.after_s >= 0]


def _joined(chunks: Sequence[Chunk]) -> bytes:
    return b"".join(chunk.raw for chunk in chunks)


def sound_answers(raw: bytes) -> Iterator[bytes]:
    """Every answer to a read of registers, or refusal of one, that stands in `raw`, whoever sent it."""
    at = 0
    while at + 5 <= len(raw):
        size = _answer_size(raw, at)
        if size and at + size <= len(raw) and crc_modbus(raw[at : at + size]) == 0:
            yield raw[at : at + size]
            at += size
        else:
            at += 1


def _answer_size(raw: bytes, at: int) -> int:
    function, third = raw[at + 1], raw[at + 2]
    if function in (0x83, 0x84):
        return 5
    return 5 + third if function in (3, 4) and third > 0 and third % 2 == 0 else 0
