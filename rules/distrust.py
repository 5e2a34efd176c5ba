"""When the points of one zone and quantity could not be believed, over a stretch of time: each with its neighbours."""

from collections.abc import Iterator, Mapping, Sequence
from heapq import merge
from typing import NamedTuple

from rules.trust import PointJudge, Trust, TrustSettings, TrustState

BUMP_SEEN_AFTER_MS = 30 * 60_000  # the air goes on rising for a while when the heater is off
Told = Sequence[tuple[int, float | None]]
"""(UTC ms, value) in time order; None: a bad reading."""


class Distrust(NamedTuple):
    """A point was not FRESH, for this reason; `until_at` None: to the end."""

    point: str
    reason: str
    from_at: int
    until_at: int | None


def distrust(
    told: Mapping[str, Told],
    until_at: int,
    defrosts: Sequence[tuple[int, int]] = (),
    settings: TrustSettings | None = None,
) -> list[Distrust]:
    court = {point: _Case(point, PointJudge(settings)) for point in told}
    for at, order, point, value in _events(told, defrosts):
        if order == _BEGINS:
            for case in court.values():
                case.judge.defrost_begins()
        elif order == _OVER:
            for case in court.values():
                case.judge.defrost_is_over()
        else:
            others = (case.value_at(at) for name, case in court.items() if name != point)
            court[point].hear(at, value, [other for other in others if other is not None])
    for case in court.values():
        case.close(until_at)
    return [spell for case in court.values() for spell in case.spells]


_BEGINS, _OVER, _READING = 0, 1, 2
_Event = tuple[int, int, str, float | None]


def _events(told: Mapping[str, Told], defrosts: Sequence[tuple[int, int]]) -> Iterator[_Event]:
    readings = [[(at, _READING, point, value) for at, value in said] for point, said in told.items()]
    heaters = sorted(
        event
        for begin, end in defrosts
        for event in ((begin, _BEGINS, "", None), (end + BUMP_SEEN_AFTER_MS, _OVER, "", None))
    )
    return merge(*readings, heaters, key=lambda event: (event[0], event[1], event[2]))


class _Case:
    def __init__(self, point: str, judge: PointJudge) -> None:
        self.judge = judge
        self.spells: list[Distrust] = []
        self._point = point
        self._said: tuple[int, float] | None = None

    def value_at(self, at: int) -> float | None:
        if self._said is None or at - self._said[0] > self.judge.settings.stale_after_s * 1000:
            return None
        return self._said[1]

    def hear(self, at: int, value: float | None, others: Sequence[float]) -> None:
        self._note(self.judge.settle(at), at)
        self._note(self.judge.take(at, value, others), at)
        self._said = None if value is None else (at, value)

    def close(self, until_at: int) -> None:
        self._note(self.judge.settle(until_at), until_at)

    def _note(self, trust: Trust | None, at: int) -> None:
        if trust is None:
            return
        reason = None if trust.state is TrustState.FRESH else (trust.test or trust.state).value
        last = self.spells[-1] if self.spells else None
        if last is not None and last.until_at is None:
            if last.reason == reason:
                return
            self.spells[-1] = last._replace(until_at=min(at, trust.since_at))
        if reason is not None:
            self.spells.append(Distrust(self._point, reason, trust.since_at, None))
