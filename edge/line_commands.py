"""`coldlink edge plan` and `coldlink edge status`: will the periods fit the lines, and how are the lines doing now?"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.lines.bus_plan import BusPlan
    from edge.local.status import AgentStatus, BusStatus

_PLAN_EPILOG = """\
example:
  coldlink edge plan /etc/coldlink/gateway.yaml
  coldlink edge plan gateway.yaml --turnround-ms 50      for slow controllers

Each read takes its characters, two silences of 3.5 characters, and the time the device thinks (turn-round: cheap
sensors 5 to 30 ms, refrigeration controllers 20 to 150 ms). Nothing is opened. Exit 0: all lines fit; 1: one does not.
"""
_STATUS_EPILOG = """\
example:
  coldlink edge status /etc/coldlink/gateway.yaml
  coldlink edge status /var/lib/coldlink --watch 2       again every 2 s

Asks the running agent over the socket in its data folder, as its own user. `share` is the part of the line's time that
a device holds; `late` and `second` answers are signs of a short timeout_ms and of two devices with one unit id.
"""


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    plan = commands.add_parser(
        "plan",
        help="do the periods fit the lines?",
        description="Say before start what each line needs and what was wanted.",
        epilog=_PLAN_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    plan.add_argument("file", type=Path, metavar="FILE", help="the gateway's settings (YAML)")
    plan.add_argument(
        "--turnround-ms", type=float, default=20.0, metavar="MS", help="what a device thinks (default 20)"
    )
    plan.add_argument("--json", action="store_true", help="for programs")
    plan.set_defaults(run=_plan)
    status = commands.add_parser(
        "status",
        help="how the running agent's lines are doing",
        description="Show each line and device of the running agent: state, answer times, errors, share of the line.",
        epilog=_STATUS_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    status.add_argument("place", type=Path, metavar="DIR|FILE", help="the agent's data folder, or its settings")
    status.add_argument("--watch", type=float, metavar="S", help="again every so many seconds, until Ctrl-C")
    status.add_argument("--json", action="store_true", help="for programs")
    status.set_defaults(run=_status)


def _plan(args: argparse.Namespace) -> int:
    from edge.config import check
    from edge.lines.bus_plan import plan_of
    from ground.configfile import ConfigError

    try:
        plans = plan_of(check(args.file, may_overload=True), args.turnround_ms / 1000)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    if args.json:
        print(_plans_json(plans))
    else:
        _print_plans(plans)
    return 0 if all(plan.fits for plan in plans) else 1


def _print_plans(plans: list[BusPlan]) -> None:
    from edge.columns import aligned
    from edge.lines.bus_plan import table

    for plan in plans:
        print(f"{plan.bus} ({plan.speed}): {plan.verdict}")
        for line in aligned(table(plan), right=range(1, 6)):
            print(f"  {line}")
        print()
    if not plans:
        print("no Modbus lines: each scale or reader has its port to itself")


def _plans_json(plans: list[BusPlan]) -> str:
    import msgspec

    rows = [
        {
            **msgspec.to_builtins(plan),
            "load": plan.load,
            "fits": plan.fits,
            "wanted_s": plan.wanted_s,
            "needed_s": plan.needed_s,
        }
        for plan in plans
    ]
    return msgspec.json.format(msgspec.json.encode(rows), indent=2).decode()


def _status(args: argparse.Namespace) -> int:
    import asyncio

    from edge.local.control_client import AgentError
    from ground.configfile import ConfigError

    try:
        data_dir = args.place if args.place.is_dir() else _data_dir(args.place)
        asyncio.run(_show_status(data_dir, args.watch, as_json=args.json))
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    except AgentError as error:
        print(error.detail or error.reason, file=sys.stderr)
        return 1
    return 0


def _data_dir(file: Path) -> Path:
    from edge.config import EdgeConfig
    from ground.configfile import load

    return Path(load(file, EdgeConfig).data_dir)


async def _show_status(data_dir: Path, every_s: float | None, *, as_json: bool) -> None:
    import asyncio

    import msgspec

    from edge.local.control_client import AgentConnection

    async with AgentConnection(data_dir) as agent:
        while True:
            status = await agent.status()
            if as_json:
                print(msgspec.json.encode(status).decode(), flush=True)
            else:
                _print_status(status)
            if not every_s:
                return
            await asyncio.sleep(every_s)


def _print_status(status: AgentStatus) -> None:
    print(f"{status.gateway}, running for {status.uptime_s:.0f} s")
    for bus in status.buses:
        _print_bus(bus)


def _print_bus(bus: BusStatus) -> None:
    from edge.columns import aligned

    state = f"{bus.load:.0%} busy" if bus.is_open else f"DOWN: {bus.why_down}"
    print(f"\n{bus.bus} ({bus.line}): {state}")
    head = "device unit state answer ms longest requests timeouts crc retries late second missed share"
    rows = [head.replace("answer ms", "answer_ms").split()]
    rows += [
        [
            one.device,
            "-" if one.unit_id is None else str(one.unit_id),
            one.state,
            f"{one.answer_ms:g}",
            f"{one.longest_ms:g}",
            str(one.requests),
            str(one.timeouts),
            str(one.checksum_errors),
            str(one.retries),
            str(one.late_answers),
            str(one.second_answers),
            str(one.missed_cycles),
            f"{one.share:.1%}",
        ]
        for one in bus.devices
    ]
    for line in aligned(rows, right=(1, *range(3, 13))):
        print(f"  {line}")
    for one in bus.devices:
        for fault in one.faults:
            print(f"  ! {one.device}: {fault}")
