"""Puts a scale or a reader on a pty of its own, keeps its ledger and lets faults have their way with what it says."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from simulator.faults import Ailments, treat
from simulator.ledger import Ledger
from simulator.pty_port import PtyPort

_POLL_EVERY_S = 0.02


class Utterance(NamedTuple):
    """Something to send, with the one value that a right reader finds in it (empty: none)."""

    content: bytes
    point: str = ""
    value: str = ""
    unit: str | None = None
    stable: bool | None = None


class Voice(Protocol):
    """An instrument as seen from its plug."""

    def receive(self, chunk: bytes, now_s: float) -> list[Utterance]: ...

    def poll(self, now_s: float) -> list[Utterance]: ...


class SerialInstrument:
    """A context manager inside a running loop."""

    def __init__(  # noqa: PLR0917  built in one place
        self,
        device: str,
        link: Path,
        voice: Voice,
        ledger: Ledger,
        ailments: Callable[[], Ailments],
        chance: random.Random,
        now_s: Callable[[], float],
    ) -> None:
        self._device, self._voice, self._ledger = device, voice, ledger
        self._ailments, self._chance, self._now_s = ailments, chance, now_s
        self._port = PtyPort(link, self._receive)
        self._poll_handle: asyncio.TimerHandle | None = None
        self._late: set[asyncio.TimerHandle] = set()

    def __enter__(self) -> Self:
        self._port.__enter__()
        self._poll()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._poll_handle is not None:
            self._poll_handle.cancel()
        for handle in self._late:
            handle.cancel()
        self._port.__exit__(kind, error, trace)

    def _receive(self, chunk: bytes) -> None:
        for utterance in self._voice.receive(chunk, self._now_s()):
            self._say(utterance)

    def _poll(self) -> None:
        for utterance in self._voice.poll(self._now_s()):
            self._say(utterance)
        self._poll_handle = asyncio.get_running_loop().call_later(_POLL_EVERY_S, self._poll)

    def _say(self, utterance: Utterance) -> None:
        treatment = treat(self._ailments(), self._chance)
        content = garble(utterance.content, treatment.why, self._chance)
        if not treatment.delay_ms:
            self._send(utterance, content, treatment.why, treatment.delivered)
            return

        def run() -> None:
            self._late.discard(handle)
            self._send(utterance, content, treatment.why, treatment.delivered)

        handle = asyncio.get_running_loop().call_later(treatment.delay_ms / 1000, run)
        self._late.add(handle)

    def _send(self, utterance: Utterance, content: bytes, why: str | None, delivered: bool) -> None:
        if delivered and not self._port.is_plugged:
            why, delivered = why or "gone", False
        if utterance.point:
            self._ledger.write(
                self._device,
                utterance.point,
                utterance.value,
                why=why,
                delivered=delivered,
                unit=utterance.unit,
                stable=utterance.stable,
            )
        if content:
            self._port.write(content)


def garble(content: bytes, why: str | None, chance: random.Random) -> bytes:
    """What line noise makes of it. Text protocols have no checksum: there it hits where no number can come of it."""
    match why:
        case "dead":
            return b""
        case "crc" | "wrong_unit" if content.endswith(b"\r\n"):
            at = max(content.find(b".") - 1, 0)
            return content[:at] + b"\x7f" + content[at + 1 :]
        case "crc" | "wrong_unit":
            at = chance.randrange(1, len(content) - 1)
            return content[:at] + bytes((content[at] ^ 1 << chance.randrange(8),)) + content[at + 1 :]
        case "truncated":
            return content[: len(content) // 2]
        case "noise":
            return bytes((chance.randrange(0x80, 0xA0),)) + content
    return content
