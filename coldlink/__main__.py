"""The command `coldlink`: one parser, filled by the rooms; each command imports what it needs only when it runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from coldlink.logs import set_up_logging

# Each of these offers add_commands(subparsers). A room that is not installed (a gateway has no cloud) is left out.
_ROOMS = (
    "edge.commands",
    "edge.device_commands",
    "cloud.commands",
    "cloud.trace.commands",
    "simulator.commands",
    "coldlink.alarms_command",
    "coldlink.audit_command",
    "coldlink.demo_command",
)

_DESCRIPTION = """\
Coldlink follows every lot through its cold chain: gateways read the instruments of cold stores and
slaughterhouses and keep every reading until the cloud has committed it.

  coldlink demo                       the whole thing on this machine, with a simulated plant
  coldlink edge check gateway.yaml    is this gateway's configuration right?
  coldlink edge run gateway.yaml      read the instruments
  coldlink cloud run cloud.yaml       take the batches in, serve the pages
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit code: 0 done, 1 the answer is no, 2 the question was wrong."""
    args = _parser().parse_args(argv)
    set_up_logging(args.log_format, args.log_level)
    run: Callable[[argparse.Namespace], int] = args.run
    try:
        return run(args)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `coldlink ... | head` is not an error
        sys.stderr.close()
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="coldlink", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.set_defaults(log_format="text", log_level="info")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for room in _ROOMS:
        try:
            import_module(room).add_commands(commands)
        except ModuleNotFoundError as error:
            if error.name is not None and not room.startswith(error.name.split(".")[0]):
                raise
    _add_log_options(parser)
    return parser


def _add_log_options(parser: argparse.ArgumentParser) -> None:
    """At every level, so that they may stand before and behind the command."""
    parser.add_argument("--log-format", choices=("text", "json"), default=argparse.SUPPRESS, help="default: text")
    levels = ("debug", "info", "warning")
    parser.add_argument("--log-level", choices=levels, default=argparse.SUPPRESS, help="default: info")
    for action in parser._actions:  # noqa: SLF001  argparse has no public way to its sub-parsers
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for below in {id(one): one for one in action.choices.values()}.values():
                _add_log_options(below)


if __name__ == "__main__":
    sys.exit(main())
