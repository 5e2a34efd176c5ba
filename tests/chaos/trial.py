"""What a scenario gets to work with: a folder, a seed, a site to torment, and a row to fill in."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from pathlib import Path
from typing import Any

from tests.chaos.fleet import Plan
from tests.chaos.result import Row
from tests.chaos.witness import AckWitness
from tests.support.broker import MOSQUITTO, Mosquitto, free_port
from tests.support.card import Card, NoCard
from tests.support.network import NoNetwork, TwoSides
from tests.support.running_fleet import FleetReport, RunningFleet
from tests.support.running_fleet import judge as judge_fleet
from tests.support.running_site import FLUSH_S, RunningSite
from tests.support.small_disk import NoDisk, small_disk

SEALING_S = 1.5
"""What a flush may be late on a machine that is busy with three other scenarios."""


class CannotRun(Exception):
    """This machine does not let us; the text says what is missing."""


class Effort(Enum):
    """How long a scenario goes on."""

    FULL = auto()
    QUICK = auto()  # what every CI run has time for
    LEAST = auto()  # enough to see a promise that is broken on purpose


@dataclass
class Trial:
    """One run of one scenario."""

    folder: Path
    row: Row
    dice: random.Random
    effort: Effort
    mutation: tuple[str, str] | None = None  # process and what is broken in it, to see whether that is noticed

    def times(self, full: int, quick: int) -> int:
        """How often, or how many seconds."""
        return {Effort.FULL: full, Effort.QUICK: quick, Effort.LEAST: -(-quick // 3)}[self.effort]

    def expect(self, is_so: bool, what: str) -> None:
        if not is_so:
            self.row.wrong.append(what)

    @contextmanager
    def broker(self, **settings: Any) -> Iterator[Mosquitto]:
        if MOSQUITTO is None:
            raise CannotRun("mosquitto is not installed")
        one = Mosquitto(self.folder / "mosquitto", free_port(), **settings)
        one.start()
        try:
            yield one
        finally:
            one.stop()

    @contextmanager
    def card(self) -> Iterator[Card]:
        try:
            card = Card(self.folder)
        except NoCard as error:
            raise CannotRun(str(error)) from error
        with closing(card):
            yield card

    @contextmanager
    def small_disk(self, megabytes: int) -> Iterator[Path]:
        try:
            with small_disk(self.folder, megabytes) as path:
                yield path
        except NoDisk as error:
            raise CannotRun(str(error)) from error

    @contextmanager
    def network(self) -> Iterator[TwoSides]:
        try:
            sides = TwoSides()
        except NoNetwork as error:
            raise CannotRun(str(error)) from error
        with closing(sides):
            yield sides

    @contextmanager
    def site(self, broker: Mosquitto, **settings: Any) -> Iterator[RunningSite]:
        """Running, with readings on their way, and watched: nothing is acknowledged that is not committed."""
        seed = self.dice.randrange(1 << 30)
        one = RunningSite(self.folder, broker, seed=seed, **{"launchers": self._launchers()} | settings)
        try:
            one.start_all()
            one.wait_until(lambda: one.readings_stored() > 300, "readings arrive")
            yield one
        finally:
            self.row.max_buffer = one.max_unsent
            one.stop_all()

    @contextmanager
    def fleet(
        self, broker: Mosquitto, *, database: Path | None = None, ports: list[int] | None = None, **plan: Any
    ) -> Iterator[RunningFleet]:
        """Running, with readings on their way."""
        settings = {"gateways": 5, "points": 5, "period_s": 0.5, "flush_s": 1.0, "ports": ports or [broker.port]} | plan
        one = RunningFleet(self.folder, Plan(**settings), broker.port, database=database, launchers=self._launchers())
        try:
            one.start("ingest")
            one.start("fleet")
            one.wait_until(lambda: one.readings_stored() > 100, "readings arrive")
            yield one
        finally:
            self.row.max_buffer = one.max_unsent
            one.stop_all()

    @contextmanager
    def witness(self, broker: Mosquitto, database: Path) -> Iterator[AckWitness]:
        with AckWitness(broker.port, database) as witness:
            yield witness
        self.expect(not witness.lies, f"acknowledged and not committed: {witness.lies[:3]}")
        self.expect(witness.heard > 0, "no acknowledgement was heard")

    def recover(self, site: RunningSite, count: int = 50, timeout_s: float = 90) -> None:
        self.row.recoveries_s.append(site.wait_for_more(count, timeout_s))

    def judge(
        self, site: RunningSite, *, kills: int = 0, within: Sequence[tuple[int, int]] = (), may_thin: bool = False
    ) -> dict[str, Any]:
        """After `finish`: ledger against database, and the gateway's disk against it as well.

        Args:
            within: stretches of UTC ms to look at, where there are others whose times cannot be known.
            may_thin: for want of room; then what is not there has been declared by the gateway itself.
        """
        report = _sum_of([site.audit(*_between(*one)) for one in within] or [site.audit()])
        total, row = report["total"], self.row
        never_stored = site.never_stored()
        row.produced, row.stored_unique = total["produced"], total["stored"] - total["duplicated"]
        row.committed_at_edge = site.committed.count
        row.LOST = max(total["lost"], never_stored)
        row.DUPLICATED, row.corrupt_accepted, row.gaps_declared = total["duplicated"], total["spoilt"], report["gaps"]
        row.facts |= {"unsealed": total["unsealed"], "longest_unsealed_ms": report["longest_unsealed_ms"]}
        for name in ("lost", "duplicated", "altered", "spoilt", "invented", "out_of_order"):
            self.expect(total[name] == 0, f"{name} {total[name]}")
        self.expect(never_stored == 0, f"{never_stored} readings were on the gateway's disk and are not in the cloud")
        self.expect(report["clean"], f"the audit is not clean: {report['examples'][:3]}")
        self.expect(total["produced"] > 0, "nothing was produced")
        self.expect(report["gaps"] >= kills, f"{kills} kills and {report['gaps']} gaps declared")
        row.facts["declared"] = total["declared"]
        self.expect(may_thin or total["declared"] == 0, f"{total['declared']} readings were declared as not kept")
        most_ms = round(1000 * (FLUSH_S + SEALING_S))
        self.expect(
            report["longest_unsealed_ms"] <= most_ms,
            f"one kill cost {report['longest_unsealed_ms']} ms, {most_ms} ms are a flush",
        )
        self._judge_quarantine(site.ask_cloud("SELECT count(*) FROM quarantine"))
        return report

    def judge_fleet(self, fleet: RunningFleet, at_least: dict[str, set[int]] | None = None) -> FleetReport:
        """After `finish`: each tick of each gateway."""
        report, row = judge_fleet(fleet, round(SEALING_S * 1000), at_least), self.row
        row.produced, row.committed_at_edge, row.stored_unique = report.produced, report.committed, report.stored
        row.LOST, row.DUPLICATED, row.corrupt_accepted = report.lost, report.duplicated, report.invented
        row.facts |= {"unsealed": report.unsealed}
        for name in ("lost", "duplicated", "invented", "displaced"):
            count = getattr(report, name)
            self.expect(count == 0, f"{name} {count}")
        self.expect(report.produced > 0, "nothing was produced")
        self._judge_quarantine(fleet.ask("SELECT count(*) FROM quarantine"))
        return report

    def _judge_quarantine(self, kept: int) -> None:
        self.expect(kept == self.row.facts.get("may_be_quarantined", 0), f"{kept} messages are in quarantine")

    def _launchers(self) -> dict[str, list[str]]:
        if self.mutation is None:
            return {}
        from tests.chaos.mutations import launcher

        process, name = self.mutation
        return {process: launcher(name)}


def _between(from_ms: int, until_ms: int) -> list[str]:
    moments = (datetime.fromtimestamp(ms / 1000, UTC).isoformat() for ms in (from_ms, until_ms))
    return [word for pair in zip(("--from", "--until"), moments, strict=True) for word in pair]


def _sum_of(reports: list[dict[str, Any]]) -> dict[str, Any]:
    total: Counter[str] = Counter()
    for report in reports:
        total.update({name: count for name, count in report["total"].items() if name != "point"})
    return reports[0] | {
        "total": total,
        "clean": all(report["clean"] for report in reports),
        "longest_unsealed_ms": max(report["longest_unsealed_ms"] for report in reports),
        "examples": [one for report in reports for one in report["examples"]],
    }


Scenario = Callable[[Trial], None]


def run(scenario: Scenario, trial: Trial) -> Row:
    """Never raises for what the scenario finds: an error is a red row too."""
    began = time.monotonic()
    try:
        scenario(trial)
    except CannotRun as error:
        trial.row.skipped = str(error)
    except Exception as error:  # whatever ended a scenario is its result
        trial.row.wrong.append(f"{type(error).__name__}: {error}")
    trial.row.took_s = time.monotonic() - began
    return trial.row
