"""Alarms against the truth: simulated cold stores with labelled faults, our rules beside plain delays.

    python -m bench.alarms [--days 90] [--rooms 4]

Writes bench/results/alarms-<machine>.json. Times to detect run from the cause to the first alarm of its zone.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from bench import machine
from cloud.alarms.replay import Replayed, ReplayRow, replay
from cloud.site.site_file import LimitEntry, Name, PointEntry, SiteFile, ZoneEntry
from rules import ContextKind, Limit, LimitKind, foretell
from simulator.labelled import Label, LabelledRoom, Minute

BEGIN_S = 1_760_000_000
GRACE_S = 4 * 3600  # after a fault a room needs its time; what alarms meanwhile belongs to the fault
NAME = Name(vi="Kho", en="Store")
HIGH = {"key": "high", "kind": "above", "setpoint": "-18", "deadband": "0.5", "off_delay_s": 300, "severity": "high"}
ON = {"kind": "above", "setpoint": "0.5", "severity": "medium"}
MACHINERY = [
    {**ON, "key": "defrost-too-long", "quantity": "defrost", "on_delay_s": 2700},
    {**ON, "key": "defrost-missing", "kind": "below", "quantity": "defrost", "on_delay_s": 32400, "severity": "low"},
    {**ON, "key": "door-left-open", "quantity": "door_open", "on_delay_s": 1800},
]
CONTEXTS = {
    **HIGH,
    "context_delays_s": {ContextKind.DEFROST: 4800, ContextKind.DOOR: 1800},
    "degree_minutes": "300",
}
POLICIES = {
    "threshold": [{**HIGH, "on_delay_s": 0}],
    "30-min delay": [{**HIGH, "on_delay_s": 1800}],
    "60-min delay": [{**HIGH, "on_delay_s": 3600}],
    "two delays 30/80": [{**CONTEXTS, "on_delay_s": 1800}, *MACHINERY],
    "two delays 20/80": [{**CONTEXTS, "on_delay_s": 1200}, *MACHINERY],
}
PROBE_FAULTS = {"drift", "flat", "gap"}
AIMS = {"compressor": 60, "heater": 45, "door": 35}


@dataclass
class Tally:
    """What one policy did in all rooms."""

    false: int = 0
    minutes: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    missed: dict[str, int] = field(default_factory=lambda: defaultdict(int))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--rooms", type=int, default=4)
    chosen = parser.parse_args()
    began = time.perf_counter()
    tallies = {name: Tally() for name in POLICIES}
    probes: dict[str, int] = defaultdict(int)
    truths: list[bool] = []
    quiet_days = 0.0
    for seed in range(1, chosen.rooms + 1):
        room = LabelledRoom(seed, chosen.days, BEGIN_S, defrosts_per_day=4 + seed % 3)
        labels, minutes = room.labels(), list(room.minutes())
        quiet_days += chosen.days - sum(one.until_s + GRACE_S - one.from_s for one in labels) / 86_400
        rows = list(rows_of(minutes))
        for name in POLICIES:
            outcome = replay(site_of(name), rows)
            judge(tallies[name], outcome, labels)
        judge_probes(probes, outcome, labels)
        truths += foretold(minutes, labels)
    report = summary(tallies, probes, truths, quiet_days=quiet_days, rooms=chosen.rooms, days=chosen.days)
    report["took_s"] = round(time.perf_counter() - began, 1)
    folder = Path(__file__).parent / "results"
    folder.mkdir(exist_ok=True)
    path = folder / f"alarms-{machine.label()}.json"
    path.write_text(json.dumps({"machine": machine.facts(folder), **report}, indent=1) + "\n")
    print(table(report))
    print(f"written to {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")


def site_of(policy: str) -> SiteFile:
    limits = [LimitEntry(**facts) for facts in exact_of(POLICIES[policy])]
    points = [
        PointEntry(point="g/probe/t"),
        PointEntry(point="g/controller/t"),
        PointEntry(point="g/controller/defrost", quantity="defrost"),
        PointEntry(point="g/controller/door", quantity="door_open"),
    ]
    zone = ZoneEntry(key="store", name=NAME, points=points, limits=limits)
    return SiteFile(key="bench", name=NAME, since="2025-01-01", zones=[zone])


def exact_of(limits: Iterable[dict]) -> Iterable[dict]:

    exact = ("setpoint", "deadband", "degree_minutes")
    return [{key: Decimal(value) if key in exact else value for key, value in facts.items()} for facts in limits]


def rows_of(minutes: Sequence[Minute]) -> Iterable[ReplayRow]:
    for one in minutes:
        at = one.at_s * 1000
        if one.probe is not None:
            yield ReplayRow(at, "g/probe/t", one.probe)
        yield ReplayRow(at, "g/controller/t", one.controller)
        yield ReplayRow(at, "g/controller/defrost", float(one.is_defrost))
        yield ReplayRow(at, "g/controller/door", float(one.is_door_open))


def judge(tally: Tally, outcome: Replayed, labels: Sequence[Label]) -> None:
    times = [alarm.at / 1000 for alarm in outcome.alarms if alarm.key != "no_data"]
    for at in times:
        if not any(one.from_s <= at < one.until_s + GRACE_S for one in labels):
            tally.false += 1
    for one in labels:
        if one.kind in PROBE_FAULTS:
            continue
        first = min((at for at in times if one.from_s <= at < one.until_s + GRACE_S), default=None)
        if first is None:
            tally.missed[one.kind] += 1
        else:
            tally.minutes[one.kind].append((first - one.from_s) / 60)


def judge_probes(probes: dict[str, int], outcome: Replayed, labels: Sequence[Label]) -> None:
    spells = [(spell.from_at / 1000, (spell.until_at or 1 << 60) / 1000) for spell in outcome.distrust]
    for one in labels:
        if one.kind in PROBE_FAULTS:
            probes["faults"] += 1
            probes["found"] += any(begin < one.until_s and one.from_s < end for begin, end in spells)
    probes["false"] += sum(
        1 for begin, _ in spells if not any(one.from_s <= begin < one.until_s + 5 * GRACE_S for one in labels)
    )


def foretold(minutes: Sequence[Minute], labels: Sequence[Label]) -> list[bool]:
    """Whether the range for an hour ahead held what came, wherever nothing changed in that hour."""

    limit = Limit(zone="store", key="high", kind=LimitKind.ABOVE, quantity="air_temperature", setpoint=Decimal(-18))
    first_s, found = minutes[0].at_s, []
    for one in labels:
        if one.kind not in {"compressor", "door"}:
            continue
        for at_s in range(one.from_s + 1200, one.until_s - 3600, 600):
            now = (at_s - first_s) // 60
            around = minutes[now - 30 : now + 61]
            if any(minute.is_defrost for minute in around):
                continue
            if one.kind == "compressor" and any(minute.is_door_open for minute in around):
                continue
            begin = max(0, now - 30, (one.from_s - first_s) // 60 + 5)
            seen = [(minute.at_s * 1000, minute.controller) for minute in minutes[begin : now + 1]]
            told = foretell(limit, seen)
            if told is not None:
                found.append(told.low <= minutes[now + 60].controller <= told.high)
    return found


def summary(
    tallies: dict[str, Tally], probes: dict[str, int], truths: list[bool], *, quiet_days: float, rooms: int, days: int
) -> dict:
    policies = {}
    for name, tally in tallies.items():
        policies[name] = {"false_per_30_days": round(tally.false / quiet_days * 30, 2)} | {
            kind: {
                "median_min": round(statistics.median(found), 1),
                "p90_min": round(sorted(found)[int(0.9 * (len(found) - 1))], 1),
                "max_min": round(max(found), 1),
                "found": len(found),
                "missed": tally.missed[kind],
            }
            for kind, found in sorted(tally.minutes.items())
        }
    years = 2 * rooms * days / 365
    return {
        "rooms": rooms,
        "days": days,
        "quiet_days": round(quiet_days, 1),
        "policies": policies,
        "probes": {
            "faults": probes["faults"],
            "recall": round(probes["found"] / max(1, probes["faults"]), 3),
            "false_per_probe_year": round(probes["false"] / years, 2),
        },
        "foretold_60_min": {"told": len(truths), "held_the_truth": round(sum(truths) / max(1, len(truths)), 3)},
        "aims": AIMS | {"false_per_30_days": 1, "recall": 0.95, "false_per_probe_year": 1, "held_the_truth": 0.8},
    }


def table(report: dict) -> str:
    kinds = ("compressor", "heater", "door", "icing")
    lines = [f"{'minutes: median (worst)':<24}{'false/30 d':>12}" + "".join(f"{kind:>16}" for kind in kinds)]
    for name, policy in report["policies"].items():
        cells = [cell(policy.get(kind)) for kind in kinds]
        lines.append(f"{name:<24}{policy['false_per_30_days']:>12}" + "".join(f"{cell:>16}" for cell in cells))
    probes, told = report["probes"], report["foretold_60_min"]
    per_year = probes["false_per_probe_year"]
    lines.append(f"probe faults: recall {probes['recall']:.0%} of {probes['faults']}, {per_year} false per probe-year")
    lines.append(f"an hour ahead: the range held the truth in {told['held_the_truth']:.0%} of {told['told']}")
    return "\n".join(lines)


def cell(found: dict | None) -> str:
    if found is None:
        return "none"
    total = found["found"] + found["missed"]
    return f"{found['median_min']:.0f} ({found['max_min']:.0f}) {found['found']}/{total}"


if __name__ == "__main__":
    main()
