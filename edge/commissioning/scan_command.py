"""`coldlink device scan`: shows how far it is, then what was found."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence

from edge.columns import aligned
from edge.commissioning.line import open_line
from edge.commissioning.recognise import Candidate
from edge.commissioning.scan import Found, Progress, Scan, ScanPlan, settings_to_try
from edge.commissioning.target import BadTarget, Target, targets
from edge.commissioning.twins import Verdict
from edge.lines.bus import LineSettings

_LIKELY, _POSSIBLE = 0.8, 0.3
_WARNINGS = {
    Verdict.DUPLICATE_UNIT_ID: "two devices seem to share this id: disconnect half of the bus and scan again",
    Verdict.UNRELIABLE: "often silent or spoilt: check wiring, termination and distance",
}


def run(args: argparse.Namespace) -> int:
    """0: everything found is well; 1: something needs a look (two on one id, unreliable)."""
    scans = [(target, *asyncio.run(_scan(target, args))) for target in targets(args)]
    if args.json:
        print(json.dumps([_as_json(target, one) for target, found, _ in scans for one in found], indent=2))
    else:
        for target, found, left_alone in scans:
            _show(target, found, left_alone)
    return int(any(one.verdict is not Verdict.ONE_DEVICE for _, found, _ in scans for one in found))


async def _scan(target: Target, args: argparse.Namespace) -> tuple[list[Found], frozenset[int]]:
    """What was found, and the ids that the running agent reads and that were left alone."""
    home = None if target.place.is_tcp else target.place.settings
    settings = [home] if args.only_this_setting else settings_to_try(home)
    ids = unit_ids(args.ids)
    async with open_line(target.place, target.data_dir) as line:
        plan = ScanPlan(
            settings,
            first_ids=[unit for unit in ids if unit <= 32],
            other_ids=[unit for unit in ids if unit > 32],
            home=home,
            known=frozenset(target.devices) if line.is_lent else frozenset(),
        )
        meter = _Meter(target.place.name, "on turns lent by the agent" if line.is_lent else "on the port itself")
        try:
            return await Scan(line, target.profiles(), plan, meter.show).run(), plan.known
        finally:
            meter.end()


def unit_ids(text: str) -> list[int]:
    """ "1-3,240" -> [1, 2, 3, 240]. Raises BadTarget."""
    ids: list[int] = []
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if not first.isdecimal() or not (last or first).isdecimal():
            raise BadTarget(f"--ids {text}: write numbers and ranges, such as 1-32,240")
        ids += range(int(first), int(last or first) + 1)
    if not ids or not all(1 <= unit <= 255 for unit in ids):
        raise BadTarget(f"--ids {text}: unit ids are 1 to 247, of some makers up to 255")
    return list(dict.fromkeys(ids))


class _Meter:
    """How far it is: one line that changes on a terminal, one line a setting elsewhere."""

    def __init__(self, name: str, how: str) -> None:
        self._name, self._how = name, how
        self._is_terminal = sys.stderr.isatty()
        self._last: tuple[str, LineSettings | None] | None = None

    def show(self, progress: Progress) -> None:
        if not self._is_terminal and (progress.phase, progress.settings) == self._last:
            return
        self._last = (progress.phase, progress.settings)
        what = "asking" if progress.phase == "sweep" else "looking at"
        where = f" at {progress.settings}" if progress.settings else ""
        text = (
            f"{self._name} ({self._how}): {what} id {progress.unit}{where}, "
            f"{progress.done} of {progress.total}, {progress.found} found"
        )
        print(f"\r\x1b[K{text}" if self._is_terminal else text, end="" if self._is_terminal else "\n", file=sys.stderr)

    def end(self) -> None:
        if self._is_terminal:
            print("\r\x1b[K", end="", file=sys.stderr)


def _show(target: Target, found: Sequence[Found], left_alone: frozenset[int]) -> None:
    known = f"; id {', '.join(map(str, sorted(left_alone)))} left to the running agent" if left_alone else ""
    print(f"{target.place.name} ({target.place.url}): {len(found)} found{known}")
    rows = [("id", "settings", "answers in", "of 20", "probably", "says")]
    rows += [
        (
            str(one.unit),
            str(one.settings or "network"),
            f"{one.tries.fastest_s * 1000:.0f}-{one.tries.slowest_s * 1000:.0f} ms",
            str(one.tries.good),
            guess(one.candidates),
            one.described.text,
        )
        for one in found
    ]
    for row in aligned(rows, right=(0, 3)) if found else []:
        print(f"  {row}")
    for one in found:
        if one.verdict in _WARNINGS:
            print(f"  ! id {one.unit}: {_WARNINGS[one.verdict]}")
        for candidate in one.candidates[:1]:
            values = ", ".join(f"{point} {value}" for point, value in candidate.values[:4])
            print(f"    id {one.unit} as {candidate.profile.meta.id}: {values}")
    if target.devices:
        _compare(target, found)


def _compare(target: Target, found: Sequence[Found]) -> None:
    """What the settings say and the line does not, or the other way round."""
    there = {one.unit for one in found}
    strangers = sorted(there - set(target.devices))
    if strangers:
        print(f"  not in the settings: id {', '.join(map(str, strangers))}")


def guess(candidates: Sequence[Candidate]) -> str:
    if not candidates:
        return "unknown model"
    return " or ".join(f"{one.profile.meta.id} ({_word(one.confidence)} {one.confidence:.0%})" for one in candidates)


def _word(confidence: float) -> str:
    return "likely" if confidence >= _LIKELY else "possible" if confidence >= _POSSIBLE else "perhaps"


def _as_json(target: Target, one: Found) -> dict[str, object]:
    return {
        "bus": target.place.name,
        "unit_id": one.unit,
        "baud": one.settings.baud if one.settings else None,
        "format": one.settings.format if one.settings else None,
        "verdict": one.verdict.value,
        "tries": one.tries._asdict(),
        "says": one.described._asdict(),
        "profiles": [
            {"profile": each.profile.meta.id, "confidence": round(each.confidence, 3), "values": dict(each.values)}
            for each in one.candidates
        ],
    }
