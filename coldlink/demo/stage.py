"""The processes of the demo: each in its own group, its log in the data folder, all ended together."""

from __future__ import annotations

import ctypes
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

_END_S = 10.0
_LIBC = ctypes.CDLL(None)


class ActorLost(Exception):
    """A process of the demo ended by itself; the text holds the end of its log."""


class Stage:
    """A context manager; what was started last ends first."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._actors: list[tuple[str, subprocess.Popen[bytes]]] = []

    def __enter__(self) -> Self:
        self._logs.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *_exc: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # an impatient second Ctrl-C must not leave anybody behind
        for _, process in reversed(self._actors):
            _end(process)

    def start(self, name: str, command: Sequence[str | Path]) -> None:
        with (self._logs / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509  started before the demo has threads
            )
        self._actors.append((name, process))

    def coldlink(self, name: str, *arguments: str | Path) -> None:
        self.start(name, [sys.executable, "-m", "coldlink", *arguments])

    def check(self) -> None:
        """Raises ActorLost if one has ended."""
        for name, process in self._actors:
            if process.poll() is not None:
                tail = (self._logs / f"{name}.log").read_text(errors="replace").splitlines()[-8:]
                raise ActorLost(f"{name} ended with code {process.returncode}:\n  " + "\n  ".join(tail))

    def wait_for(self, what: str, is_so: Callable[[], bool], timeout_s: float) -> None:
        """Raises ActorLost when it takes too long or somebody ends meanwhile."""
        deadline = time.monotonic() + timeout_s
        while not is_so():
            self.check()
            if time.monotonic() > deadline:
                raise ActorLost(f"{what}: not within {timeout_s:.0f} s; the logs are in {self._logs}")
            time.sleep(0.1)


def _end_with_parent() -> None:
    """In the child: SIGTERM when the demo itself is killed (prctl(2), PR_SET_PDEATHSIG)."""
    _LIBC.prctl(1, signal.SIGTERM)


def is_listening(port: int) -> bool:
    with socket.socket() as one:
        one.settimeout(0.5)
        return one.connect_ex(("127.0.0.1", port)) == 0


def free_port(wanted: int = 0) -> int:
    """`wanted` if it is free, else any."""
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", wanted))
        except OSError:
            one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
