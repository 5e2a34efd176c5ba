"""`coldlink demo`: the whole thing on one machine."""

from __future__ import annotations

import argparse
from pathlib import Path

_EPILOG = """\
What happens: a simulated slaughterhouse speaks real bytes (Modbus TCP, an RS-485 line, a scale, RFID readers); a
gateway reads it, keeps every reading on disk and sends it through a real mosquitto; the cloud commits it and shows it
live. Thirty days of its past are there from the start. After a while a door of cold store B is left open: watch the
breach appear, the lots in the room being marked, and the alarm that asks for you.

While it runs, in another terminal:
  coldlink sim fault dead kho-mat-1-probe --run DATA/plant     a probe dies
  coldlink sim fault compressor-dead kho-lanh-a --run DATA/plant
  coldlink audit --ledger DATA/ledger.jsonl --cloud sqlite:///DATA/cloud/coldlink.db

Ctrl-C ends all of it.

example:
  coldlink demo --port 8080 --days 7
"""


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "demo",
        help="plant, gateway, broker, cloud and page on this machine, with one command",
        description="Plant, gateway, broker, cloud and web page on this machine, with one command.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=0, help="of the page (default: 8080, or a free one)")
    parser.add_argument(
        "--data", type=Path, default=Path("demo-data"), metavar="DIR", help="one folder for everything, made anew"
    )
    parser.add_argument("--days", type=int, default=30, metavar="N", help="how much past to begin with (default: 30)")
    parser.add_argument("--door-after", type=int, default=10, metavar="S", help="leave the door open after S seconds")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    from coldlink.demo.show import Show, run_show

    return run_show(Show(args.data, args.port, args.days, args.door_after))
