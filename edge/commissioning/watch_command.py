"""`coldlink device watch`: the points of one device, again and again, each with its curve."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections import deque
from collections.abc import Sequence

from edge.columns import aligned
from edge.commissioning.asking import Asker
from edge.commissioning.line import Line, open_line
from edge.commissioning.recognise import Recogniser
from edge.commissioning.self_description import SelfDescription
from edge.commissioning.snapshot import read_points
from edge.commissioning.spark import spark
from edge.commissioning.target import BadTarget, Target, target
from edge.profiles.decode import NamedReading
from edge.profiles.profile import Profile

_CURVE = 30


def run(args: argparse.Namespace) -> int:
    asyncio.run(_watch(target(args), args))
    return 0


async def _watch(place: Target, args: argparse.Namespace) -> None:
    unit, profile_id = place.unit(args)
    loop = asyncio.get_running_loop()
    async with open_line(place.place, place.data_dir) as line:
        profile = await _profile(place, line, unit, profile_id)
        curves: dict[str, deque[float | None]] = {}
        due, count = loop.time(), 0
        while args.count is None or count < args.count:
            readings = await read_points(Asker(line), profile, unit)
            count += 1
            for one in readings:
                curves.setdefault(one.point, deque(maxlen=_CURVE)).append(_number(one))
            _show(readings, curves, is_first=count == 1, as_json=args.json)
            due = max(due + args.every, loop.time())
            if args.count is None or count < args.count:
                await asyncio.sleep(due - loop.time())


async def _profile(place: Target, line: Line, unit: int, profile_id: str | None) -> Profile:
    """As named, or as recognised. Raises BadTarget."""
    if profile_id is not None:
        return place.profile(profile_id)
    settings = None if place.place.is_tcp else place.place.settings
    candidates = await Recogniser(place.profiles(), Asker(line), unit).candidates(settings, SelfDescription())
    if not candidates:
        raise BadTarget(f"unit {unit} is no model that is known: name one with --profile")
    return candidates[0].profile


def _number(one: NamedReading) -> float | None:
    try:
        return None if one.value is None else float(one.value)
    except ValueError:  # a text point
        return None


def _show(
    readings: Sequence[NamedReading], curves: dict[str, deque[float | None]], *, is_first: bool, as_json: bool
) -> None:
    if as_json:
        print(json.dumps({one.point: one._asdict() for one in readings}, ensure_ascii=False), flush=True)
        return
    rows = [
        (
            one.point,
            one.value or one.reason or "-",
            "" if one.unit == "1" else one.unit,
            spark(list(curves[one.point])),
        )
        for one in readings
    ]
    lines = aligned(rows, right=(1,))
    if sys.stdout.isatty() and not is_first:
        print(f"\x1b[{len(lines)}A", end="")
    end = "\x1b[K" if sys.stdout.isatty() else ""
    print("\n".join(f"{line}{end}" for line in lines), flush=True)
