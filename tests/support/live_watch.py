"""A browser's view of the live lane: the newest value that a screen has shown, and how old it was at any time."""

import ctypes
import json
import os
import threading
import time
import urllib.request
from datetime import datetime
from types import TracebackType
from typing import Self

_NEW_NETWORK = 0x40000000  # CLONE_NEWNET, setns(2)
_RETRY_S = 0.2


class LiveWatch:
    """A context manager. `namespace`: the network namespace in which the page is served."""

    def __init__(self, port: int, namespace: str | None = None) -> None:
        self.newest_ms = 0  # UTC, when it was measured
        self.worst_age_s = 0.0
        self._url, self._namespace = f"http://127.0.0.1:{port}/api/v1/live", namespace
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join(10)

    @property
    def age_s(self) -> float:
        return time.time() - self.newest_ms / 1000

    def _run(self) -> None:
        if self._namespace is not None:
            _enter(self._namespace)
        while not self._ended.is_set():
            try:
                with urllib.request.urlopen(self._url, timeout=8) as stream:
                    for line in stream:
                        if self._ended.is_set():
                            return
                        if line.startswith(b"data:"):
                            self._note(json.loads(line[5:]))
            except (OSError, ValueError):
                self._ended.wait(_RETRY_S)

    def _note(self, event: dict) -> None:
        """Health of the gateway comes by the batches too; only what the live lane carries is looked at."""
        moments = [
            datetime.fromisoformat(value["observed_at"]).timestamp()
            for value in event.get("values", ())
            if "/gateway/" not in value["point"]
        ]
        if moments:
            self.newest_ms = max(self.newest_ms, round(1000 * max(moments)))


def _enter(namespace: str) -> None:
    """This thread alone; sockets that it makes belong there."""
    handle = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(handle, _NEW_NETWORK):
            raise OSError(ctypes.get_errno(), namespace)
    finally:
        os.close(handle)
