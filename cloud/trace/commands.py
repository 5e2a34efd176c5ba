"""`coldlink trace`: what identifiers say, without a server."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloud.trace.epc import Epc
    from cloud.trace.errors import EpcError

_EPC_EPILOG = """\
examples:
  coldlink trace epc 3316210B44350C40000003E9
  coldlink trace epc --pc 3000 331645214827294000001B5900000000
  cut -d, -f2 tags.csv | coldlink trace epc --json -

Tags that nobody has programmed (they begin with E2 or zeros) are not GS1 EPCs: keep their hex as it is and register it
to a crate or pallet. The exit code is 1 when at least one EPC is not GS1's or is damaged.
"""


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    trace = subparsers.add_parser("trace", help="what identifiers say: EPCs of tags")
    commands = trace.add_subparsers(title="commands", metavar="COMMAND", required=True)
    epc = commands.add_parser(
        "epc",
        help="what an RFID tag identifies",
        description="Decode EPCs to element string, EPC URNs and GS1 Digital Link (GS1 Tag Data Standard 2.3).",
        epilog=_EPC_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    epc.add_argument("epcs", nargs="+", metavar="HEX", help="an EPC in hexadecimal; - reads one a line from stdin")
    epc.add_argument("--pc", type=_word, metavar="WORD", help="the PC word, e.g. 3000: its length decides")
    epc.add_argument("--json", action="store_true", help="one JSON object a line")
    epc.set_defaults(run=_run_epc)


def _run_epc(args: argparse.Namespace) -> int:
    from cloud.trace.epc import decode, parse_hex
    from cloud.trace.errors import EpcError

    are_all_gs1 = True
    for text in _given(args.epcs):
        try:
            result: Epc | EpcError = decode(parse_hex(text), args.pc)
        except EpcError as error:
            result, are_all_gs1 = error, False
        print(json.dumps(_as_json(text, result)) if args.json else _as_text(text, result))
    return 0 if are_all_gs1 else 1


def _given(arguments: Iterable[str]) -> Iterator[str]:
    for argument in arguments:
        if argument == "-":
            yield from filter(None, map(str.strip, sys.stdin))
        else:
            yield argument


def _word(text: str) -> int:
    if not re.fullmatch(r"(0x)?[0-9a-fA-F]{4}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a 16-bit word in hexadecimal, such as 3000")
    return int(text, 16)


def _as_json(text: str, result: Epc | EpcError) -> dict[str, object]:
    if isinstance(result, Exception):
        return {"epc": text, "error": _name(result), "message": str(result)}
    return {
        "epc": text,
        "scheme": result.scheme,
        "filter": result.filter_value,
        "urn": result.urn,
        "tag_urn": result.tag_urn,
        "digital_link": result.digital_link,
        "element_string": result.element_string,
        "has_more_data": result.has_more_data,
    }


def _as_text(text: str, result: Epc | EpcError) -> str:
    if isinstance(result, Exception):
        return f"{text}\n  {result}"
    lines = {
        "scheme": result.scheme,
        "identity": result.urn,
        "tag": result.tag_urn,
        "digital link": result.digital_link,
        "element string": result.element_string,
        "note": "more data (batch, dates, weight) follows in the tag, not decoded" if result.has_more_data else None,
    }
    return "\n".join([text, *(f"  {name:<14}  {value}" for name, value in lines.items() if value)])


def _name(error: Exception) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__).lower()
