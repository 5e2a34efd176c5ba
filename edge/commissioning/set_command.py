"""`coldlink device set`: shows what is and what would be, asks a person, writes, reads back."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable

from edge.columns import aligned
from edge.commissioning.asking import Asker
from edge.commissioning.line import Line, open_line
from edge.commissioning.setup_item import BadWish, Change, Result, find_item, label, read_item, wanted_value, write_item
from edge.commissioning.target import BadTarget, Target, target
from edge.commissioning.twins import Verdict, try_often
from edge.drivers.modbus import read_request
from edge.profiles.profile import Profile
from edge.profiles.profile_types import SetupItem

Answer = Callable[[str], str]

_EFFECTS = {
    "none": "it takes effect at once",
    "reconnect": "the device answers at its new place at once; the agent's settings must follow",
    "power_cycle": "it takes effect when the device is switched off and on; the agent's settings must follow",
}


def run(args: argparse.Namespace) -> int:
    """0: as wanted, proven by reading back; 1: not."""
    place = target(args)
    unit, profile_id = place.unit(args)
    if profile_id is None:
        raise BadTarget("which model? --profile ID")
    profile = place.profile(profile_id)
    if args.item is None:
        return asyncio.run(_list(place, unit, profile, as_json=args.json))
    key, is_pair, text = args.item.partition("=")
    if not is_pair:
        raise BadWish(f"--item {args.item}: write KEY=VALUE, such as address=12")
    item = find_item(profile, key)
    return asyncio.run(_change(place, unit, item, wanted_value(item, text), args))


async def _list(place: Target, unit: int, profile: Profile, *, as_json: bool) -> int:
    async with open_line(place.place, place.data_dir) as line:
        now = {item.key: await read_item(Asker(line), unit, item) for item in profile.setup}
    if as_json:
        print(json.dumps(now, indent=2))
        return 0
    rows = [("item", "now", "may be", "")]
    rows += [(item.key, label(item, now[item.key]), _range(item), item.title.get("en", "")) for item in profile.setup]
    print("\n".join(aligned(rows)) if profile.setup else f"nothing can be set on {profile.meta.id}")
    for step in profile.manual_steps:
        print(f"by hand: {step.get('en', '')}")
    return 0


async def _change(place: Target, unit: int, item: SetupItem, wanted: int, args: argparse.Namespace) -> int:
    async with open_line(place.place, place.data_dir) as line:
        asker = Asker(line)
        change = Change(item, await read_item(asker, unit, item), wanted)
        _say(args, f"unit {unit}, {item.title.get('en', item.key)}: now {label(item, change.now)}")
        _say(args, f"wanted: {label(item, wanted)}; {_EFFECTS[item.effect]}")
        if not change.is_needed:
            return _end(args, change, Result(True, "nothing to do"))
        await _check_place(asker, unit, change)
        if not consented(item, args, _ask_terminal):
            return _end(args, change, Result(False, "no consent; nothing was written"))
        return _end(args, change, await _write(line, asker, unit, change))


async def _write(line: Line, asker: Asker, unit: int, change: Change) -> Result:
    return await write_item(line, asker, unit, change)


async def _check_place(asker: Asker, unit: int, change: Change) -> None:
    """Whether the write would reach one device, and the new id is free. Raises BadTarget."""
    item = change.item
    tries = await try_often(asker, read_request(unit, item.table.read_function, item.address, 1))
    if not tries.good:
        raise BadTarget(f"unit {unit} does not answer")
    if tries.verdict is Verdict.DUPLICATE_UNIT_ID:
        raise BadTarget(f"two devices seem to answer to unit id {unit}: both would be changed; disconnect one")
    if item.key in ("address", "unit_id"):
        outcome = await asker.ask(read_request(change.wanted, item.table.read_function, item.address, 1))
        if outcome.reason != "timeout":
            raise BadTarget(f"unit id {change.wanted} is taken: somebody answers there")


def consented(item: SetupItem, args: argparse.Namespace, ask: Answer) -> bool:
    """Consent to this change, to being alone where that matters, and of a second person where the profile wants one."""
    if item.only_one_on_bus and not args.i_am_alone_on_the_bus:
        if args.yes:
            return False  # consent in advance says nothing about what hangs on the line
        if ask("Is this device the only one on the line? Type `alone`: ") != "alone":
            return False
    if not args.yes and ask("Write it? Type `yes`: ") != "yes":
        return False
    if item.confirm == "two_persons":
        return len({ask("First person, your name: "), ask("Second person, your name: ")} - {""}) == 2
    return True


def _ask_terminal(question: str) -> str:
    """Without a terminal there is nobody to consent."""
    if not sys.stdin.isatty():
        return ""
    return input(question).strip()


def _range(item: SetupItem) -> str:
    if item.map:
        return ", ".join(item.map.values())
    return f"{item.min} to {item.max}" if item.min is not None and item.max is not None else item.type


def _say(args: argparse.Namespace, text: str) -> None:
    if not args.json:
        print(text, flush=True)


def _end(args: argparse.Namespace, change: Change, result: Result) -> int:
    if args.json:
        told = {"item": change.item.key, "was": change.now, "wanted": change.wanted}
        print(json.dumps({**told, "is_proven": result.is_proven, "proof": result.proof}))
    else:
        print(("done: " if result.is_proven else "NOT done: ") + result.proof)
    return 0 if result.is_proven else 1
