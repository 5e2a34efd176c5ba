"""How long the site can work alone: a figure, and an alarm before it is too late."""

from edge.buffer.contract import Fill
from edge.health import BufferWatch

MIB = 1 << 20


def fill(unsent_share, appended=0, quota=100 * MIB):
    return Fill(
        unsent_batches=round(1000 * unsent_share),
        kept_batches=1000,
        used_bytes=quota,
        quota_bytes=quota,
        dropped_batches=0,
        thinned_batches=0,
        appended_bytes=appended,
    )


def test_autonomy_is_what_is_free_at_the_rate_of_now():
    watch = BufferWatch()
    assert watch.look(fill(0.5), 0) is None
    assert watch.look(fill(0.5, appended=MIB), 86_400_000 // 10) == 50  # 10 MiB a day, 50 MiB free: 5.0 days


def test_what_the_ring_keeps_of_the_past_does_not_count():
    watch = BufferWatch()
    watch.look(fill(0.0), 0)
    assert watch.look(fill(0.0, appended=MIB), 86_400_000) == 1000


def test_the_rate_is_not_guessed_in_the_first_minute():
    watch = BufferWatch()
    watch.look(fill(0.0), 0)
    assert watch.look(fill(0.0, appended=MIB), 30_000) is None


def test_the_alarm_comes_at_70_per_cent_and_goes_with_a_deadband():
    watch = BufferWatch()
    alarmed = []
    for share in (0.69, 0.70, 0.66, 0.65, 0.64, 0.69):
        watch.look(fill(share), 0)
        alarmed.append(watch.is_alarmed)
    assert alarmed == [False, True, True, True, False, False]


def test_a_full_buffer_has_no_autonomy():
    watch = BufferWatch()
    watch.look(fill(1.0), 0)
    assert watch.look(fill(1.0, appended=MIB), 86_400_000) == 0
