"""Right time without a clock: boot milliseconds that never jump, and what turns them into UTC once time is known good.

A Raspberry Pi without a battery wakes up in the past. Readings therefore carry CLOCK_BOOTTIME and the kernel's boot id;
the offset to UTC stays unknown until the kernel says that its clock is synchronised (adjtimex(2): STA_UNSYNC clear).
"""

from __future__ import annotations

import ctypes
import time
import uuid
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from wire.entries import ClockAnchor

_EARLIEST_UTC_MS = 1_767_225_600_000  # 2026-01-01: a clock before this program existed is not synchronised
_STEP_MS = 50  # a smaller difference is drift between two looks, not news
_LOOK_EVERY_MS = 30_000


class Trust(Enum):
    """Whom to believe about UTC."""

    KERNEL = "kernel"  # good when the kernel is synchronised by NTP, PTP or a disciplined RTC
    SYSTEM = "system"  # good always: for machines whose time is kept by something the kernel does not see


@dataclass(frozen=True)
class UtcNow:
    """What the system believes now: UTC and how far it may be off."""

    utc_ms: int
    error_ms: int


class TimeSource(Protocol):
    """The machine's clocks, as the agent needs them."""

    boot_id: bytes

    def boot_ms(self) -> int:
        """Milliseconds since boot, suspended time included; never jumps."""

    def utc(self) -> UtcNow | None:
        """None while the clock is not known good."""


class Clock:
    """Boot time plus the offset in force. One offset holds until the clock is found to have stepped."""

    def __init__(self, source: TimeSource) -> None:
        self._source = source
        self.boot_id = source.boot_id
        self.offset_ms: int | None = None
        self._looked_at: int | None = None

    def now_ms(self) -> int:
        return self._source.boot_ms()

    def look(self) -> ClockAnchor | None:
        """Ask the machine for UTC, at most every 30 s. An anchor is news: the first good time, or a step."""
        now = self._source.boot_ms()
        if self._looked_at is not None and now - self._looked_at < _LOOK_EVERY_MS and self.offset_ms is not None:
            return None
        self._looked_at = now
        utc = self._source.utc()
        if utc is None:
            return None
        offset = utc.utc_ms - now
        if self.offset_ms is not None and abs(offset - self.offset_ms) < _STEP_MS:
            return None
        self.offset_ms = offset
        return ClockAnchor(None, now, utc.utc_ms, utc.error_ms)


class MachineTime:
    """TimeSource of a Linux machine."""

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self.boot_id = uuid.UUID(Path("/proc/sys/kernel/random/boot_id").read_text().strip()).bytes

    def boot_ms(self) -> int:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000

    def utc(self) -> UtcNow | None:
        utc_ms = time.time_ns() // 1_000_000
        if utc_ms < _EARLIEST_UTC_MS:
            return None
        if self._trust is Trust.SYSTEM:
            return UtcNow(utc_ms, 1000)
        error_us = _kernel_error_us()
        return None if error_us is None else UtcNow(utc_ms, error_us // 1000)


TIMEX_FIELDS = (
    ("modes", "int"),
    ("offset", "long"),
    ("freq", "long"),
    ("maxerror", "long"),
    ("esterror", "long"),
    ("status", "int"),
)
"""The beginning of struct timex, uapi/linux/timex.h. `long` is the machine's: libc's `adjtimex` keeps the old layout on
32-bit ARM and x86, whose 64-bit times have a call of their own."""


class _Timex(ctypes.Structure):
    """struct timex of adjtimex(2); only status and the maximum error are read."""

    _fields_ = (
        *((name, ctypes.c_long if kind == "long" else ctypes.c_int) for name, kind in TIMEX_FIELDS),
        ("_rest", ctypes.c_byte * 512),
    )


_STA_UNSYNC = 0x0040
_TIME_ERROR = 5


def _kernel_error_us() -> int | None:
    """The kernel's maximum error in microseconds; None when it is not synchronised. modes = 0 only reads."""
    timex = _Timex()
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    if state in {-1, _TIME_ERROR} or timex.status & _STA_UNSYNC:
        return None
    return int(timex.maxerror)
