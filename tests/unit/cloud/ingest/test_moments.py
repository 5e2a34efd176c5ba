"""No battery, no network, a clock that lies: what the ingest makes of boot time, and how it mends it later."""

from cloud.store.detail import is_time_uncertain
from tests.support.sending_gateway import BOOT, OFFSET, OTHER_BOOT, reading
from tests.unit.cloud.ingest.conftest import hello
from wire.entries import ClockAnchor, Gap, Sighting, Weighing

THIRD_BOOT = b"the third boot.."
TWO_WEEKS = 14 * 86_400_000
EPC = "30340789000000000000002a"


def stored(intake):
    """Value, time after OFFSET, and whether that is uncertain."""
    found = intake.all("SELECT value, observed_at, detail FROM reading ORDER BY observed_at")
    return [(round(value * 10), at - OFFSET, is_time_uncertain(detail)) for value, at, detail in found]


def anchor(at, utc_ms, error_ms=20):
    return ClockAnchor(None, at, utc_ms, error_ms)


def test_two_boots_before_the_first_sync_are_bounded_by_their_neighbours(intake, gateway):
    intake.send(gateway, gateway.seal([reading(1000, 1)]))
    intake.send(gateway, gateway.seal([reading(0, 2), reading(1000, 3)], boot=OTHER_BOOT, offset=None))
    intake.send(gateway, gateway.seal([reading(0, 4)], boot=THIRD_BOOT, offset=None))
    intake.place_waiting()
    assert stored(intake) == [(1, 1000, False)]
    intake.send(gateway, gateway.seal([reading(9000, 5)], boot=b"the fourth boot.", offset=OFFSET + 32_000))
    intake.place_waiting()
    assert stored(intake) == [
        (1, 1000, False),
        (2, 11_000, True),
        (3, 12_000, True),
        (4, 22_000, True),
        (5, 41_000, False),
    ]
    assert intake.one("SELECT count(*) FROM batch WHERE anchored = 0") == 0


def test_the_boot_that_is_still_running_waits_for_its_own_anchor(intake, gateway):
    intake.send(gateway, gateway.seal([reading(1000)]))
    intake.send(gateway, gateway.seal([reading(0)], boot=OTHER_BOOT, offset=None))
    intake.place_waiting()
    assert len(stored(intake)) == 1


def test_what_an_earlier_boot_tells_again_bounds_nothing(intake, gateway):
    first = [reading(1000, 1)]
    intake.send(gateway, gateway.seal(first))
    intake.send(gateway, gateway.seal([reading(0, 2)], boot=OTHER_BOOT, offset=None))
    gateway.begin_epoch(b"another epoch...")
    intake.send(gateway, gateway.seal(first))
    intake.place_waiting()
    assert [value for value, *_ in stored(intake)] == [1]


def test_a_boot_that_was_bounded_moves_when_its_own_anchor_comes_late(intake, gateway):
    intake.send(gateway, gateway.seal([reading(1000, 1)]))
    intake.send(gateway, gateway.seal([reading(500, 2)], boot=OTHER_BOOT, offset=None))
    intake.send(gateway, gateway.seal([reading(9000, 3)], boot=THIRD_BOOT, offset=OFFSET + 32_000))
    intake.place_waiting()
    assert [uncertain for *_, uncertain in stored(intake)] == [False, True, False]
    late = ClockAnchor(OTHER_BOOT, 500, OFFSET + 25_000, 20)
    intake.send(gateway, gateway.seal([late, reading(10_000, 4)], boot=THIRD_BOOT, offset=OFFSET + 32_000))
    intake.place_waiting()
    assert stored(intake) == [(1, 1000, False), (2, 25_000, False), (3, 41_000, False), (4, 42_000, False)]


def test_a_jump_of_two_weeks_and_back_is_repaired_to_the_millisecond(intake, gateway):
    """The system clock was believed, wrongly; the boot clock never jumped."""
    intake.send(gateway, gateway.seal([anchor(0, OFFSET), reading(1000, 1)]))
    wrong = OFFSET - TWO_WEEKS
    intake.send(gateway, gateway.seal([anchor(2000, wrong + 2000), reading(3000, 2)], offset=wrong))
    ahead = OFFSET + TWO_WEEKS
    intake.send(gateway, gateway.seal([anchor(4000, ahead + 4000), reading(5000, 3)], offset=ahead))
    intake.send(gateway, gateway.seal([anchor(6000, OFFSET + 6000), reading(7000, 4)]))
    intake.place_waiting()
    assert stored(intake) == [(1, 1000, False), (2, 3000, False), (3, 5000, False), (4, 7000, False)]
    assert intake.all("SELECT observed_at, value FROM latest") == [(OFFSET + 7000, 0.4)]


def test_a_small_step_moves_nothing_that_knew_its_time(intake, gateway):
    intake.send(gateway, gateway.seal([anchor(0, OFFSET), reading(1000, 1)]))
    intake.send(gateway, gateway.seal([anchor(2000, OFFSET + 2400), reading(3000, 2)], offset=OFFSET + 400))
    intake.place_waiting()
    assert stored(intake) == [(1, 1000, False), (2, 3400, False)]


def test_everything_that_a_batch_wrote_is_moved_with_it(intake, gateway):
    wrong = OFFSET + TWO_WEEKS
    seen = Sighting(3, 1000, 1500, EPC, 4, -52, 1)
    weighed = Weighing(2, 2000, 485, 3, "kg", "net", is_stability_derived=True)
    gap = Gap("bus_down", None, 500, 900, (0,), "")
    intake.send(gateway, gateway.seal([anchor(0, wrong), seen, weighed, gap], offset=wrong))
    intake.send(gateway, gateway.seal([anchor(6000, OFFSET + 6000)]))
    intake.place_waiting()
    assert intake.all("SELECT observed_at, last_at FROM sighting") == [(OFFSET + 1000, OFFSET + 1500)]
    assert intake.all("SELECT observed_at FROM weighing") == [(OFFSET + 2000,)]
    assert intake.all("SELECT from_at, until_at FROM gap") == [(OFFSET + 500, OFFSET + 900)]
    assert intake.all("SELECT observed_at FROM latest") == [(OFFSET + 2000,)]
    assert {at for (at,) in intake.all("SELECT from_at FROM dirty_carrier")} == {wrong + 1000, OFFSET + 1000}


def test_what_is_sealed_again_in_a_new_epoch_is_repaired_and_stays_single(intake, gateway):
    entries = [reading(1000, 1), reading(2000, 2)]
    intake.send(gateway, gateway.seal(entries, offset=None))
    intake.send(gateway, gateway.seal([anchor(5000, OFFSET + 5000)], offset=None))
    intake.place_waiting()
    intake.send(gateway, gateway.seal([anchor(9000, OFFSET + 9600)], offset=OFFSET + 600))
    gateway.begin_epoch(b"another epoch...")
    intake.send(gateway, gateway.seal(entries, offset=None))
    intake.place_waiting()
    assert stored(intake) == [(1, 1600, False), (2, 2600, False)]


def test_a_gap_that_began_in_a_boot_without_a_clock_gets_its_beginning_later(intake, gateway):
    intake.send(gateway, gateway.seal([reading(1000, 1)], offset=None))
    gap = Gap("power_off", BOOT, 1000, 500, None, "")
    intake.send(gateway, gateway.seal([gap, reading(600, 2)], boot=OTHER_BOOT, offset=OFFSET + 60_000))
    intake.place_waiting()
    [(from_at, until_at)] = intake.all("SELECT from_at, until_at FROM gap")
    assert (from_at, until_at) == (OFFSET + 60_000, OFFSET + 60_500)  # bounded: at the latest when the next boot began
    late = ClockAnchor(BOOT, 1000, OFFSET + 30_000, 20)
    intake.send(gateway, gateway.seal([late], boot=OTHER_BOOT, offset=OFFSET + 60_000))
    intake.place_waiting()
    assert intake.all("SELECT from_at, until_at FROM gap") == [(OFFSET + 30_000, OFFSET + 60_500)]
    assert intake.one("SELECT count(*) FROM gap_end WHERE is_sure = 0") == 0


def test_a_declared_loss_between_boots_without_a_clock_gets_both_ends(intake, gateway):
    first, _, third = (gateway.seal([reading(1000 * n)], offset=None) for n in (1, 2, 3))
    intake.send(gateway, first)
    intake.take(hello(gateway, oldest=3))
    intake.send(gateway, third)
    intake.send(gateway, gateway.seal([anchor(9000, OFFSET + 9000)], offset=None))
    intake.place_waiting()
    assert intake.all("SELECT reason, from_at, until_at FROM gap") == [("not_kept", OFFSET + 1000, OFFSET + 3000)]
