"""Runs the benches one after the other, shows one table and keeps it in bench/results.

    python bench/run.py                          all of them, about 12 minutes (make bench)
    python bench/run.py --only edge_steady       one; may be given several times
    python bench/run.py --only bus --seconds 20  shorter than usual, and so noisier

bench/README.md says what each figure means. Exit code: 0, also when an aim is not met; 1 when a bench could not run.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path

from bench import machine
from bench.figures import Figure, as_table, write_results
from bench.rig import SCRATCH

BENCHES = ("edge_steady", "edge_max", "ingest", "wire_bytes", "latency", "uplink", "catch_up", "buffer", "bus")
RESULTS = Path(__file__).parent / "results"


def main() -> int:
    arguments = _parser().parse_args()
    names = arguments.only or BENCHES
    facts = {"at": datetime.now(UTC).isoformat(timespec="seconds")} | machine.facts(SCRATCH)
    figures: list[Figure] = []
    failed: dict[str, str] = {}
    for name in names:
        print(f"{name}: load average {os.getloadavg()[0]:.1f}", flush=True)
        try:
            figures += _run(name, arguments.seconds)
        except Exception as error:  # the others are still worth running; which one failed is in the result
            traceback.print_exc()
            failed[name] = f"{type(error).__name__}: {error}"
    facts |= {"load_after": os.getloadavg()[0], "seconds": arguments.seconds, "failed": failed}
    path = arguments.results / f"{facts['at'][:10]}-{facts['commit']}-{machine.label()}.json"
    write_results(path, facts, figures)
    print(f"\n{as_table(figures)}\n\n{path}")
    for name, why in failed.items():
        print(f"FAILED {name}: {why}", file=sys.stderr)
    return 1 if failed else 0


def _run(name: str, seconds: float | None) -> list[Figure]:
    bench = importlib.import_module(f"bench.{name}")
    found: list[Figure] = bench.run() if seconds is None else bench.run(seconds)
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=BENCHES, metavar="NAME", help=", ".join(BENCHES))
    parser.add_argument("--seconds", type=float, metavar="S", help="how long each measures (default: its own)")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="DIR", help="default: bench/results")
    return parser


if __name__ == "__main__":
    sys.exit(main())
