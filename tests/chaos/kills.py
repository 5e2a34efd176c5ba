"""Faults 1 and 4: gateway, broker and ingest killed at random moments, in turn and together."""

import time

from tests.chaos.trial import Trial
from tests.support.running_site import RunningSite

TOGETHER = (("gateway",), ("cloud",), ("broker",), ("wipe",), ("gateway", "cloud"), ("gateway", "cloud", "wipe"))


def kill_gateway(trial: Trial) -> None:
    """Fault 1: `kill -9` of the gateway at any moment, every other time while it starts."""
    kills = trial.times(50, 10)
    with trial.broker() as broker, trial.site(broker, counters=4) as site:
        for number in range(kills):
            if number % 2:
                site.wait_for_a_flush()
            site.pass_time(trial.dice.uniform(0.05, 1.5))
            site.kill("gateway")
            site.start("gateway")
        trial.recover(site)
        site.finish()
        trial.judge(site)
        trial.row.facts["kills"] = kills


def kill_broker(trial: Trial) -> None:
    """Fault 4: `kill -9` of the broker, now and then with all that it had on its disk."""
    plots = [("broker",)] * trial.times(10, 2) + [("wipe",)] * trial.times(3, 1)
    trial.dice.shuffle(plots)
    with trial.broker() as broker, trial.site(broker, counters=4) as site:
        for plot in plots:
            strike(trial, site, plot)
        site.finish()
        trial.judge(site)
        trial.row.facts["kills"] = len(plots)


def kill_in_turn_and_together(trial: Trial) -> None:
    """Three minutes of everything, one thing after the other and all at once."""
    until, number = time.monotonic() + trial.times(185, 75), 0
    with trial.broker() as broker, trial.site(broker) as site, trial.witness(broker, site.database):
        gateway_kills = 0
        while time.monotonic() < until:
            plot = TOGETHER[number % len(TOGETHER)]
            number += 1
            gateway_kills += "gateway" in plot
            strike(trial, site, plot)
        site.finish()
        trial.judge(site, kills=gateway_kills)
        trial.expect(trial.row.produced > trial.times(20_000, 5000), f"only {trial.row.produced} produced")
        trial.row.facts["rounds"] = number


def strike(trial: Trial, site: RunningSite, plot: tuple[str, ...]) -> None:
    """All of them die, stay dead for a while, come back in reverse order, and readings go on."""
    for victim in plot:
        if victim in {"broker", "wipe"}:
            site.broker.kill()
        else:
            site.kill(victim)
        if victim == "wipe":
            site.broker.wipe()
    site.pass_time(trial.dice.uniform(0.1, 2.5))
    for victim in reversed(plot):
        if victim in {"broker", "wipe"}:
            site.broker.start()
        else:
            site.start(victim)
    trial.recover(site)
