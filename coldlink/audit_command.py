"""`coldlink audit`: the verdict of ledger against database, as a table or as JSON."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coldlink.audit import AuditReport, PointReport

_EPILOG = """\
example:
  coldlink audit --ledger plant/ledger.jsonl --cloud coldlink.db
  coldlink audit --ledger plant/ledger.jsonl --cloud http://127.0.0.1:8080 --gateway gw-01 --json

produced    values that an instrument gave out and that had to be stored
stored      values in the database for these points
lost        given out and nowhere         duplicated   stored more than once
altered     stored with another value     spoilt       stored although the bytes were spoilt on purpose
invented    stored and never given out    out_of_order stored in another order
refused     the gateway stored a bad reading with its reason instead
unsealed    read, and not yet on the gateway's disk when it was killed: it declared the gap itself
declared    not kept or thinned, and declared by the gateway
undelivered spoilt or withheld by the simulator; nobody could have read them

What was stored from before the ledger began is not judged. While the plant runs, its last seconds are still on their
way and count as lost: stop it first, or give --until.

exit code: 0 clean, 1 not clean, 2 the ledger or the cloud could not be read
"""

_ALWAYS_SHOWN = frozenset({"produced", "stored", "lost", "duplicated", "altered", "out_of_order"})


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "audit",
        help="was every value that the plant gave out stored, once and unchanged?",
        description="Compare the simulator's ledger with what the cloud has stored.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--ledger", type=Path, required=True, metavar="FILE", help="written by `coldlink sim run`")
    parser.add_argument(
        "--cloud", required=True, metavar="URL|DB", help="http address of the cloud, or its database (file or URL)"
    )
    parser.add_argument("--gateway", metavar="NAME", help="only what came by this gateway")
    parser.add_argument("--from", dest="from_at", type=_moment, metavar="TIME", help="ISO 8601, e.g. 2026-11-21T07:00Z")
    parser.add_argument("--until", dest="until_at", type=_moment, metavar="TIME", help="not included")
    parser.add_argument(
        "--tolerance-ms", type=int, default=1000, metavar="MS", help="between ledger and observed_at (default: 1000)"
    )
    parser.add_argument("--json", action="store_true", help="the whole report as JSON")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    from coldlink.audit import AuditInputError
    from coldlink.audit_sources import Range

    within = Range(args.from_at or 0, args.until_at or 1 << 62)
    try:
        report = audit(args.ledger, args.cloud, args.gateway, within, args.tolerance_ms)
    except AuditInputError as error:
        print(f"coldlink audit: {error}", file=sys.stderr)
        return 2
    print(json.dumps(as_dict(report), indent=2) if args.json else as_table(report))
    return 0 if report.is_clean else 1


def audit(ledger_path: Path, cloud_at: str, gateway: str | None, within: object, tolerance_ms: int) -> AuditReport:
    """Raises AuditInputError. `within` is an `audit_sources.Range`."""
    from coldlink.audit import compare, compare_tags
    from coldlink.audit_sources import Range, load_ledger, open_cloud

    assert isinstance(within, Range)
    ledger = load_ledger(ledger_path, within, tolerance_ms)
    if ledger.began_at is not None:
        within = within._replace(from_at=max(within.from_at, ledger.began_at - tolerance_ms))
    with open_cloud(cloud_at, gateway, within) as cloud:
        gaps = cloud.gaps()
        report = compare(ledger.points, cloud.columns(ledger.points), gaps, tolerance_ms)
        report.tags = compare_tags(ledger.tags, cloud.reads_by_tag(), gaps, tolerance_ms)
    return report


def as_dict(report: AuditReport) -> dict[str, object]:
    return {"clean": report.is_clean, "total": asdict(report.total), "tag_total": asdict(report.tag_total)} | asdict(
        report
    )


def as_table(report: AuditReport) -> str:
    lines = _table([*report.points, report.total])
    if report.tags:
        lines += ["", "sightings (reads per EPC)", *_table([*_noteworthy(report.tags), report.tag_total])]
    lines += ["", *(_example(*one) for one in report.examples)]
    if report.gaps:
        lines.append(
            f"{report.gaps} gaps declared by gateways that were stopped, the longest"
            f" {report.longest_gap_ms / 1000:.1f} s; the most that one of them cost:"
            f" {report.longest_unsealed_ms / 1000:.1f} s of readings"
        )
    if report.points_not_in_ledger:
        lines.append(f"{report.points_not_in_ledger} stored points are not in the ledger and were not judged")
    lines.append("clean" if report.is_clean else "NOT CLEAN")
    return "\n".join(lines)


def _table(reports: list[PointReport]) -> list[str]:
    """The last row is the sum; columns that are nothing but zero are left out, except those that people look for."""
    from coldlink.audit import COUNTS

    names = [name for name in COUNTS if name in _ALWAYS_SHOWN or getattr(reports[-1], name)]
    width = max(len(one.point) for one in reports)
    rows = (
        [one.point.ljust(width), *(str(getattr(one, name) or "-").rjust(len(name)) for name in names)]
        for one in reports
    )
    return [" ".join(row) for row in ([" " * width, *names], *rows)]


def _noteworthy(tags: list[PointReport]) -> list[PointReport]:
    """Hundreds of crates that are as they should be are only in the sum."""
    from coldlink.audit import WRONG

    return [tag for tag in tags if any(getattr(tag, name) for name in WRONG)]


def _example(what: str, point: str, time: int, value: str) -> str:
    moment = datetime.fromtimestamp(time / 1000, UTC).isoformat(timespec="milliseconds")
    return f"{what}: {point} = {value} at {moment}"


def _moment(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time; a right one is 2026-11-21T07:00:00Z") from None
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} has no time zone; write Z for UTC")
    return round(moment.timestamp() * 1000)
