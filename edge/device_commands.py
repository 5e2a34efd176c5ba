"""`coldlink device`: find, recognise, look at, set and record the instruments of a line."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from edge import decode_command
from edge.commissioning import profile_commands

_LINES = """
A line is named by a gateway's settings FILE (and --bus or --device), by --port, or by --host for Modbus TCP. With FILE,
a running agent lends its line between two polls, so it need not be stopped; without one the port itself is opened.
"""
_SCAN = """\
example:
  coldlink device scan /etc/coldlink/gateway.yaml          all its Modbus lines, while the agent goes on
  coldlink device scan --port /dev/serial/by-id/usb-FTDI...
  coldlink device scan --port /dev/ttyS1 --baud 19200 --format 8E1 --only-this-setting --ids 1-32

Asks ids 1 to 32 at 9600, 19200 and 115200 Bd, each 8N1, 8E1 and 8N2, then the other ids: under three minutes. Each
device found is read twenty times to see whether two share an id, asked who it is, and compared with all profiles.
Nothing is ever written.
"""
_PROBE = """\
example:
  coldlink device probe gateway.yaml --device cold-a-probe
  coldlink device probe --port /dev/ttyS1 --unit 7

Is it there, how fast and how reliably does it answer, what does it say it is, which models fit, what are its points?
"""
_READ = """\
example:
  coldlink device read gateway.yaml --device cold-a-probe --table input --address 1
  coldlink device read --port /dev/ttyS1 --unit 7 --address 0x10 --expect -18.4

Shows one register as every type and word order; the one that looks like a temperature is marked, or with --expect the
one that says what the display says. Addresses are zero-based as on the wire: "40017" of a manual is holding 16.
"""
_WATCH = """\
example:
  coldlink device watch gateway.yaml --device cold-a-probe
  coldlink device watch --port /dev/ttyS1 --unit 7 --profile generic-xy-md02 --every 0.5 --count 20

Warm the probe with a hand and see which curve moves. Ctrl-C ends it.
"""
_SET = """\
example:
  coldlink device set gateway.yaml --device cold-a-probe                       what can be set, and what it is now
  coldlink device set --port /dev/ttyS1 --unit 1 --profile generic-xy-md02 --item address=12

Shows what is and what would be, asks for consent, writes, and reads back. Items that change a device's place on the
line (id, speed) want it alone there, for a second device with the same id would take the change as well: say so with
--i-am-alone-on-the-bus, after disconnecting the others. --yes consents in advance; it never stands for being alone,
nor for the second person that some items ask for.
"""
_RECORD = """\
example:
  coldlink device record gateway.yaml --bus line-1 --output line-1.jsonl --seconds 60

Writes what goes over the line while its devices are polled, with what each answer means. No names, places or times of
day; texts are crossed out. Put into tests/recordings/bus the file is a test: CI replays it.
"""


class _Command(NamedTuple):
    name: str
    help: str
    epilog: str
    run: Callable[[argparse.Namespace], int]
    has_device: bool


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    device = subparsers.add_parser("device", help="find, recognise, look at, set and record instruments")
    group = device.add_subparsers(title="commands", metavar="COMMAND", required=True)
    decode_command.add_to(group)
    profile_commands.add_to(group)
    parsers = {command.name: _add(group, command) for command in _COMMANDS}
    _scan_options(parsers["scan"])
    _read_options(parsers["read"])
    _watch_options(parsers["watch"])
    _set_options(parsers["set"])
    _record_options(parsers["record"])


def _add(group: argparse._SubParsersAction[argparse.ArgumentParser], command: _Command) -> argparse.ArgumentParser:
    parser = group.add_parser(
        command.name,
        help=command.help,
        description=f"{command.help[0].upper()}{command.help[1:]}.\n{_LINES}",
        epilog=command.epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _line_options(parser)
    if command.has_device:
        _device_options(parser)
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(run=command.run)
    return parser


def _line_options(parser: argparse.ArgumentParser) -> None:
    """The ways to name a line."""
    line = parser.add_argument_group("which line")
    line.add_argument(
        "file", nargs="?", type=Path, metavar="FILE", help="a gateway's settings; its agent may be running"
    )
    line.add_argument("--bus", metavar="ID", help="one line of FILE (default: all, or the one of --device)")
    line.add_argument("--port", metavar="PORT", help="/dev/serial/by-id/..., tcp://host:port or rfc2217://host:port")
    line.add_argument("--host", metavar="HOST[:PORT]", help="a Modbus TCP endpoint")
    line.add_argument("--baud", type=int, default=9600, help="with --port (default 9600)")
    line.add_argument("--format", default="8N1", metavar="8N1", help="with --port: data bits, parity, stop bits")
    line.add_argument("--profiles", type=Path, metavar="DIR", help="profiles to use instead of those of Coldlink")


def _device_options(parser: argparse.ArgumentParser) -> None:
    """The ways to name a device on it."""
    device = parser.add_argument_group("which device")
    device.add_argument("--device", metavar="ID", help="a device of FILE")
    device.add_argument("--unit", type=int, metavar="N", help="its Modbus unit id")
    device.add_argument("--profile", metavar="ID", help="read it as this model")


def _scan_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ids", default="1-247", metavar="1-32,240", help="which unit ids (default 1-247)")
    parser.add_argument("--only-this-setting", action="store_true", help="do not try other speeds and formats")


def _read_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--table", choices=("holding", "input", "coil", "discrete"), default="holding")
    parser.add_argument("--address", required=True, metavar="N", help="zero-based, decimal or 0x...")
    parser.add_argument("--expect", type=float, metavar="VALUE", help="what the display of the device shows")


def _watch_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--every", type=float, default=1.0, metavar="S", help="seconds between two reads (default 1)")
    parser.add_argument("--count", type=int, metavar="N", help="end after so many reads")


def _set_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--item", metavar="KEY=VALUE", help="what to set; without it all items are shown")
    parser.add_argument("--yes", action="store_true", help="consent in advance")
    parser.add_argument("--i-am-alone-on-the-bus", action="store_true", help="no other device is connected")


def _record_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output", required=True, metavar="FILE", help="where to write (JSON lines)")
    parser.add_argument("--seconds", type=float, default=60.0, metavar="S", help="how long (default 60)")


def _scan(args: argparse.Namespace) -> int:
    from edge.commissioning import scan_command

    return _run(scan_command.run, args)


def _probe(args: argparse.Namespace) -> int:
    from edge.commissioning import probe_command

    return _run(probe_command.run, args)


def _read(args: argparse.Namespace) -> int:
    from edge.commissioning import read_command

    return _run(read_command.run, args)


def _watch(args: argparse.Namespace) -> int:
    from edge.commissioning import watch_command

    return _run(watch_command.run, args)


def _set(args: argparse.Namespace) -> int:
    from edge.commissioning import set_command

    return _run(set_command.run, args)


def _record(args: argparse.Namespace) -> int:
    from edge.commissioning import record_command

    return _run(record_command.run, args)


def _run(run: Callable[[argparse.Namespace], int], args: argparse.Namespace) -> int:
    """What went wrong, in one line; 1: the line or device cannot, 2: the question was wrong."""
    import logging
    import sys

    from edge.commissioning.setup_item import BadWish
    from edge.commissioning.target import BadTarget
    from edge.drivers.errors import DriverError
    from edge.errors import BusError
    from edge.local.control_client import AgentError
    from ground.configfile import ConfigError

    logging.getLogger("edge").setLevel(logging.ERROR)  # what matters is in the answer
    try:
        return run(args)
    except (BadTarget, BadWish, ConfigError, DriverError) as error:
        print(error, file=sys.stderr)
        return 2
    except (BusError, AgentError) as error:
        print(error.detail or error.reason, file=sys.stderr)
        return 1


_COMMANDS = (
    _Command("scan", "find what hangs on a line, read-only", _SCAN, _scan, has_device=False),
    _Command("probe", "look at one device", _PROBE, _probe, has_device=True),
    _Command("read", "one register in all types and word orders", _READ, _read, has_device=True),
    _Command("watch", "a device's points, live", _WATCH, _watch, has_device=True),
    _Command("set", "settings of a device, with consent and read-back", _SET, _set, has_device=True),
    _Command("record", "what goes over a line, as a file that becomes a test", _RECORD, _record, has_device=False),
)
