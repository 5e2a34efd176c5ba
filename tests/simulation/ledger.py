"""What was measured, independent of all code under test: every value is given out once, so each can be found again."""

from dataclasses import dataclass, field
from enum import IntEnum


class Fate(IntEnum):
    """The best that is known of a reading, so far."""

    READ = 0  # in memory when the process died, unless it is sealed later
    SEALED = 1  # on a card: must arrive
    EXCUSED = 2  # the card lost it, or was overwritten: may be missing, but then a gap says so


@dataclass(slots=True)
class Row:
    value: int
    true_ms: int
    boot: bytes
    point: int
    fate: Fate = Fate.READ


@dataclass
class Ledger:
    rows: dict[int, Row] = field(default_factory=dict)

    def give_out(self, true_ms: int, boot: bytes, point: int) -> int:
        value = len(self.rows) + 1
        self.rows[value] = Row(value, true_ms, boot, point)
        return value

    def seal(self, value: int) -> None:
        row = self.rows[value]
        row.fate = max(row.fate, Fate.SEALED)

    def excuse(self, value: int) -> None:
        self.rows[value].fate = Fate.EXCUSED
