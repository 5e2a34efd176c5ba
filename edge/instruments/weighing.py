"""When a weight counts as weighed: once per placement, as soon as it rests; the scale must have been empty before.

    EMPTY --stable and heavy enough--> WEIGHED --back near zero--> EMPTY

A scale that gives no stable flag is taken to rest when it shows the same three times; such a weighing says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

MIN_DIVISIONS = 20  # smallest load a class III scale may be used for: OIML R 76-1, table 3
SAME_TO_REST = 3


@dataclass(frozen=True)
class Weighed:
    is_stability_derived: bool


class WeighingJudge:
    """Sees every weight of one scale in order. Bad readings are not shown to it: they change nothing."""

    def __init__(self, min_weight: Decimal | None = None) -> None:
        self._min_weight = min_weight
        self._is_armed = False  # what lies on the scale when we start was put there before our time
        self._last: Decimal | None = None
        self._same = 0

    def observe(self, value: Decimal, *, stable: bool | None) -> Weighed | None:
        """`value` as shown: its last digit is the division when no smallest weight was set."""
        self._same = self._same + 1 if value == self._last else 1
        self._last = value
        if value < self._least(value):
            self._is_armed = True
            return None
        rests = stable if stable is not None else self._same >= SAME_TO_REST
        if not self._is_armed or not rests:
            return None
        self._is_armed = False
        return Weighed(is_stability_derived=stable is None)

    def _least(self, value: Decimal) -> Decimal:
        if self._min_weight is not None:
            return self._min_weight
        exponent = value.as_tuple().exponent
        return Decimal(MIN_DIVISIONS).scaleb(exponent if isinstance(exponent, int) else 0)
