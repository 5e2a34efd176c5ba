"""Nothing lost, nothing doubled: gateway, ingest and broker killed in turn and together, then ledger against database."""

import json
import random
import subprocess
import sys
import time

import pytest

from tests.support.running_site import RunningSite

FAULTS_S = 185
FLUSH_MS = 1000


@pytest.fixture
def site(tmp_path, mosquitto):
    running = RunningSite(tmp_path, mosquitto, seed=7)
    try:
        running.start_all()
        yield running
    finally:
        running.stop_all()


def audit(site):
    done = subprocess.run(
        [sys.executable, "-m", "coldlink", "audit", "--ledger", site.ledger, "--cloud", site.database, "--json"],
        capture_output=True,
        text=True,
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def finish(site):
    """The plant falls silent, the gateway seals and delivers what it has, then both end in good order."""
    site.end("plant")
    time_to_seal = time.monotonic() + 3 * FLUSH_MS / 1000
    site.wait_until(lambda: time.monotonic() > time_to_seal, "sealed")
    site.end("gateway")
    site.start("gateway")  # delivers what its last flush sealed
    site.wait_until(site.is_delivered, "everything sealed is committed", timeout_s=90)
    site.end("gateway")
    site.end("cloud")


@pytest.mark.slow
@pytest.mark.timeout(420)
def test_killing_gateway_ingest_and_broker_for_three_minutes_loses_and_doubles_nothing(site):
    dice = random.Random(site.seed)
    site.wait_until(lambda: site.readings_stored() > 1000, "readings arrive")
    gateway_kills = 0
    plots = [("gateway",), ("cloud",), ("broker",), ("wipe",), ("gateway", "cloud"), ("gateway", "cloud", "wipe")]
    until = time.monotonic() + FAULTS_S
    round_number = 0
    while time.monotonic() < until:
        plot = plots[round_number % len(plots)]
        round_number += 1
        gateway_kills += "gateway" in plot
        strike(site, plot, dice)
        before = site.readings_stored()
        site.wait_until(lambda before=before: site.readings_stored() > before + 50, f"readings go on after {plot}")
    finish(site)
    report = audit(site)
    total = report["total"]
    assert total["produced"] > 20_000
    assert (total["lost"], total["duplicated"], total["altered"], total["out_of_order"]) == (0, 0, 0, 0), report
    assert report["clean"], report
    assert report["gaps"] >= gateway_kills
    assert report["longest_unsealed_ms"] <= FLUSH_MS + 700  # a flush interval, and the time that sealing takes


def strike(site, plot, dice):
    for victim in plot:
        if victim in {"broker", "wipe"}:
            site.broker.kill()
        else:
            site.kill(victim)
        if victim == "wipe":
            site.broker.wipe()
    pause = time.monotonic() + dice.uniform(0.1, 2.5)
    site.wait_until(lambda: time.monotonic() > pause, "dead for a while")
    for victim in reversed(plot):
        if victim in {"broker", "wipe"}:
            site.broker.start()
        else:
            site.start(victim)


@pytest.mark.timeout(120)
def test_a_site_that_nobody_disturbs_is_clean(site):
    site.wait_until(lambda: site.readings_stored() > 2000, "readings arrive")
    finish(site)
    report = audit(site)
    assert report["clean"], report
    assert report["total"]["produced"] == report["total"]["stored"] > 2000
