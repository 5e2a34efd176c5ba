"""What a batch carries: one row per fact that the edge learned.

`at` is always milliseconds of the gateway's boot clock (CLOCK_BOOTTIME); it never jumps. UTC comes from the batch's
`offset_ms` (UTC = at + offset) or, for a boot that knew no clock yet, from a ClockAnchor that arrives later.
A value is an exact decimal, `mantissa` / 10^`decimals`; nothing is ever rounded on the way.

The types are named tuples because the edge makes 20,000 of them a second.
"""

from __future__ import annotations

from decimal import Decimal
from enum import IntEnum
from typing import NamedTuple, TypeAlias


class Quality(IntEnum):
    """How far a value can be trusted. The numbers are the wire's and the database's."""

    GOOD = 0
    UNCERTAIN = 1
    BAD = 2


class Reading(NamedTuple):
    """One observed value of a point. A failed measurement is a Reading with BAD and a reason, never silence."""

    point: int  # index into the gateway's point table
    at: int
    mantissa: int | None  # None: no value was obtained
    decimals: int
    quality: Quality
    reason: str | None  # snake_case; None exactly when GOOD

    @property
    def value(self) -> Decimal | None:
        return None if self.mantissa is None else Decimal(self.mantissa).scaleb(-self.decimals)


class Sighting(NamedTuple):
    """One EPC seen by one antenna: from the first to the last of `reads` reads."""

    point: int
    at: int
    last_at: int
    epc: str  # lower-case hex
    reads: int
    rssi_dbm: int | None  # the best one; None when the reader gives no dBm
    antenna: int | None


class Weighing(NamedTuple):
    """One stable weight taken as an event, once per placement."""

    point: int
    at: int
    mantissa: int
    decimals: int
    unit: str
    mode: str | None  # "gross", "net", or None when the scale does not say
    is_stability_derived: bool  # True: the scale gives no stable flag, the edge concluded it

    @property
    def value(self) -> Decimal:
        return Decimal(self.mantissa).scaleb(-self.decimals)


class Gap(NamedTuple):
    """Time in which nothing could be measured or kept, said by the gateway itself."""

    reason: str  # agent_stopped, agent_killed, power_off, bus_down, thinned, not_kept, buffer_corrupt
    from_boot: bytes | None  # None: the boot of this batch
    from_at: int | None  # None: unknown
    until_at: int | None  # in the boot of this batch; None: still open
    points: tuple[int, ...] | None  # None: all of the gateway
    detail: str


class ClockAnchor(NamedTuple):
    """At boot time `at` of `boot` it was `utc_ms`, known to `error_ms`."""

    boot: bytes | None  # None: the boot of this batch
    at: int
    utc_ms: int
    error_ms: int


Entry: TypeAlias = Reading | Sighting | Weighing | Gap | ClockAnchor
