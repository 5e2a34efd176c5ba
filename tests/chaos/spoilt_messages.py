"""Fault 11: batches corrupted, truncated, doubled, sent again much later, and sent in another gateway's name."""

from collections import Counter
from collections.abc import Iterable, Iterator

from simulator.mischief import Injection, Mischief
from tests.chaos.trial import Trial
from tests.support.bad_line import bad_line
from wire.batch import split_flight

MISCHIEF = Mischief(corrupt=0.08, truncate=0.08, duplicate=0.3, stale=0.3, foreign=0.1)


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
        trial.row.facts |= Counter(one.kind for one in injected)
        trial.row.facts["may_be_quarantined"] = kept_apart = len(set(_unwelcome(injected)))
        trial.judge_fleet(fleet)
        trial.expect(kept_apart > 20, f"only {kept_apart} messages were spoilt")


def _unwelcome(injected: Iterable[Injection]) -> Iterator[bytes]:
    """What must lie in quarantine: a spoilt message once, of a foreign one each batch; the same bytes only once."""
    for one in injected:
        if one.kind in {"corrupt", "truncate"}:
            yield one.payload
        elif one.kind == "foreign":
            yield from (batch.data for batch in split_flight(one.payload)[0])
