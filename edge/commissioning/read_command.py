"""`coldlink device read`: one register as everything it could be."""

from __future__ import annotations

import argparse
import asyncio
import json

from edge.columns import aligned
from edge.commissioning.asking import Asker, Outcome
from edge.commissioning.interpret import best, interpretations
from edge.commissioning.line import open_line
from edge.commissioning.target import BadTarget, Target, target
from edge.drivers.modbus import EXCEPTION_NAMES, Request, read_request
from edge.profiles.profile_types import Table

_WORDS_MOST = 4  # the longest types


def run(args: argparse.Namespace) -> int:
    place = target(args)
    unit, _ = place.unit(args)
    table, address = Table(args.table), _address(args.address)
    request, outcome = asyncio.run(_read(place, unit, table, address))
    if outcome.payload is None:
        name = EXCEPTION_NAMES.get(outcome.exception, outcome.reason or "no answer")
        print(f"unit {unit} does not give {table.value} {address}: {name}")
        return 1
    if table.is_bits:
        print(json.dumps({"value": outcome.payload[0] & 1}) if args.json else outcome.payload[0] & 1)
        return 0
    golden = None if place.place.is_tcp else golden_frame(request, outcome)
    _show(outcome.payload, golden, args)
    return 0


def golden_frame(request: Request, outcome: Outcome) -> str:
    """The exchange as a profile's `tests` want it."""
    at = outcome.raw.find(bytes((request.unit,)) + request.head)
    answer = outcome.raw[at : at + request.size + 3]
    return f'{{request: "{request.rtu.hex()}", response: "{answer.hex()}"}}'


async def _read(place: Target, unit: int, table: Table, address: int) -> tuple[Request, Outcome]:
    """Four registers if the device gives them, else as many as it does."""
    counts = (1,) if table.is_bits else (_WORDS_MOST, 2, 1)
    async with open_line(place.place, place.data_dir) as line:
        asker = Asker(line)
        for count in counts:
            if address + count > 0x10000:
                continue
            request = read_request(unit, table.read_function, address, count)
            outcome = await asker.ask(request)
            if outcome.payload is not None or count == 1:
                return request, outcome
    raise BadTarget(f"--address {address}: 0 to 65535")


def _show(payload: bytes, golden: str | None, args: argparse.Namespace) -> None:
    words = [int.from_bytes(payload[at : at + 2]) for at in range(0, len(payload), 2)]
    found = interpretations(words, args.expect)
    marked = best(found)
    if args.json:
        rows = [{**one._asdict(), "is_plausible": one == marked} for one in found]
        print(json.dumps({"words": words, "golden_frame": golden, "interpretations": rows}, indent=2))
        return
    rows_shown = [("", "type", "word order", "scale", "value")]
    rows_shown += [("->" if one == marked else "", one.type, one.word_order, one.scale, one.value) for one in found]
    print("\n".join(aligned(rows_shown, right=(4,))))
    if golden is not None:
        print(f"golden frame: {golden}")
    if marked is None:
        print("none of these looks like a temperature; --expect VALUE marks what the display shows")


def _address(text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        raise BadTarget(f"--address {text}: a number such as 16 or 0x10") from None
