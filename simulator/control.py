"""The plant's control socket: JSON lines over a UNIX socket in the run directory; `coldlink sim fault` talks here.

{"do": "fault", "kind": "late", "target": "kho-lanh-a-probe", "ms": 400}   -> {"ok": true}
{"do": "clear", "target": null}                                            -> {"ok": true}
{"do": "list"}                                                             -> {"ok": true, "faults": [...]}
anything that is wrong                                                     -> {"ok": false, "problem": "..."}
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Self

import msgspec
from msgspec import Meta

from simulator.errors import ControlUnavailable, PlantError
from simulator.faults import FaultBoard

SOCKET_NAME = "control.sock"
_TIMEOUT_S = 5.0
_MAX_LINE = 65_536


class _Order(msgspec.Struct, forbid_unknown_fields=True):
    do: str
    kind: str | None = None
    target: str | None = None
    rate: Annotated[float, Meta(ge=0, le=1)] | None = None
    ms: Annotated[int, Meta(gt=0, le=600_000)] | None = None
    code: Annotated[int, Meta(ge=1, le=255)] | None = None


class ControlServer:
    """An async context manager: listens while the plant runs, removes its socket afterwards."""

    def __init__(self, run_dir: Path, board: FaultBoard) -> None:
        self._run_dir, self._board = run_dir, board
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        path = self._run_dir / SOCKET_NAME
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        with _short(self._run_dir) as short:
            listener.bind(f"{short}/{SOCKET_NAME}")
        path.chmod(0o600)
        self._server = await asyncio.start_unix_server(self._serve, sock=listener, limit=_MAX_LINE)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        (self._run_dir / SOCKET_NAME).unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(json.dumps(execute(self._board, line)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):  # gone, or a line beyond all measure
            pass
        finally:
            writer.close()


def execute(board: FaultBoard, line: bytes) -> dict[str, Any]:
    """One order to its answer; whatever is wrong with it is said, never raised."""
    try:
        order = msgspec.json.decode(line, type=_Order)
        if order.do == "list":
            return {"ok": True, "faults": board.listed()}
        if order.do == "clear":
            board.clear(order.target, order.kind)
            return {"ok": True}
        if order.do == "fault" and order.kind and order.target:
            board.set(order.kind, order.target, rate=order.rate, ms=order.ms, code=order.code)
            return {"ok": True}
        return {"ok": False, "problem": f"`{order.do}` is not fault (with kind and target), clear or list"}
    except (msgspec.MsgspecError, PlantError) as error:
        return {"ok": False, "problem": str(error)}


def ask(run_dir: Path, order: dict[str, Any]) -> dict[str, Any]:
    """One order to the plant that runs in `run_dir`. Raises ControlUnavailable."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(_TIMEOUT_S)
    try:
        with connection, _short(run_dir) as short:
            connection.connect(f"{short}/{SOCKET_NAME}")
            connection.sendall(json.dumps(order).encode() + b"\n")
            with connection.makefile("rb") as answers:
                answer = json.loads(answers.readline())
    except (OSError, ValueError) as error:
        raise ControlUnavailable(str(run_dir), str(error)) from error
    assert isinstance(answer, dict)
    return answer


@contextmanager
def _short(directory: Path) -> Iterator[str]:
    """A name for `directory` that fits the 108 bytes of a UNIX socket address, however deep it lies."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)
