"""Faults 9 and 10: the network between site and cloud is cut, flaps, drops one way, goes half-open, loses and crawls."""

import time
from collections.abc import Callable
from contextlib import ExitStack

from simulator.fault_proxy import CUT, FAIR, Weather
from tests.chaos.trial import Effort, Trial
from tests.support.bad_line import bad_line
from tests.support.live_watch import LiveWatch
from tests.support.network import CLOUD_ADDRESS, TwoSides
from tests.support.running_site import RunningSite, resident_mib

LIVE_WITHIN_S = 2.0  # of reconnecting
_BUSY_S = 2.0  # what a machine with three other scenarios may add
_OLDEST_LIVE_S = 30.0  # on 64 kbit/s with 10 % of the packets lost
_EDGE_MIB, _CLOUD_MIB = 80, 250


def bad_lines(trial: Trial) -> None:
    """Fault 9 by a proxy: partition, flapping, one-way drops and a half-open connection, one after the other."""
    with ExitStack() as stack:
        broker = stack.enter_context(trial.broker())
        line = stack.enter_context(bad_line(broker.port, trial.dice.getrandbits(32)))
        site = stack.enter_context(
            trial.site(broker, counters=20, period_s=0.25, gateway_broker=("127.0.0.1", line.port))
        )
        stack.enter_context(trial.witness(broker, site.database))
        watch = stack.enter_context(LiveWatch(site.page_port))
        line.set_weather(CUT)
        site.pass_time(trial.times(60, 15))
        _heal(trial, site, watch, lambda: line.set_weather(FAIR), lambda: line.connections)
        for _ in range(trial.times(10, 4)):
            line.set_weather(CUT)
            line.reset()
            site.pass_time(1.0)
            line.set_weather(FAIR)
            site.pass_time(1.0)
        trial.recover(site)
        for weather in (Weather(holds_up=True), Weather(holds_down=True)):
            line.set_weather(weather)
            site.pass_time(trial.times(15, 6))
            line.set_weather(FAIR)
            trial.recover(site)
        if trial.effort is Effort.FULL:
            line.forsake()  # noticed by the keep-alive alone
            trial.recover(site)
        _note_memory(trial, site)
        site.finish()
        trial.judge(site)


def partition(trial: Trial) -> None:
    """Fault 9 with real packets that really do not arrive."""
    with ExitStack() as stack:
        sides = stack.enter_context(trial.network())
        site, watch = _apart(trial, stack, sides)
        sides.cut()
        site.pass_time(trial.times(60, 12))
        _heal(trial, site, watch, sides.heal, None)
        for drop in (sides.drop_towards_cloud, sides.drop_towards_site):
            drop()
            site.pass_time(trial.times(15, 6))
            sides.heal()
            trial.recover(site)
        _note_memory(trial, site)
        site.finish()
        trial.judge(site)


def crawl(trial: Trial) -> None:
    """Fault 10: 10 % of the packets lost on 64 kbit/s, after an outage; the newest value comes before the backlog."""
    with ExitStack() as stack:
        sides = stack.enter_context(trial.network())
        site, watch = _apart(trial, stack, sides, counters=8, period_s=0.5)
        sides.cut()
        site.pass_time(trial.times(60, 15))
        sides.heal()
        sides.lose(10)
        sides.slow_down("64kbit")
        site.wait_until(lambda: watch.age_s < _OLDEST_LIVE_S / 2, "live values again", 120)
        backlog, worst, least = site.unsent_batches(), 0.0, 1 << 30
        until = time.monotonic() + trial.times(90, 30)
        while time.monotonic() < until:
            site.pass_time(0.5)
            worst, least = max(worst, watch.age_s), min(least, site.unsent_batches())
        trial.expect(least < backlog / 2, f"{backlog} batches waited, and never fewer than {least}")
        trial.row.facts |= {"backlog_batches": backlog, "oldest_live_s": round(worst, 1)}
        trial.expect(worst <= _OLDEST_LIVE_S, f"the newest live value was {worst:.1f} s old")
        sides.heal()
        site.finish()
        trial.judge(site)


def _apart(
    trial: Trial, stack: ExitStack, sides: TwoSides, *, counters: int = 20, period_s: float = 0.25
) -> tuple[RunningSite, LiveWatch]:
    """Plant and gateway on one side, broker and cloud on the other."""
    broker = stack.enter_context(trial.broker(within=sides.within(sides.cloud), address="0.0.0.0"))
    within = {name: sides.within(sides.site) for name in ("plant", "gateway")} | {"cloud": sides.within(sides.cloud)}
    site = stack.enter_context(
        trial.site(
            broker,
            counters=counters,
            period_s=period_s,
            gateway_broker=(CLOUD_ADDRESS, broker.port),
            within=within,
        )
    )
    return site, stack.enter_context(LiveWatch(site.page_port, sides.cloud))


def _heal(
    trial: Trial, site: RunningSite, watch: LiveWatch, heal: Callable[[], None], connections: Callable[[], int] | None
) -> None:
    """How fast the backlog drains, and how soon a screen shows the present again."""
    stored, tries = site.readings_stored(), connections() if connections else 0
    healed = time.monotonic()
    heal()
    site.wait_until(
        lambda: site.readings_stored() > stored or bool(connections and connections() > tries), "a sign", 90
    )
    reconnected, now_ms = time.monotonic(), time.time() * 1000
    site.wait_until(lambda: watch.newest_ms >= now_ms - 500, "live values again", 30)
    live_s = time.monotonic() - reconnected
    site.wait_until(lambda: site.readings_stored() > stored, "readings again", 60)
    draining = time.monotonic()
    trial.row.recoveries_s.append(draining - healed)
    site.wait_until(lambda: site.unsent_batches() <= 1, "the backlog has drained", 90)
    took_s = max(time.monotonic() - draining, 0.05)
    trial.row.catchup_readings_per_s = round((site.readings_stored() - stored) / took_s)
    trial.row.facts["live_after_reconnect_s"] = round(live_s, 2)
    trial.expect(live_s <= LIVE_WITHIN_S + _BUSY_S, f"the first live value came {live_s:.1f} s after the connection")


def _note_memory(trial: Trial, site: RunningSite) -> None:
    edge, cloud = (resident_mib(site.processes[name].pid) for name in ("gateway", "cloud"))
    trial.row.facts |= {"edge_mib": edge, "cloud_mib": cloud}
    trial.expect(edge <= _EDGE_MIB, f"the gateway holds {edge} MiB")
    trial.expect(cloud <= _CLOUD_MIB, f"the cloud holds {cloud} MiB")
