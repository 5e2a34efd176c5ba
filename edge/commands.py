"""`coldlink edge`: run a gateway, or judge its settings without opening anything."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from edge import line_commands

_EXAMPLE = """\
example:
  coldlink edge check /etc/coldlink/gateway.yaml
  coldlink edge run /etc/coldlink/gateway.yaml

docs/configuration.md describes every key; firmware-config/sites has whole examples.
"""


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    edge = subparsers.add_parser("edge", help="the gateway: read instruments, keep and send what they say")
    commands = edge.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, run, text in (
        (
            "run",
            _run,
            "Read the instruments of FILE until SIGTERM. Every reading is kept until the cloud has committed it.",
        ),
        ("check", _check, "Judge FILE as `run` would, without opening anything. Exit 0: right; 2: wrong, and why."),
    ):
        parser = commands.add_parser(
            name,
            help=text.split(".")[0].lower(),
            description=text,
            epilog=_EXAMPLE,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.add_argument("file", type=Path, metavar="FILE", help="the gateway's settings (YAML)")
        parser.set_defaults(run=run)
    line_commands.add_to(commands)


def _run(args: argparse.Namespace) -> int:
    import asyncio

    from edge import agent
    from edge.config import check
    from edge.identity import IdentityUnreadable
    from ground.configfile import ConfigError

    try:
        asyncio.run(agent.run(check(args.file)))
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    except (IdentityUnreadable, OSError) as error:
        print(f"the gateway cannot run: {error}", file=sys.stderr)
        return 1
    return 0


def _check(args: argparse.Namespace) -> int:
    from edge.config import check
    from edge.identity import public_key_of
    from ground.configfile import ConfigError

    try:
        gateway = check(args.file)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    config = gateway.config
    print(f"{args.file}: right")
    print(f"gateway {config.gateway}, {len(config.buses)} buses, {len(gateway.points())} points")
    for bus in config.buses:
        for device in bus.devices:
            print(f"  {bus.id:16} {device.id:28} {device.profile}")
    key = public_key_of(Path(config.data_dir))
    print(f"public key {key.hex()}" if key else "public key: made at the first start")
    return 0
