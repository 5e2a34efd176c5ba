"""Fault 8: the disk of the gateway, and of the ingest, takes no more for a while."""

from pathlib import Path

from tests.chaos.trial import Trial
from tests.support.small_disk import fill, set_free


def fill_gateway(trial: Trial) -> None:
    """It works in the space that it has, or says that it cannot and waits; when there is room all goes on by itself."""
    with (
        trial.small_disk(40) as disk,
        trial.broker() as broker,
        trial.site(broker, counters=4, gateway_data=disk / "data") as site,
    ):
        for _ in range(trial.times(4, 2)):
            sealed = site.sealed()
            for _ in range(trial.times(4, 2)):  # whatever is given up for the next batch is taken as well
                fill(disk)
                site.pass_time(2.5)
            goes_on = site.sealed() != sealed
            trial.expect(goes_on or _says(site.folder, "gateway", "takes no more"), "it stopped without a word")
            set_free(disk)
            site.wait_for_a_flush()
            trial.recover(site)
        broker.kill()
        fill(disk)
        site.pass_time(trial.times(15, 5))
        set_free(disk)
        site.wait_for_a_flush()
        broker.start()
        trial.recover(site)
        site.finish()
        trial.judge(site, may_thin=True)


def fill_ingest(trial: Trial) -> None:
    """Nothing is acknowledged that could not be stored; the gateways keep it; nobody has to be started anew."""
    with (
        trial.small_disk(40) as disk,
        trial.broker() as broker,
        trial.fleet(broker, database=disk / "cloud.db") as fleet,
        trial.witness(broker, fleet.database),
    ):
        for _ in range(trial.times(4, 2)):
            fill(disk)
            fleet.wait_until(lambda: _says(trial.folder, "ingest", "does not take what came"), "it says so", 90)
            stored = fleet.readings_stored()
            fleet.pass_time(trial.times(10, 4))
            trial.expect(fleet.readings_stored() == stored, "readings were stored on a full disk")
            set_free(disk)
            trial.row.recoveries_s.append(fleet.wait_for_more(1))
        fleet.finish()
        trial.judge_fleet(fleet)
        trial.expect(fleet.ask("PRAGMA quick_check") == "ok", "the database is not whole")


def _says(folder: Path, name: str, words: str) -> bool:
    return words in (folder / f"{name}.log").read_text(errors="replace")
