"""Virtual time: a queue of what happens when, one source of chance, and a log of what happened."""

import heapq
import random
from collections.abc import Callable
from itertools import count

START_MS = 1_800_000_000_000


class Crash(BaseException):
    """The process that is running ends here and now; nothing of it is cleaned up."""


class World:
    """`now` is true UTC in milliseconds; no program in it may know it."""

    def __init__(self, seed: int, *, is_told: bool = False) -> None:
        self.dice = random.Random(seed)
        self.now = START_MS
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._order = count()
        self._is_told = is_told

    def after(self, delay_ms: float, call: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (self.now + round(delay_ms), next(self._order), call))

    def run_until(self, end: int) -> None:
        while self._queue and self._queue[0][0] <= end:
            self.now, _, call = heapq.heappop(self._queue)
            call()
        self.now = end

    def chance(self, share: float) -> bool:
        return self.dice.random() < share

    def tell(self, text: str) -> None:
        if self._is_told:
            print(f"{(self.now - START_MS) / 1000:9.3f}  {text}")

    @property
    def seconds(self) -> float:
        return (self.now - START_MS) / 1000
