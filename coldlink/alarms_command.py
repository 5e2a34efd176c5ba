"""`coldlink alarms replay`: what the limits of a site file would have said about recorded readings."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

_EPILOG = """\
READINGS.csv has the columns time, point, value, quality:
  time,point,value,quality
  2026-11-21T07:32:00.000Z,gw-01/kho-lanh-b-probe/temperature,-20.4,good
  2026-11-21T07:32:00.000Z,gw-01/kho-lanh-b-controller/status.defrost,1,good
  2026-11-21T07:33:00.000Z,gw-01/kho-lanh-b-probe/temperature,,bad

CONTEXTS.csv, if given, says what people said, with the columns zone, kind, from, until:
  zone,kind,from,until
  kho-lanh-b,maintenance,2026-11-21T08:00:00Z,2026-11-21T10:00:00Z

example:
  coldlink alarms replay --config firmware-config/sites/binh-minh.site.yaml readings.csv
"""


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("alarms", help="try limits on recorded readings")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    replay = commands.add_parser(
        "replay",
        help="which alarms there would have been",
        description="Runs the live rules over recorded readings and prints breaches and alarms with their times.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    replay.add_argument("readings", type=Path, metavar="READINGS.csv")
    replay.add_argument("--config", type=Path, required=True, metavar="FILE", help="a site file with zones and limits")
    replay.add_argument("--contexts", type=Path, metavar="FILE", help="CSV of what people said was going on")
    replay.add_argument("--json", action="store_true", help="everything, for programs")
    replay.set_defaults(run=_replay)


def _replay(args: argparse.Namespace) -> int:
    import json

    from cloud.alarms.errors import ReplayFileError
    from cloud.alarms.replay import replay
    from cloud.alarms.replay_files import as_json, as_lines, read_readings, read_spans
    from cloud.site.site_file import read_site
    from ground.configfile import ConfigError

    try:
        spans = read_spans(args.contexts) if args.contexts else []
        outcome = replay(read_site(args.config), read_readings(args.readings), spans)
    except (ConfigError, ReplayFileError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    if args.json:
        print(json.dumps(as_json(outcome), indent=1))
    else:
        print("\n".join(as_lines(outcome)))
    return 0
