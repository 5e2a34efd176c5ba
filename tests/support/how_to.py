"""Follows a how-to page word for word, as a newcomer would: writes its files, makes its edits, types its commands.

What a fenced block is for stands behind its language: ```yaml PATH is a file to write, ```diff PATH lines to add below
the line before them, ```console commands after `$ ` with what they print; `...` stands for anything.
"""

import re
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^```(\w+) *([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Step:
    kind: str
    path: str
    text: str


@dataclass(frozen=True)
class Command:
    line: str
    expected: tuple[str, ...]


def steps(page: Path) -> list[Step]:
    return [Step(*match.groups()) for match in _BLOCK.finditer(page.read_text("utf-8"))]


def write(step: Step, folder: Path) -> None:
    path = folder / step.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(step.text, "utf-8")


def amend(step: Step, folder: Path) -> None:
    """Each added line goes below the line that stands before it in the block."""
    path = folder / step.path
    lines = path.read_text("utf-8").splitlines()
    at = -1
    for row in step.text.splitlines():
        if row.startswith("+"):
            at += 1
            lines.insert(at, row[1:])
        else:
            at = lines.index(row[1:])
    path.write_text("\n".join(lines) + "\n", "utf-8")


def commands(step: Step) -> list[Command]:
    found: list[Command] = []
    for row in step.text.splitlines():
        if row.startswith("$ "):
            found.append(Command(row[2:], ()))
        else:
            found[-1] = Command(found[-1].line, (*found[-1].expected, row))
    return found


def missing(command: Command, printed: str) -> list[str]:
    """Expected lines that were not printed, in their order."""
    rows = iter(printed.splitlines())
    return [
        wanted
        for wanted in command.expected
        if wanted.strip() != "..." and not any(_pattern(wanted).fullmatch(row.strip()) for row in rows)
    ]


def _pattern(wanted: str) -> re.Pattern[str]:
    parts = [r"\s+".join(map(re.escape, part.split())) for part in wanted.strip().split("...")]
    return re.compile(r"\s*.*\s*".join(parts))
