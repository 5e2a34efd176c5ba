"""`make chaos`: every fault that can be made here, ledger against database, one table and one JSON.

    python -m tests.chaos                        all of them, each with its full number of blows (about 15 minutes)
    python -m tests.chaos --quick                the selection of every CI run (3 minutes)
    python -m tests.chaos --only 2 --only 9      some, by their number in the list of faults
    python -m tests.chaos --seed 7               the same dice again

Exit code: 0 all clean, 1 something was lost, doubled or otherwise wrong. What this machine cannot do is said, not hidden.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import UTC, datetime
from pathlib import Path

from bench import machine
from tests.chaos.result import Row, as_table, write_results
from tests.chaos.scenarios import SCENARIOS, Entry
from tests.chaos.trial import Effort, Trial, run

RESULTS = Path(__file__).parent / "results"
SCRATCH = Path("/var/tmp")


def main() -> int:
    arguments = _parser().parse_args()
    seed = random.SystemRandom().randrange(1 << 31) if arguments.seed is None else arguments.seed
    chosen = [one for one in SCENARIOS if _is_wanted(one, arguments)]
    facts = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "seed": seed, "quick": arguments.quick}
    facts |= machine.facts(SCRATCH)
    folder = Path(tempfile.mkdtemp(prefix="coldlink-chaos-", dir=SCRATCH))
    began = time.monotonic()
    rows = _run_all(chosen, folder, seed, arguments)
    facts |= {"took_s": round(time.monotonic() - began), "load_after": os.getloadavg()[0]}
    path = arguments.results / f"{facts['at'][:19].replace(':', '')}-{facts['commit']}-{seed}.json"
    write_results(path, facts, rows)
    print(f"\n{as_table(rows)}\n\nseed {seed}, {facts['took_s']} s, {path}")
    if all(row.is_clean for row in rows):
        shutil.rmtree(folder)
        return 0
    print(f"what was left of the red ones is in {folder}", file=sys.stderr)
    return 1


def _run_all(chosen: list[Entry], folder: Path, seed: int, arguments: argparse.Namespace) -> list[Row]:
    """Most scenarios wait for something most of the time, so that several fit on two cores."""
    effort = Effort.QUICK if arguments.quick else Effort.FULL
    mutation = tuple(arguments.mutation.split("=")) if arguments.mutation else None
    with ThreadPoolExecutor(arguments.jobs) as pool:
        running = {pool.submit(run_one, one, folder, seed, effort, mutation): one for one in chosen}
        for done in as_completed(running):
            row = done.result()
            print(f"{row.took_s:5.0f} s  {row.scenario}: {row.verdict}", flush=True)
    return [done.result() for done in running]


def run_one(entry: Entry, folder: Path, seed: int, effort: Effort, mutation: tuple[str, str] | None = None) -> Row:
    """The dice of a scenario depend on the seed and its own name alone."""
    own = folder / "".join(sign if sign.isalnum() else "-" for sign in entry.title)
    own.mkdir(parents=True)
    trial = Trial(own, Row(entry.title, seed), random.Random(f"{seed}/{entry.title}"), effort, mutation)
    return run(entry.scenario, trial)


def _is_wanted(entry: Entry, arguments: argparse.Namespace) -> bool:
    if arguments.only:
        return entry.number in arguments.only
    return entry.is_quick or not arguments.quick


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer blows, fewer scenarios")
    parser.add_argument("--only", action="append", metavar="NUMBER", help="e.g. 9; may be given several times")
    parser.add_argument("--break", dest="mutation", metavar="PROCESS=MUTATION", help="see mutations.py: must turn red")
    parser.add_argument("--seed", type=int, metavar="N", help="default: another one each time; it is printed")
    parser.add_argument("--jobs", type=int, default=4, metavar="N", help="scenarios at the same time (default: 4)")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="DIR", help="default: tests/chaos/results")
    return parser


if __name__ == "__main__":
    sys.exit(main())
