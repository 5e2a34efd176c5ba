"""`coldlink device decode`: bytes that an instrument sent, one case per JSON line, become frames.

Test benches and installers lean on its format: it is kept stable.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from edge.drivers.errors import DriverError
from edge.drivers.frames import ErrorFrame, Frame
from edge.drivers.registry import DRIVERS, make_decoder

_EPILOG = """\
one case per line on standard input:
  {"id": "1", "driver": "mt_sics", "params": {}, "chunks": ["5320532020202020", "3130302e303020670d0a"]}

  chunks   successive reads, as hex, with no gap between them
  request  optional: what the host had sent, as hex (needed for modbus_rtu and modbus_tcp)
  params   options of the driver: unit, mask_bit7, checksum, format, request_command, antenna_ports,
           and for Modbus profile (an id or a file) or points (as in a profile)

one answer per line, in the same order:
  {"id": "1", "frames": [{"type": "reading", "point": null, "value": "100.00", "unit": "g", ...}], "pending": false}

example:
  echo '{"id":"1","driver":"em4100","chunks":["0230413030313233343536374103"]}' | coldlink device decode
"""


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command by itself, for those who need no other."""
    device = subparsers.add_parser("device", help="look at instruments and what they say")
    add_to(device.add_subparsers(required=True, metavar="COMMAND"))


def add_to(group: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    decode = group.add_parser(
        "decode",
        help="decode recorded bytes",
        description="Decodes what instruments sent: JSON lines in, JSON lines out.",
        epilog=_EPILOG + "\ndrivers:\n  " + " ".join(DRIVERS) + "\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    decode.set_defaults(run=run)


def run(_: argparse.Namespace) -> int:
    for answer in decode_lines(line.decode("utf-8", "replace") for line in sys.stdin.buffer):
        print(answer, flush=True)
    return 0


def decode_lines(lines: Iterable[str]) -> Iterator[str]:
    """One answer per case; what is wrong with one case is said in its answer and stops no other."""
    for line in lines:
        if line.strip():
            yield json.dumps(_answer(line))


class _Case(msgspec.Struct, frozen=True):
    driver: str
    chunks: list[str] = []
    params: dict[str, Any] = {}  # what a driver makes of them is its own matter
    request: str | None = None


def _answer(line: str) -> dict[str, object]:
    identity: object = None
    try:
        given = json.loads(line)
        identity = given.get("id") if isinstance(given, dict) else None
        frames, pending = _decode(msgspec.convert(given, _Case))
    except (ValueError, msgspec.ValidationError) as error:
        frames, pending = [ErrorFrame("format", str(error))], False
    except DriverError as error:
        frames, pending = [ErrorFrame("config", str(error))], False
    except Exception as error:  # noqa: BLE001  quarantine: one case that we cannot read must not stop the others
        frames, pending = [ErrorFrame("internal", repr(error))], False
    shown = [json_frame for frame in frames if (json_frame := frame.to_json()) is not None]
    return {"id": identity, "frames": shown, "pending": pending}


def _decode(case: _Case) -> tuple[list[Frame], bool]:
    chunks = [bytes.fromhex(chunk) for chunk in case.chunks]
    decoder, warnings = make_decoder(case.driver, case.params)
    if case.request:
        decoder.expect(bytes.fromhex(case.request))
    frames: list[Frame] = [*warnings]
    for chunk in chunks:
        frames += decoder.feed(chunk)
    return frames, decoder.pending
