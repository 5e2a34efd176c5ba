"""The files of a replay: readings and contexts as CSV, the answer as JSON or as lines for people."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cloud.alarms.errors import ReplayFileError
from cloud.alarms.replay import Replayed, ReplayRow, ReplaySpan
from rules import ContextKind

_READING_COLUMNS = ("time", "point", "value", "quality")
_CONTEXT_COLUMNS = ("zone", "kind", "from", "until")


def read_readings(path: Path) -> Iterator[ReplayRow]:
    """Raises ReplayFileError, which names the line."""
    for number, line in _lines(path, _READING_COLUMNS):
        value = None
        if line["quality"] not in {"good", "uncertain", "bad"}:
            raise ReplayFileError(path, number, f"quality {line['quality']!r}", "good, uncertain or bad")
        if line["quality"] != "bad":
            value = _number(path, number, line["value"])
        yield ReplayRow(_moment(path, number, line["time"]), line["point"], value)


def read_spans(path: Path) -> list[ReplaySpan]:
    """Raises ReplayFileError, which names the line."""
    found = []
    for number, line in _lines(path, _CONTEXT_COLUMNS):
        if line["kind"] not in {kind.value for kind in ContextKind}:
            raise ReplayFileError(path, number, f"kind {line['kind']!r}", ", ".join(ContextKind))
        times = _moment(path, number, line["from"]), _moment(path, number, line["until"])
        found.append(ReplaySpan(line["zone"], ContextKind(line["kind"]), *times))
    return found


def as_json(outcome: Replayed) -> dict[str, object]:
    return {
        "alarms": [
            {"zone": a.zone, "limit": a.key, "severity": a.severity, "at": _text(a.at), "until": _text(a.until_at)}
            for a in outcome.alarms
        ],
        "breaches": [
            {
                "key": breach.key,
                "zone": limit.zone,
                "limit": limit.key,
                "status": breach.status,
                "onset_at": _text(breach.onset_at),
                "confirmed_at": _text(breach.confirmed_at),
                "confirmed_by": breach.confirmed_by,
                "ended_at": _text(breach.ended_at),
                "extreme": breach.extreme,
                "extreme_at": _text(breach.extreme_at),
            }
            for limit, breach in outcome.breaches
        ],
        "distrust": [
            {"point": d.point, "reason": d.reason, "from": _text(d.from_at), "until": _text(d.until_at)}
            for d in outcome.distrust
        ],
    }


def as_lines(outcome: Replayed) -> Iterator[str]:
    for alarm in outcome.alarms:
        yield f"{_text(alarm.at)}  {alarm.zone:<16} {alarm.key:<18} until {_text(alarm.until_at) or 'the end'}"
    confirmed = sum(1 for _, breach in outcome.breaches if breach.confirmed_at is not None)
    yield f"{len(outcome.alarms)} alarms, {confirmed} confirmed breaches, {len(outcome.distrust)} spells of distrust"


def _lines(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        missing = [name for name in columns if name not in (reader.fieldnames or ())]
        if missing:
            raise ReplayFileError(path, 1, f"no column {missing[0]!r}", ", ".join(columns))
        for line in reader:
            if None in line.values():
                raise ReplayFileError(path, reader.line_num, "too few columns", ", ".join(columns))
            yield reader.line_num, line


def _number(path: Path, number: int, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ReplayFileError(path, number, f"value {text!r}", "a number such as -18.5") from error


def _moment(path: Path, number: int, text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ReplayFileError(path, number, f"time {text!r}", "a time such as 2026-11-21T07:32:00Z") from error
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _text(at: int | None) -> str | None:
    if at is None:
        return None
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
