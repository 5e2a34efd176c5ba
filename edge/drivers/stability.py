"""Stability for formats that do not report it: so many frames in a row that hardly differ. Always marked as derived."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal

from edge.drivers.errors import BadParameter
from edge.drivers.frames import Decoder, Frame, ReadingFrame
from edge.drivers.params import Params


class DerivedStability:
    """A decoder around another one: fills in `stable` where the protocol leaves it open."""

    def __init__(self, inner: Decoder, rule: object, clock_ms: Callable[[], int]) -> None:
        if not isinstance(rule, Mapping):
            raise BadParameter("derive_stability", rule, "frames, within_ms and tolerance_digits")
        options = Params(rule)
        self._inner = inner
        self._clock_ms = clock_ms
        self._within_ms = options.whole("within_ms", 1, 600_000, 1000)
        self._tolerance_digits = options.whole("tolerance_digits", 0, 1000, 0)
        self._seen: deque[tuple[int, Decimal]] = deque(maxlen=options.whole("frames", 2, 100, 5))
        if options.unused:
            raise BadParameter("derive_stability", options.unused, "only frames, within_ms and tolerance_digits")

    @property
    def poll_request(self) -> bytes:
        return self._inner.poll_request

    @property
    def pending(self) -> bool:
        return self._inner.pending

    def expect(self, request: bytes) -> None:
        self._inner.expect(request)

    def feed(self, chunk: bytes) -> list[Frame]:
        return [self._judged(frame) for frame in self._inner.feed(chunk)]

    def idle(self) -> list[Frame]:
        self._seen.clear()
        return [self._judged(frame) for frame in self._inner.idle()]

    def _judged(self, frame: Frame) -> Frame:
        if not isinstance(frame, ReadingFrame) or frame.stable is not None or frame.point is not None:
            return frame
        if frame.value is None:
            self._seen.clear()
            return frame
        self._seen.append((self._clock_ms(), Decimal(frame.value)))
        return replace(frame, stable=self._is_steady(Decimal(frame.value)), is_stability_derived=True)

    def _is_steady(self, latest: Decimal) -> bool:
        if len(self._seen) < (self._seen.maxlen or 0):
            return False
        step = Decimal((0, (1,), int(latest.as_tuple().exponent)))  # the last digit shown
        values = [value for _, value in self._seen]
        took_ms = self._seen[-1][0] - self._seen[0][0]
        return max(values) - min(values) <= self._tolerance_digits * step and took_ms <= self._within_ms
