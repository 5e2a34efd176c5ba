"""Fault 15: what an instrument or its line can do wrong, on one of two probes that share a serial line."""

import time

from simulator.control import ask
from tests.chaos.trial import Trial
from tests.support.running_site import RunningSite

_SICK, _NEIGHBOUR = "kho-lanh-b-probe", "dong-goi-probe"
_FAULTS = (
    {"kind": "dead"},
    {"kind": "crc", "rate": 1.0},
    {"kind": "crc", "rate": 0.3},
    {"kind": "late", "ms": 1200},
    {"kind": "exception", "code": 2},
    {"kind": "truncated", "rate": 0.5},
    {"kind": "noise", "rate": 0.5},
    {"kind": "wrong-unit", "rate": 0.5},
    {"kind": "frozen"},
    {"kind": "probe-broken"},
)
_LEAST_SHARE = 0.7
"""Of its readings the neighbour must keep: each fault may cost it the cycle in which it is noticed."""


def trouble(trial: Trial) -> None:
    """Spoilt answers are never readings, old values are never given again, and the neighbour is read as before."""
    lasts_s = trial.times(10, 6)
    with trial.broker() as broker, trial.site(broker, counters=2) as site:
        shares = {}
        for fault in _FAULTS:
            name = " ".join(str(one) for one in fault.values())
            site.pass_time(2)
            _order(site, do="fault", target=_SICK, **fault)
            began = time.time()
            site.pass_time(lasts_s)
            shares[name] = (began, time.time())
            _order(site, do="clear")
        site.pass_time(3)
        site.finish()
        trial.judge(site)
        healthy = 1 / site.period_s
        for name, (began, ended) in shares.items():
            share = _good(site, _NEIGHBOUR, began, ended) / ((ended - began) * healthy)
            trial.row.facts[name] = round(share, 2)
            trial.expect(share >= _LEAST_SHARE, f"{name}: the neighbour gave {share:.0%} of its readings")
        dead_from, dead_until = shares["dead"]
        restamped = _good(site, _SICK, dead_from + 1.5, dead_until)
        trial.expect(restamped == 0, f"the dead probe gave {restamped} good readings")
        trial.row.corrupt_accepted = max(trial.row.corrupt_accepted or 0, restamped)


def _order(site: RunningSite, **order: object) -> None:
    answer = ask(site.folder / "plant", order)
    assert answer["ok"], answer


def _good(site: RunningSite, device: str, began: float, ended: float) -> int:
    return site.ask_cloud(
        "SELECT count(*) FROM reading JOIN series ON series.id = reading.series_id WHERE series.device = ?"
        " AND series.point = 'temperature' AND reading.value IS NOT NULL AND observed_at BETWEEN ? AND ?",
        device,
        round(began * 1000),
        round(ended * 1000),
    )
