"""`coldlink device probe`: everything that one device tells about itself without being changed."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Sequence

from edge.columns import aligned
from edge.commissioning.asking import Asker
from edge.commissioning.line import open_line
from edge.commissioning.recognise import Candidate, Recogniser
from edge.commissioning.scan_command import guess
from edge.commissioning.self_description import SelfDescription, ask_who
from edge.commissioning.snapshot import read_points
from edge.commissioning.target import Target, target
from edge.commissioning.twins import Tries, Verdict, try_often
from edge.drivers.modbus import read_request
from edge.profiles.decode import NamedReading
from edge.profiles.profile import Profile


class Probe:
    """What was found out, in the order in which it was asked."""

    def __init__(self, unit: int) -> None:
        self.unit = unit
        self.tries: Tries | None = None
        self.described = SelfDescription()
        self.candidates: Sequence[Candidate] = ()
        self.profile: Profile | None = None
        self.readings: Sequence[NamedReading] = ()

    @property
    def is_there(self) -> bool:
        return self.tries is not None and bool(self.tries.good or self.tries.spoilt)


def run(args: argparse.Namespace) -> int:
    """0: it answers as it should; 1: it does not."""
    place = target(args)
    probe = asyncio.run(_probe(place, args))
    print(json.dumps(_as_json(probe), indent=2, ensure_ascii=False) if args.json else "\n".join(_lines(probe)))
    is_well = probe.tries is not None and probe.tries.verdict is Verdict.ONE_DEVICE
    return 0 if probe.is_there and is_well else 1


async def _probe(place: Target, args: argparse.Namespace) -> Probe:
    unit, profile_id = place.unit(args)
    probe = Probe(unit)
    async with open_line(place.place, place.data_dir) as line:
        asker = Asker(line)
        recogniser = Recogniser(place.profiles(), asker, unit)
        outcomes = [await asker.ask(read_request(unit, function, 0, 1), listens_on=True) for function in (3, 4)]
        if all(outcome.reason == "timeout" for outcome in outcomes):
            return probe
        probe.described = await ask_who(asker, unit)
        probe.candidates = await recogniser.candidates(
            None if place.place.is_tcp else place.place.settings, probe.described
        )
        request = recogniser.telling_request() or read_request(unit, 3 if outcomes[0].is_alive else 4, 0, 1)
        probe.tries = await try_often(asker, request)
        if profile_id is not None:
            probe.profile = place.profile(profile_id)
        elif probe.candidates:
            probe.profile = probe.candidates[0].profile
        if probe.profile is not None:
            probe.readings = await read_points(asker, probe.profile, unit)
    return probe


def _lines(probe: Probe) -> list[str]:
    if probe.tries is None:
        return [f"id {probe.unit} does not answer: check A and B, speed and format, id, and its power"]
    tries = probe.tries
    times = f"{tries.fastest_s * 1000:.0f} to {tries.slowest_s * 1000:.0f} ms"
    lines = [
        f"id {probe.unit}: answered {tries.good} of {tries.asked} times, in {times}",
        f"{tries.spoilt} spoilt, {tries.silent} silent, {tries.doubled} answered twice",
    ]
    if tries.verdict is Verdict.DUPLICATE_UNIT_ID:
        lines.append("two devices seem to share this id: disconnect half of the bus and probe again")
    if probe.described.text:
        lines.append(f"it says: {probe.described.text}")
    lines.append(f"probably: {guess(probe.candidates)}")
    if probe.profile is not None:
        lines += ["", f"read as {probe.profile.meta.id}:"]
        rows = [(one.point, one.value or "-", _unit(one), one.quality, one.reason or "") for one in probe.readings]
        lines += [f"  {row}" for row in aligned(rows, right=(1,))]
    return lines


def _unit(one: NamedReading) -> str:
    return "" if one.unit == "1" else one.unit


def _as_json(probe: Probe) -> dict[str, object]:
    return {
        "unit_id": probe.unit,
        "answers": probe.is_there,
        "verdict": probe.tries.verdict.value if probe.tries else None,
        "tries": probe.tries._asdict() if probe.tries else None,
        "says": probe.described._asdict(),
        "profiles": [
            {"profile": one.profile.meta.id, "confidence": round(one.confidence, 3)} for one in probe.candidates
        ],
        "read_as": probe.profile.meta.id if probe.profile else None,
        "readings": [one._asdict() for one in probe.readings],
    }
