"""Speaks to a running agent over its control socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from edge.local.control import short_path
from edge.local.control_messages import (
    MAX_LINE,
    Asked,
    Exchange,
    Failure,
    Heard,
    StatusRequest,
    TalkRequest,
    TapRequest,
    Told,
)
from edge.local.status import AgentStatus


class AgentError(Exception):
    """The agent cannot do what was asked, and says why in `reason` (one word) and `detail`."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason, self.detail = reason, detail
        super().__init__(f"{reason}: {detail}" if detail else reason)


class NoAgent(AgentError):
    """Nobody answers in this data folder."""


class AgentConnection:
    """One conversation with the agent; an async context manager."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Self:
        """Raises NoAgent."""
        try:
            with short_path(self._data_dir) as path:
                self._reader, self._writer = await asyncio.open_unix_connection(path, limit=MAX_LINE)
        except OSError as error:
            raise NoAgent("no_agent", f"no agent answers in {self._data_dir}") from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.close()

    async def status(self) -> AgentStatus:
        told = await self._ask(StatusRequest())
        assert isinstance(told, AgentStatus)
        return told

    async def talk(self, asked: TalkRequest) -> Heard:
        """Raises AgentError."""
        told = await self._ask(asked)
        assert isinstance(told, Heard)
        return told

    async def tap(self, bus: str) -> AsyncIterator[Exchange]:
        """Every exchange on the bus until the connection is closed. Raises AgentError."""
        told = await self._ask(TapRequest(bus=bus))
        while True:
            assert isinstance(told, Exchange)
            yield told
            told = await self._next()

    async def _ask(self, asked: Asked) -> Told:
        assert self._writer is not None
        self._writer.write(msgspec.json.encode(asked) + b"\n")
        return await self._next()

    async def _next(self) -> Told:
        assert self._reader is not None
        try:
            line = await self._reader.readline()
        except OSError as error:
            raise NoAgent("no_agent", str(error)) from error
        if not line:
            raise NoAgent("no_agent", "the agent has ended")
        told: Told = msgspec.json.decode(line, type=Told)
        if isinstance(told, Failure):
            raise AgentError(told.reason, told.detail)
        return told
