"""The live hub: what was just measured or decided, spread to every open browser.

    worker threads (ingest, live lane, evaluation)          event loop
      publish_values, publish_changed  -> newest per point -> Subscription -> one SSE stream

A browser that cannot keep up gets the newest value of each point later, never a growing queue: what waits for
it is one value per point and one name per changed thing. Nothing here is a record: a missed event heals on the
next query.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

MAX_CHANGES_WAITING = 500
"""Above this many changed things a browser is told to look at everything."""

FURTHEST_AHEAD_MS = 120_000
"""A value dated further ahead is kept in the store but is not "now" (delivery protocol, Time)."""

ChangeKind = Literal["zone", "alarm", "lot", "gateway", "everything"]


@dataclass(frozen=True, slots=True)
class LiveValue:
    """The newest value of one point; `value` is the exact decimal as text, or None when there is none."""

    point: str
    observed_at: int
    value: str | None
    unit: str
    quality: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """Something a page may show has changed in the database; the page asks for it again."""

    kind: ChangeKind
    key: str = ""


EVERYTHING = Change("everything")


@dataclass(frozen=True, slots=True)
class News:
    """What one browser is sent at once; empty when only a sign of life is due."""

    values: tuple[LiveValue, ...] = ()
    changes: tuple[Change, ...] = ()


@dataclass(slots=True)
class _Waiting:
    values: dict[str, LiveValue] = field(default_factory=dict)
    changes: set[Change] = field(default_factory=set)

    def add(self, values: Iterable[LiveValue], changes: Iterable[Change]) -> None:
        for value in values:
            self.values[value.point] = value
        self.changes.update(changes)
        if len(self.changes) > MAX_CHANGES_WAITING:
            self.changes = {EVERYTHING}

    def take(self) -> News:
        news = News(tuple(self.values.values()), tuple(self.changes))
        self.values, self.changes = {}, set()
        return news


class Subscription:
    """One browser's view of the hub; lives on the event loop only."""

    def __init__(self, pace_s: float) -> None:
        self._pace_s = pace_s
        self._waiting = _Waiting()
        self._awake = asyncio.Event()
        self._closed = False
        self._last_sent = float("-inf")

    def offer(self, values: Iterable[LiveValue], changes: Iterable[Change]) -> None:
        self._waiting.add(values, changes)
        self._awake.set()

    def close(self) -> None:
        self._closed = True
        self._awake.set()

    async def news(self, heartbeat_s: float) -> AsyncIterator[News]:
        """Yields at once when something is new, at most once per pace, and empty news as a heartbeat."""
        while not self._closed:
            try:
                async with asyncio.timeout(heartbeat_s):
                    await self._awake.wait()
            except TimeoutError:
                yield News()
                continue
            await asyncio.sleep(self._last_sent + self._pace_s - asyncio.get_running_loop().time())
            self._awake.clear()
            self._last_sent = asyncio.get_running_loop().time()
            if not self._closed:
                yield self._waiting.take()


class LiveHub:
    """Takes from any thread, gives on the event loop of its subscribers."""

    def __init__(self, now_ms: Callable[[], int], pace_s: float = 0.15) -> None:
        self._now_ms = now_ms
        self._pace_s = pace_s
        self._lock = threading.Lock()
        self._newest: dict[str, LiveValue] = {}
        self._incoming = _Waiting()
        self._spread_is_due = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._subscriptions: set[Subscription] = set()

    def publish_values(self, values: Iterable[LiveValue]) -> None:
        """Any thread. A value not newer than the one already shown (a batch behind the live lane) is dropped."""
        newer: dict[str, LiveValue] = {}
        with self._lock:
            for value in values:
                if self._is_newer(value):
                    self._newest[value.point] = newer[value.point] = value
            if newer:
                self._take_in(newer.values(), ())

    def publish_changed(self, changes: Iterable[Change]) -> None:
        """Any thread: these things are different in the database now."""
        with self._lock:
            self._take_in((), changes)

    def newest(self, point: str) -> LiveValue | None:
        with self._lock:
            return self._newest.get(point)

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[Subscription]:
        """The subscription begins with the newest value of every point."""
        subscription = Subscription(self._pace_s)
        with self._lock:
            self._bind(asyncio.get_running_loop())
            known = list(self._newest.values())
        if known:
            subscription.offer(known, ())
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    @property
    def subscribers(self) -> int:
        return len(self._subscriptions)

    def close(self) -> None:
        """On the event loop: ends every stream, so that the server can stop."""
        for subscription in self._subscriptions:
            subscription.close()

    def _bind(self, loop: asyncio.AbstractEventLoop) -> None:
        if loop is not self._loop:
            self._loop, self._spread_is_due = loop, False

    def _is_newer(self, value: LiveValue) -> bool:
        if value.observed_at > self._now_ms() + FURTHEST_AHEAD_MS:
            return False
        known = self._newest.get(value.point)
        return known is None or value.observed_at > known.observed_at

    def _take_in(self, values: Iterable[LiveValue], changes: Iterable[Change]) -> None:
        if self._loop is None or self._loop.is_closed():
            return
        self._incoming.add(values, changes)
        if not self._spread_is_due:
            self._spread_is_due = True
            self._loop.call_soon_threadsafe(self._spread)

    def _spread(self) -> None:
        with self._lock:
            news = self._incoming.take()
            self._spread_is_due = False
        for subscription in self._subscriptions:
            subscription.offer(news.values, news.changes)
