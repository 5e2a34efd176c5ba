"""`coldlink cloud`: take the batches in, bind them to lots, serve API and pages."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

_EXAMPLE = """\
example:
  coldlink cloud migrate cloud.yaml
  coldlink cloud run cloud.yaml

There is no sign-in yet: it serves on loopback only and refuses to be bound elsewhere. docs/configuration.md
describes every key.
"""


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    cloud = subparsers.add_parser("cloud", help="the cloud: ingest, lots, alarms, API and pages")
    commands = cloud.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, run, text in (
        ("run", _run, "Serve until SIGTERM. Prints `ready URL` when batches are taken and pages served."),
        (
            "migrate",
            _migrate,
            "Bring the database up to this program's version. SQLite files are migrated by run as well.",
        ),
    ):
        parser = commands.add_parser(
            name,
            help=text.split(".")[0].lower(),
            description=text,
            epilog=_EXAMPLE,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.add_argument("file", type=Path, metavar="FILE", help="the cloud's settings (YAML)")
        parser.set_defaults(run=run)


def _run(args: argparse.Namespace) -> int:
    import asyncio

    from cloud import app, config
    from cloud.errors import CloudError
    from ground.configfile import ConfigError

    try:
        asyncio.run(app.run(config.load(args.file)))
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    except (CloudError, OSError) as error:
        print(f"the cloud cannot run: {error}", file=sys.stderr)
        return 1
    return 0


def _migrate(args: argparse.Namespace) -> int:
    from cloud import config
    from cloud.errors import CloudError
    from cloud.store import open_store
    from ground.configfile import ConfigError

    try:
        open_store(config.load(args.file).database, migrate_first=True).close()
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    except CloudError as error:
        print(f"not migrated: {error}", file=sys.stderr)
        return 1
    print("the database is at this program's version")
    return 0
