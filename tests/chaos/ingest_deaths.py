"""Faults 5 and 6: the ingest dies between commit and acknowledgement, and between insert and commit."""

from tests.chaos.trial import Trial

_DEAD = 70  # the exit code of a fail-point


def before_acknowledgement(trial: Trial) -> None:
    """Fault 5: the gateways send again what is committed already, and it changes nothing."""
    _die(trial, "ingest.after_commit", trial.times(50, 6))


def before_commit(trial: Trial) -> None:
    """Fault 6: what was inserted is gone, was not acknowledged, and comes again."""
    _die(trial, "ingest.before_commit", trial.times(50, 6))


def _die(trial: Trial, place: str, deaths: int) -> None:
    with trial.broker() as broker, trial.fleet(broker, gateways=40, points=3, period_s=1.0) as fleet:
        with trial.witness(broker, fleet.database):
            fleet.end("ingest")
            for _ in range(deaths):
                fleet.start("ingest", COLDLINK_FAIL_AT=f"{place}:{trial.dice.randint(1, 6)}")
                code = fleet.await_death("ingest")
                trial.expect(code == _DEAD, f"the ingest ended with {code}:\n{fleet.tail('ingest')}")
            fleet.start("ingest")
            trial.row.recoveries_s.append(fleet.wait_for_more(1))
            fleet.finish()
        trial.judge_fleet(fleet)
    trial.row.facts["deaths"] = deaths
