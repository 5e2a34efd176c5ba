"""A thread that thinks over what became dirty: breaches, alarms, the ways of lots. The work list is durable, it is not.

Woken by each commit; a burst of commits is thought over once. What it changes is told to the open browsers.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from sqlalchemy import Connection

from cloud import alarms, lots
from cloud.errors import StoreUnavailableError
from cloud.live import Change, ChangeKind, LiveHub
from cloud.store.engine import Store

log = logging.getLogger(__name__)

_GATHER_S = 0.2  # commits come in bursts; people do not see a fifth of a second
_SILENCE_EVERY_S = 5.0


class Thinker:
    """Use `start` and `stop`; `wake` from any thread."""

    def __init__(self, store: Store, hub: LiveHub, now_ms: Callable[[], int]) -> None:
        self._store, self._hub, self._now_ms = store, hub, now_ms
        self._due = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="thinker")
        self._is_failing = False

    def start(self) -> None:
        self._due.set()  # what an earlier run left undone
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._due.set()
        self._thread.join()

    def wake(self) -> None:
        self._due.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            if self._due.wait(_SILENCE_EVERY_S):
                self._stopping.wait(_GATHER_S)
                self._due.clear()
                self._attempt(self._think)
            self._attempt(self._watch)

    def _think(self, connection: Connection) -> list[Change]:
        now_ms = self._now_ms()
        moved = lots.recompute(connection)
        lots.note_late(connection)
        told = _told(alarms.evaluate(connection, now_ms))
        held = lots.settle(connection, now_ms)
        return ([Change("lot")] if moved or held else []) + told

    def _watch(self, connection: Connection) -> list[Change]:
        return _told(alarms.watch_silence(connection, self._now_ms()))

    def _attempt(self, step: Callable[[Connection], list[Change]]) -> None:
        """This thread must not die: a failed step is left dirty and tried again."""
        if self._stopping.is_set():
            return
        try:
            with self._store.write() as connection:
                changes = step(connection)
        except StoreUnavailableError as error:
            self._note_failure(error)
        except Exception as error:
            log.exception("a thought failed and will be tried again")
            self._note_failure(error)
        else:
            self._is_failing = False
            if changes:
                self._hub.publish_changed(changes)

    def _note_failure(self, error: Exception) -> None:
        if not self._is_failing:
            log.error("breaches and alarms are not evaluated until this ends: %s", error)
        self._is_failing = True
        self._stopping.wait(1.0)
        self._due.set()


def _told(events: list[alarms.AlarmEvent]) -> list[Change]:
    kinds: tuple[ChangeKind, ...] = ("alarm", "zone")
    return [Change(kind) for kind in kinds] if events else []
