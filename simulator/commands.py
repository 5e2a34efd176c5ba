"""`coldlink sim`: run a plant, ask where it can be reached, and make its instruments and rooms fail."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

_RUN_EPILOG = """\
example:
  coldlink sim run firmware-config/plants/binh-minh.yaml --run /tmp/plant --ledger /tmp/plant/ledger.jsonl

When every line can be spoken to it prints one line, `plant ready {...}`, with TCP ports and tty links; the same is in
DIR/plant.json. DIR/moves.jsonl tells where each carrier really went. Ctrl-C ends it and leaves nothing but the logs.
"""
_FAULT_EPILOG = """\
faults of a device:
  dead DEVICE                     silence, while its neighbours go on
  crc DEVICE --rate 0.3           damaged answers (share of all)
  truncated DEVICE --rate 0.3     answers that end too soon
  noise DEVICE --rate 0.3         garbage before a sound answer
  wrong-unit DEVICE --rate 0.3    answers in another unit's name
  late DEVICE --ms 400            answers that come so much later
  exception DEVICE --code 2       a Modbus exception instead of values
  frozen DEVICE                   values that no longer change
  probe-broken DEVICE             the fault code instead of a value
faults of a zone:
  door-open ZONE | compressor-dead ZONE | defrost ZONE
and:
  clear [DEVICE|ZONE]             all well again
  list                            what is wrong now

example:
  coldlink sim fault door-open kho-lanh-b --run /tmp/plant
"""


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    sim = subparsers.add_parser("sim", help="a plant in a box that speaks real bytes, with faults on request")
    commands = sim.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_run(commands)
    _add_fault(commands)
    endpoints = commands.add_parser(
        "endpoints",
        help="where the running plant can be reached, as JSON",
        epilog="example:  coldlink sim endpoints --run /tmp/plant",
    )
    _add_run_dir(endpoints)
    endpoints.set_defaults(run=_endpoints)


def _add_run(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "run",
        help="run a plant until Ctrl-C",
        description="Run a plant from its YAML: Modbus TCP and RTU, scale and RFID reader, with goods that move.",
        epilog=_RUN_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("plant", type=Path, metavar="PLANT.yaml", help="the plant, see firmware-config/plants")
    _add_run_dir(parser)
    parser.add_argument("--ledger", type=Path, metavar="FILE", help="write down every value given out")
    parser.add_argument("--cloud", metavar="URL", help="announce lots and carriers to this cloud's REST API")
    parser.add_argument("--seed", type=int, metavar="N", help="another course of events (default: the plant's own)")
    parser.set_defaults(run=_run)


def _add_fault(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "fault",
        help="make an instrument or a room of the running plant fail",
        epilog=_FAULT_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("kind", metavar="FAULT", help="see below")
    parser.add_argument("target", nargs="?", metavar="DEVICE|ZONE")
    _add_run_dir(parser)
    parser.add_argument("--rate", type=float, metavar="0..1", help="share of the answers (default: all)")
    parser.add_argument("--ms", type=int, metavar="MS", help="how late (default: 1000)")
    parser.add_argument("--code", type=int, metavar="CODE", help="Modbus exception (default: 2)")
    parser.set_defaults(run=_fault)


def _add_run_dir(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--run", type=Path, required=True, metavar="DIR", dest="run_dir", help="the plant's run directory"
    )


def _run(args: argparse.Namespace) -> int:
    import asyncio

    import msgspec

    from ground.configfile import ConfigError
    from simulator.plan import load_plan

    try:
        plan = load_plan(args.plant)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    if args.seed is not None:
        plan = msgspec.structs.replace(plan, seed=args.seed)
    from simulator.runner import run_until_stopped

    try:
        asyncio.run(
            run_until_stopped(
                plan, args.run_dir, ledger=args.ledger, cloud=args.cloud, as_json=args.log_format == "json"
            )
        )
    except (OSError, ValueError) as error:
        print(f"the plant cannot run: {error}", file=sys.stderr)
        return 1
    return 0


def _fault(args: argparse.Namespace) -> int:
    if args.kind not in {"list", "clear"} and args.target is None:
        print(f"`{args.kind}` whom? name a device or a zone; `coldlink sim fault --help` shows how", file=sys.stderr)
        return 2
    order = {"do": args.kind, "target": args.target}
    if args.kind not in {"list", "clear"}:
        asked = {"kind": args.kind, "rate": args.rate, "ms": args.ms, "code": args.code}
        order |= {"do": "fault"} | {key: value for key, value in asked.items() if value is not None}
    return _tell(args, order)


def _tell(args: argparse.Namespace, order: dict[str, object]) -> int:
    from simulator.control import ask
    from simulator.errors import ControlUnavailable

    try:
        answer = ask(args.run_dir, order)
    except ControlUnavailable as error:
        print(error, file=sys.stderr)
        return 1
    if not answer["ok"]:
        print(answer["problem"], file=sys.stderr)
        return 2
    _show(answer.get("faults"), as_json=args.log_format == "json")
    return 0


def _show(faults: list[dict[str, object]] | None, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"ok": True} if faults is None else {"ok": True, "faults": faults}))
    elif faults is None:
        print("done")
    elif not faults:
        print("no faults")
    for fault in [] if as_json else faults or []:
        detail = "" if fault["value"] is True else f" {fault['value']}"
        print(f"{fault['target']}: {fault['fault']}{detail}")


def _endpoints(args: argparse.Namespace) -> int:
    from simulator.plant import ENDPOINTS_NAME

    try:
        print((args.run_dir / ENDPOINTS_NAME).read_text(), end="")
    except OSError as error:
        print(f"no plant runs in {args.run_dir}: {error.strerror}", file=sys.stderr)
        return 1
    return 0
