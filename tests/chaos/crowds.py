"""Faults 14 and 16: many gateways at once, with an ingest that crawls, and with everything that may go wrong."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack

from simulator.fault_proxy import CUT, FAIR, Weather
from simulator.mischief import Mischief
from tests.chaos.trial import Trial
from tests.support.bad_line import BadLine, bad_line
from tests.support.broker import Mosquitto
from tests.support.running_fleet import RunningFleet
from tests.support.running_site import resident_mib

_TENTH_S = 0.1
_BROKER_MIB = 64
_INGEST_MIB = 200


def crawl(trial: Trial) -> None:
    """Fault 14: the ingest runs a tenth of the time; gateways keep what it does not take, queues stay small."""
    with trial.broker() as broker, trial.fleet(broker, gateways=40, points=20, period_s=0.2) as fleet:
        with trial.witness(broker, fleet.database):
            ingest = fleet.processes["ingest"].pid
            until = time.monotonic() + trial.times(60, 15)
            while time.monotonic() < until:
                os.kill(ingest, signal.SIGSTOP)
                fleet.pass_time(9 * _TENTH_S)
                os.kill(ingest, signal.SIGCONT)
                fleet.pass_time(_TENTH_S)
            backlog, began, stored = fleet.state()["unsent"], time.monotonic(), fleet.readings_stored()
            fleet.wait_until(lambda: fleet.state()["most_unsent"] <= 2, "the backlog has drained", 120)
            took_s = time.monotonic() - began
            trial.row.catchup_readings_per_s = round((fleet.readings_stored() - stored) / took_s)
            _note_memory(trial, broker, fleet)
            trial.row.facts["backlog_batches"] = backlog
            fleet.finish()
        trial.judge_fleet(fleet)


def soak(trial: Trial) -> None:
    """Fault 16: two hundred gateways, and one fault after the other from one seed."""
    with ExitStack() as stack:
        broker = stack.enter_context(trial.broker())
        line = stack.enter_context(bad_line(broker.port, trial.dice.getrandbits(32)))
        gateways = trial.times(200, 40)
        fleet = stack.enter_context(
            trial.fleet(broker, gateways=gateways, points=5, period_s=1.0, flush_s=5.0, ports=[broker.port, line.port])
        )
        faults = _faults(trial, broker, line, fleet)
        until, done = time.monotonic() + trial.times(150, 20), []
        while time.monotonic() < until:
            name = trial.dice.choice(sorted(faults))
            faults[name]()
            done.append(name)
            fleet.pass_time(trial.dice.uniform(0.5, 4.0))
        line.set_weather(FAIR)
        line.set_mischief(Mischief())
        trial.row.recoveries_s.append(fleet.wait_for_more(1))
        _note_memory(trial, broker, fleet)
        fleet.finish()
        trial.row.facts |= {"gateways": gateways, "faults": len(done)}
        trial.row.facts["may_be_quarantined"] = fleet.ask("SELECT count(*) FROM quarantine")
        trial.judge_fleet(fleet)


def _faults(trial: Trial, broker: Mosquitto, line: BadLine, fleet: RunningFleet) -> dict[str, Callable[[], None]]:
    def kill(name: str) -> None:
        fleet.end(name, signal.SIGKILL)
        fleet.pass_time(trial.dice.uniform(0.1, 1.5))
        fleet.start(name)
        if name == "fleet":
            fleet.wait_until(lambda: "unsent" in fleet.state(), "the gateways are up")

    def kill_broker(*, is_wiped: bool) -> None:
        broker.kill()
        if is_wiped:
            broker.wipe()
        fleet.pass_time(trial.dice.uniform(0.1, 1.5))
        broker.start()

    def cut(weather: Weather) -> None:
        line.set_weather(weather)
        fleet.pass_time(trial.dice.uniform(1, 5))
        line.set_weather(FAIR)

    return {
        "gateways": lambda: kill("fleet"),
        "ingest": lambda: kill("ingest"),
        "broker": lambda: kill_broker(is_wiped=False),
        "wipe": lambda: kill_broker(is_wiped=True),
        "cut": lambda: cut(CUT),
        "one way": lambda: cut(Weather(holds_down=True)),
        "slow": lambda: line.set_weather(Weather(delay_s=0.2, bytes_per_s=50_000)),
        "reset": line.reset,
        "mischief": lambda: line.set_mischief(Mischief(0.03, 0.03, 0.1, 0.1, 0.03)),
    }


def _note_memory(trial: Trial, broker: Mosquitto, fleet: RunningFleet) -> None:
    broker_mib, ingest_mib = resident_mib(broker.process.pid), resident_mib(fleet.processes["ingest"].pid)
    trial.row.facts |= {"broker_mib": broker_mib, "ingest_mib": ingest_mib}
    trial.expect(broker_mib <= _BROKER_MIB, f"the broker held {broker_mib} MiB")
    trial.expect(ingest_mib <= _INGEST_MIB, f"the ingest held {ingest_mib} MiB")
