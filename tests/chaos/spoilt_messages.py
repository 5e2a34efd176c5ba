"""Fault 11: batches corrupted, truncated, doubled, sent again much later, and sent in another gateway's name."""

import hashlib

from simulator.mischief import Mischief
from tests.chaos.trial import Trial
from tests.support.bad_line import bad_line

MISCHIEF = Mischief(corrupt=0.08, truncate=0.08, duplicate=0.3, stale=0.3, foreign=0.1)
_SPOILT = {"corrupt", "truncate", "foreign"}


def spoil(trial: Trial) -> None:
    """What arrives spoilt is kept apart and counted, one for one; good batches follow as if nothing had been."""
    with (
        trial.broker() as broker,
        bad_line(broker.port, trial.dice.getrandbits(32)) as line,
        trial.fleet(broker, ports=[line.port], gateways=20, points=5, period_s=0.5) as fleet,
        trial.witness(broker, fleet.database),
    ):
        line.set_mischief(MISCHIEF)
        fleet.pass_time(trial.times(60, 15))
        line.set_mischief(Mischief())
        fleet.finish()
        injected = line.injections
        trial.row.facts |= {
            kind: sum(one.kind == kind for one in injected) for kind in sorted({i.kind for i in injected})
        }
        spoilt = {hashlib.sha256(one.payload).digest() for one in injected if one.kind in _SPOILT}
        trial.row.facts["may_be_quarantined"] = len(spoilt)
        trial.judge_fleet(fleet)
        trial.expect(len(spoilt) > 20, f"only {len(spoilt)} messages were spoilt")
