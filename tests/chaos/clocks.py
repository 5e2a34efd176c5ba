"""Fault 12: a gateway that does not know the time, or knows a wrong one, in several boots before somebody tells it."""

import time
from itertools import pairwise

from tests.chaos.odd_clock import OddClock
from tests.chaos.trial import Trial
from tests.support.running_site import RunningSite

_TWO_WEEKS_MS = 14 * 86_400_000
_SINCE_1970_MS = -1_795_000_000_000
_MARGIN_MS = 1500  # around a start, where a reading may be of either boot


def lose_the_time(trial: Trial) -> None:
    """1 knows it, 2 is at 1970, 3 jumps two weeks ahead and back, and is told; 2 is only known to lie between."""
    clock = OddClock(trial.folder / "clock.json")
    clock.begin_boot(is_synchronised=True)
    lasts_s = trial.times(15, 4)
    with trial.broker() as broker, trial.site(broker, counters=4, launchers={"gateway": clock.launcher}) as site:
        began = _now_ms() - 60_000
        site.pass_time(lasts_s)
        second = _boot(site, clock, wrong_by_ms=_SINCE_1970_MS)
        site.pass_time(lasts_s)
        third = _boot(site, clock, wrong_by_ms=_TWO_WEEKS_MS)
        site.pass_time(lasts_s)
        clock.set(is_synchronised=False, wrong_by_ms=-_TWO_WEEKS_MS)
        site.pass_time(lasts_s)
        clock.set(is_synchronised=True)
        trial.recover(site)
        site.finish()
        trial.judge(site, kills=2, within=[(began, second), (third, _now_ms())])
        _judge_the_unknown(trial, site, second - _MARGIN_MS, third + _MARGIN_MS)


def _boot(site: RunningSite, clock: OddClock, *, wrong_by_ms: int) -> int:
    site.kill("gateway")
    site.pass_time(1)
    clock.begin_boot(is_synchronised=False, wrong_by_ms=wrong_by_ms)
    began = _now_ms()
    site.start("gateway")
    return began


def _judge_the_unknown(trial: Trial, site: RunningSite, from_ms: int, until_ms: int) -> None:
    """What boot 2 measured: all of it, in its order, between its neighbours, and said to be uncertain."""
    rows = site.ask_cloud_all(
        "SELECT series.device, series.point, reading.observed_at, reading.value, reading.detail & 64 FROM reading"
        " JOIN series ON series.id = reading.series_id JOIN batch ON batch.id = reading.batch_id"
        " WHERE batch.boot = x'00000000000000000000000000000002' AND series.device LIKE 'counter-%'"
        " ORDER BY series.id, reading.observed_at"
    )
    trial.row.facts["uncertain"] = len(rows)
    trial.expect(len(rows) > 0, "nothing of the boot without a clock is stored")
    trial.expect(all(uncertain for *_, uncertain in rows), "times that nobody knew are not said to be uncertain")
    outside = [at for _, _, at, _, _ in rows if not from_ms <= at <= until_ms]
    trial.expect(not outside, f"{len(outside)} readings do not lie between their neighbours")
    turned = [after for before, after in pairwise(rows) if before[:2] == after[:2] and after[3] <= before[3]]
    trial.expect(not turned, f"{len(turned)} readings are out of order")
    owed = site.committed.of_boot(2)
    trial.expect(len(rows) == owed, f"{owed} readings of the boot without a clock were sealed, {len(rows)} are stored")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
