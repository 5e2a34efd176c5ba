"""Replays seeds: `python -m tests.simulation --seed 17 --trace`, or looks for bad ones: `--seeds 0-2000`."""

import argparse
import logging
import sys
import time
from collections import Counter

from tests.simulation.site import clean_up, live


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="one life")
    parser.add_argument("--seeds", default="0-200", metavar="A-B", help="from A and before B")
    parser.add_argument("--trace", action="store_true", help="tell what happens, in virtual seconds")
    arguments = parser.parse_args()
    if not arguments.trace:
        logging.disable(logging.CRITICAL)
    first, last = map(int, arguments.seeds.split("-"))
    seeds = range(first, last) if arguments.seed is None else [arguments.seed]
    began, bad, counts = time.monotonic(), 0, Counter[str]()
    for seed in seeds:
        verdict = live(seed, is_told=arguments.trace)
        counts += verdict.counts
        bad += bool(verdict.faults)
        for fault in verdict.faults[:5]:
            print(f"seed {seed}: {fault}")
    took = time.monotonic() - began
    clean_up()
    print(f"{len(seeds)} seeds, {bad} bad, {took:.1f} s; {dict(sorted(counts.items()))}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
