"""Boot time never jumps; UTC is claimed only once it is known."""

import ctypes

import pytest

from edge.clock import TIMEX_FIELDS, Clock, MachineTime, Trust, UtcNow
from wire.entries import ClockAnchor


class FakeTime:
    boot_id = bytes(16)

    def __init__(self):
        self.boot, self.known = 10_000, None

    def boot_ms(self):
        return self.boot

    def utc(self):
        return self.known


def test_without_a_good_clock_there_is_no_offset():
    clock = Clock(FakeTime())
    assert clock.look() is None
    assert clock.offset_ms is None


def test_the_first_good_time_is_an_anchor_and_sets_the_offset():
    source = FakeTime()
    clock = Clock(source)
    clock.look()
    source.boot, source.known = 20_000, UtcNow(1_795_246_320_000, 12)
    assert clock.look() == ClockAnchor(None, 20_000, 1_795_246_320_000, 12)
    assert clock.offset_ms == 1_795_246_300_000


def test_drift_between_two_looks_is_no_news_and_a_step_is():
    source = FakeTime()
    clock = Clock(source)
    source.known = UtcNow(1_795_246_320_000, 12)
    clock.look()
    source.boot, source.known = 50_000, UtcNow(1_795_246_360_020, 12)
    assert clock.look() is None
    assert clock.offset_ms == 1_795_246_310_000
    source.boot, source.known = 90_000, UtcNow(1_795_246_500_000, 12)
    assert clock.look() == ClockAnchor(None, 90_000, 1_795_246_500_000, 12)


def test_a_clock_that_was_good_and_is_lost_keeps_its_offset():
    source = FakeTime()
    clock = Clock(source)
    source.known = UtcNow(1_795_246_320_000, 12)
    clock.look()
    source.boot, source.known = 80_000, None
    assert clock.look() is None
    assert clock.offset_ms == 1_795_246_310_000


def test_the_machine_tells_boot_time_and_when_trusted_utc():
    machine = MachineTime(Trust.SYSTEM)
    assert len(machine.boot_id) == 16
    assert machine.boot_ms() > 0
    assert machine.utc().utc_ms > 1_767_225_600_000


def test_the_kernel_answers_whether_it_is_synchronised():
    utc = MachineTime(Trust.KERNEL).utc()
    assert utc is None or 0 <= utc.error_ms < 60_000


@pytest.mark.parametrize(
    ("long", "offsets"),
    [(ctypes.c_int32, [0, 4, 8, 12, 16, 20]), (ctypes.c_int64, [0, 8, 16, 24, 32, 40])],
    ids=["32 bit", "64 bit"],
)
def test_the_kernels_answer_is_read_where_it_stands(long, offsets):
    """As a C compiler lays out uapi/linux/timex.h, measured with offsetof."""
    fields = [(name, long if kind == "long" else ctypes.c_int32) for name, kind in TIMEX_FIELDS]
    layout = type("Layout", (ctypes.Structure,), {"_fields_": fields})
    assert [getattr(layout, name).offset for name, _ in fields] == offsets


def test_a_step_between_two_looks_is_found_within_half_a_minute():
    """Meanwhile the offset of before holds: the boot clock did not jump."""
    source = FakeTime()
    clock = Clock(source)
    source.known = UtcNow(1_795_246_320_000, 12)
    clock.look()
    offset, two_weeks = clock.offset_ms, 14 * 86_400_000
    source.boot, source.known = 20_000, UtcNow(1_795_246_330_000 + two_weeks, 12)
    assert clock.look() is None and clock.offset_ms == offset
    source.boot, source.known = 40_000, UtcNow(1_795_246_350_000 + two_weeks, 12)
    assert clock.look() == ClockAnchor(None, 40_000, 1_795_246_350_000 + two_weeks, 12)
    assert clock.offset_ms == offset + two_weeks
