"""What a bench found: figures with their aims, as one table for people and one small file for comparison."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True)
class Figure:
    """One number. `aim` None: for information only."""

    bench: str
    name: str
    value: float
    unit: str
    aim: float | None = None
    better: Literal["lower", "higher"] = "lower"
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        if self.aim is None:
            return None
        return self.value <= self.aim if self.better == "lower" else self.value >= self.aim

    @property
    def aim_text(self) -> str:
        if self.aim is None:
            return ""
        return f"{'<=' if self.better == 'lower' else '>='} {plain(self.aim)}"

    @property
    def verdict(self) -> str:
        return {None: "", True: "met", False: "SHORT"}[self.is_met]


def plain(value: float) -> str:
    """Three significant digits or more: 0.0412, 41.2, 41,234."""
    size = abs(value)
    if size >= 1000 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.{1 if size >= 100 else 2 if size >= 1 else 3}f}"


def as_table(figures: Iterable[Figure]) -> str:
    head = ("bench", "figure", "value", "unit", "aim", "", "note")
    rows = [head, *((f.bench, f.name, plain(f.value), f.unit, f.aim_text, f.verdict, f.note) for f in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head) - 1)]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        text.rjust(width) if column == 2 else text.ljust(width)
        for column, (text, width) in enumerate(zip(row, widths, strict=False))
    ]
    return "  ".join([*cells, row[-1]]).rstrip()


def write_results(path: Path, facts: dict[str, Any], figures: Iterable[Figure]) -> None:
    """One figure a line, so that two results can be compared with diff."""
    lines = [json.dumps(_as_dict(figure), ensure_ascii=False) for figure in figures]
    path.parent.mkdir(parents=True, exist_ok=True)
    head = json.dumps(facts, ensure_ascii=False, indent=1).removesuffix("\n}")
    path.write_text(f'{head},\n "figures": [\n  ' + ",\n  ".join(lines) + "\n ]\n}\n", "utf-8")


def _as_dict(figure: Figure) -> dict[str, Any]:
    found = {key: value for key, value in asdict(figure).items() if value not in {None, ""}}
    found["value"] = float(f"{figure.value:.5g}")
    if figure.aim is None:
        del found["better"]
        return found
    return found | {"is_met": figure.is_met}


def percentile(ordered: Sequence[float], share: float) -> float:
    """The nearest-rank percentile of numbers in ascending order: an observed value, never one in between."""
    rank = max(1, -(-len(ordered) * round(share * 1000) // 1000))
    return ordered[rank - 1]
