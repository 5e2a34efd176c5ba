"""One row for each scenario, the table of a run, and its verdict: a row is clean, wrong (and why) or skipped (and why)."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any

COLUMNS = (
    "scenario",
    "seed",
    "produced",
    "committed_at_edge",
    "stored_unique",
    "LOST",
    "DUPLICATED",
    "corrupt_accepted",
    "gaps_declared",
    "max_buffer",
    "catchup_readings_per_s",
    "recovery_s_p50",
    "recovery_s_p95",
    "alarms_missed",
    "alarms_false",
)


@dataclass
class Row:
    """None is "this scenario does not ask that"."""

    scenario: str
    seed: int
    produced: int | None = None
    committed_at_edge: int | None = None
    stored_unique: int | None = None
    LOST: int | None = None
    DUPLICATED: int | None = None
    corrupt_accepted: int | None = None
    gaps_declared: int | None = None
    max_buffer: int | None = None  # batches sealed and not yet committed in the cloud
    catchup_readings_per_s: int | None = None
    alarms_missed: int | None = None
    alarms_false: int | None = None
    recoveries_s: list[float] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)  # what else was measured, by name
    wrong: list[str] = field(default_factory=list)
    skipped: str | None = None
    took_s: float = 0.0

    @property
    def is_clean(self) -> bool:
        return not self.wrong

    @property
    def recovery_s_p50(self) -> float | None:
        return _quantile(self.recoveries_s, 50)

    @property
    def recovery_s_p95(self) -> float | None:
        return _quantile(self.recoveries_s, 95)

    @property
    def verdict(self) -> str:
        """In one line; all of what was wrong is in the JSON."""
        if self.wrong:
            return "RED: " + "; ".join(one.splitlines()[0][:160] for one in self.wrong)
        return f"skipped: {self.skipped}" if self.skipped else "clean"

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in COLUMNS} | {
            "verdict": self.verdict,
            "wrong": self.wrong,
            "facts": self.facts,
            "took_s": round(self.took_s, 1),
        }


def as_table(rows: Iterable[Row]) -> str:
    shown = [[_text(getattr(row, name)) for name in COLUMNS] + [row.verdict] for row in rows]
    heads = [*COLUMNS, "verdict"]
    widths = [max(len(line[place]) for line in [heads, *shown]) for place in range(len(COLUMNS))]
    return "\n".join(_aligned(line, widths) for line in [heads, *shown])


def write_results(path: Path, facts: dict[str, Any], rows: Sequence[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(facts | {"rows": [row.as_dict() for row in rows]}, indent=1) + "\n")


def _aligned(line: list[str], widths: list[int]) -> str:
    first, *numbers = (
        text.ljust(width) if at == 0 else text.rjust(width)
        for at, (text, width) in enumerate(zip(line, widths, strict=False))
    )
    return "  ".join([first, *numbers, line[-1]])


def _text(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def _quantile(values: list[float], percent: int) -> float | None:
    if not values:
        return None
    if len(values) == 1:
        return round(values[0], 2)
    return round(quantiles(values, n=100, method="inclusive")[percent - 1], 2)
