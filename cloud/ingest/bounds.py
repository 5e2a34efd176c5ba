"""When a boot happened that never knew the time: between its neighbours. Pure.

    |-- a boot with a clock --|      ?[== boot 1 ==]  ?[== boot 2 ==]  ?      |-- a boot with a clock --|
                          after                                             before

What is free between them is shared out evenly, so that nobody is further off than need be and the order holds.
However near they are, such a time is uncertain.
"""

from collections.abc import Sequence
from typing import NamedTuple

SURE_WITHIN_MS = 1000
"""A time with a larger error is marked as uncertain."""

UNKNOWN_ERROR_MS = 1_000_000_000_000
"""Nothing came before it, or the neighbours leave no room for it: two machines of one name, or a wrong clock."""


class Bound(NamedTuple):
    """UTC of the kernel's start, and how far that may be off."""

    began_at: int
    error_ms: int


def bounds(durations: Sequence[int], after: int | None, before: int) -> list[Bound]:
    """Boots in their order with the length of what is known of each; `after` None: nothing came before them."""
    total = sum(durations)
    free = -1 if after is None else before - after - total
    begin = before - total - max(0, free)
    found, passed = [], 0
    for number, duration in enumerate(durations, start=1):
        share = max(0, free) * number // (len(durations) + 1)
        error = UNKNOWN_ERROR_MS if free < 0 else max(share, free - share, SURE_WITHIN_MS + 1)
        found.append(Bound(begin + passed + share, error))
        passed += duration
    return found
