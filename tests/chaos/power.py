"""Fault 2: the power of the gateway, and of the ingest's machine, is cut while they write."""

import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.chaos.trial import Trial
from tests.support.card import Card
from tests.support.running_site import RunningSite

_SEALED = "SELECT count(*) FROM batch"
_COMMITTED = "SELECT sum(through) FROM cursor"


def cut_gateway(trial: Trial) -> None:
    """While nobody hears the gateway as well as while somebody does: what it had sealed is there afterwards."""
    cuts = trial.times(20, 5)
    with (
        trial.card() as card,
        trial.broker() as broker,
        trial.site(broker, counters=4, gateway_data=card.path / "data") as site,
    ):
        for number in range(cuts):
            _set_broker(site, is_up=number % 4 == 0)
            site.pass_time(trial.dice.uniform(0.1, 1.5))
            site.wait_for_a_flush()
            site.committed.look()
            _cut(trial, site, card, "gateway", (site.buffer, _SEALED))
        _set_broker(site, is_up=True)
        trial.recover(site)
        site.finish()
        trial.judge(site, kills=cuts)
    trial.row.facts["cuts"] = cuts


def cut_ingest(trial: Trial) -> None:
    """What was acknowledged is in the database after the cut; what was not comes again."""
    cuts = trial.times(10, 3)
    with (
        trial.card() as card,
        trial.broker() as broker,
        trial.site(broker, counters=4, database=card.path / "coldlink.db") as site,
    ):
        for _ in range(cuts):
            site.pass_time(trial.dice.uniform(0.5, 2.0))
            _cut(trial, site, card, "cloud", (site.database, _COMMITTED))
            trial.recover(site)
        site.finish()
        trial.judge(site)
    trial.row.facts["cuts"] = cuts


def _cut(trial: Trial, site: RunningSite, card: Card, victim: str, asked: tuple[Path, str]) -> None:
    """What others could read was on the disk: SQLite shows a commit only after its fsync."""
    path, query = asked
    before = _ask(path, query, "mode=ro")
    assert before, f"nothing was committed in {path} yet"
    card.cut()
    site.end(victim, signal.SIGKILL)
    card.pull_out()
    card.plug_in()
    copy = _copy(path, trial.folder / "after-the-cut")
    after = _ask(copy, query) or 0
    trial.expect(after >= before, f"{before} batches were committed, {after} are left after the cut")
    trial.expect(_ask(copy, "PRAGMA quick_check") == "ok", f"{path.name} is not whole after the cut")
    site.start(victim)


def _copy(path: Path, folder: Path) -> Path:
    """Looked at beside the original, so that whoever starts next finds exactly what the cut has left."""
    folder.mkdir(exist_ok=True)
    for name in (path.name, f"{path.name}-wal"):
        (folder / name).unlink(missing_ok=True)
        if path.with_name(name).exists():
            shutil.copy(path.with_name(name), folder / name)
    return folder / path.name


def _ask(path: Path, query: str, mode: str = "mode=rwc") -> Any:
    with closing(sqlite3.connect(f"file:{path}?{mode}", uri=True, timeout=10)) as database:
        try:
            return database.execute(query).fetchone()[0]
        except sqlite3.OperationalError:  # not even its tables are left
            return None


def _set_broker(site: RunningSite, *, is_up: bool) -> None:
    if is_up and site.broker.process is None:
        site.broker.start()
    elif not is_up and site.broker.process is not None:
        site.broker.kill()
