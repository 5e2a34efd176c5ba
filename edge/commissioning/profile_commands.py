"""`coldlink device profiles`: which models are known, what is known of one, and whether a file is right."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.profiles.profile import Profile

_EPILOG = """\
example:
  coldlink device profiles list --class temperature
  coldlink device profiles show generic-xy-md02
  coldlink device profiles check firmware-config/profiles/temperature/my-probe.yaml

`check` judges files as the agent would and decodes their golden frames. Exit 0: all right; 2: not, and why.
docs/how-to/add-a-device.md leads through writing one.
"""


def add_to(group: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    profiles = group.add_parser(
        "profiles",
        help="device models: list, show, check",
        description="Device models as data.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = profiles.add_subparsers(title="commands", metavar="COMMAND", required=True)
    listing = commands.add_parser(
        "list", help="all models, by class", epilog="example:  coldlink device profiles list --class rfid_reader"
    )
    listing.add_argument("--class", dest="device_class", metavar="CLASS", help="only this class")
    listing.set_defaults(run=_list)
    show = commands.add_parser(
        "show", help="what is known of one model", epilog="example:  coldlink device profiles show generic-xy-md02"
    )
    show.add_argument("profile", metavar="ID")
    show.set_defaults(run=_show)
    for parser in (listing, show):
        parser.add_argument("--profiles", type=Path, metavar="DIR", help="instead of those of Coldlink")
        parser.add_argument("--json", action="store_true", help="for programs")
    check = commands.add_parser(
        "check", help="is this file right?", epilog="example:  coldlink device profiles check my-probe.yaml"
    )
    check.add_argument("files", nargs="+", type=Path, metavar="FILE")
    check.set_defaults(run=_check)


def _list(args: argparse.Namespace) -> int:
    from edge.columns import aligned
    from edge.profiles.profile import load_profile, profile_files

    found = [load_profile(path) for path in profile_files(args.profiles).values()]
    rows = [
        (
            one.meta.device_class.value,
            one.meta.id,
            f"{one.meta.vendor} {one.meta.model}",
            one.driver or one.link.transport,
            one.meta.status.value,
        )
        for one in found
        if args.device_class in (None, one.meta.device_class.value)
    ]
    head = ("class", "id", "model", "speaks", "status")
    if args.json:
        print(json.dumps([dict(zip(head, row, strict=True)) for row in sorted(rows)], indent=2, ensure_ascii=False))
    else:
        print("\n".join(aligned([head, *sorted(rows)])))
    return 0


def _show(args: argparse.Namespace) -> int:
    import msgspec

    from edge.profiles.profile import find_profile, load_profile

    try:
        profile = load_profile(find_profile(args.profile, args.profiles))
    except KeyError as error:
        print(f"there is no profile {error.args[0]!r}; known: {', '.join(error.args[1])}", file=sys.stderr)
        return 2
    if args.json:
        print(msgspec.json.format(msgspec.json.encode(profile), indent=2).decode())
        return 0
    for line in description(profile):
        print(line)
    return 0


def _check(args: argparse.Namespace) -> int:
    from edge.profiles.golden import golden_mismatches
    from edge.profiles.profile import load_profile
    from ground.configfile import ConfigError

    is_right = True
    for file in args.files:
        try:
            mismatches = golden_mismatches(load_profile(file))
        except ConfigError as error:
            print(error, file=sys.stderr)
            is_right = False
            continue
        for mismatch in mismatches:
            print(f"{file}: {mismatch}", file=sys.stderr)
        if not mismatches:
            print(f"{file}: right")
        is_right = is_right and not mismatches
    return 0 if is_right else 2


def description(profile: Profile) -> list[str]:
    """A model for people: how it speaks, what it offers, what can be set, where the facts come from."""
    from edge.columns import aligned

    meta, link = profile.meta, profile.link
    serial = f"{link.serial.baud} 8{link.serial.parity}{link.serial.stop}"
    lines = [
        f"{meta.vendor} {meta.model} ({meta.device_class.value}, {meta.status.value})",
        *([f"also sold as {', '.join(meta.aliases)}"] if meta.aliases else []),
        f"speaks {profile.driver or link.transport}, from the factory {serial}"
        + (f", unit id {link.unit.default}" if profile.is_modbus else ""),
        *([f"note: {meta.note}"] if meta.note else []),
        "",
    ]
    rows = [("point", "where", "type", "unit")]
    rows += [
        (point.key, f"{point.table.value} {point.address}" if point.table else "", point.type, point.unit.value)
        for point in profile.points
    ]
    lines += aligned(rows)
    if profile.setup:
        lines += ["", "can be set:"]
        lines += [f"  {item.key}: {item.title.get('en', item.key)}" for item in profile.setup]
    lines += ["", *(f"source {source.id}: {source.ref}" for source in meta.sources)]
    return lines
