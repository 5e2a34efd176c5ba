"""Which faults of the list there are, in the order of the table, and which of them every CI run makes."""

from typing import NamedTuple

from tests.chaos import kills
from tests.chaos.trial import Scenario


class Entry(NamedTuple):
    number: str  # as in the list of faults
    name: str
    scenario: Scenario
    is_quick: bool = True

    @property
    def title(self) -> str:
        return f"{self.number} {self.name}"


SCENARIOS = (
    Entry("1", "gateway killed", kills.kill_gateway),
    Entry("4", "broker killed, wiped", kills.kill_broker),
    Entry("1+4+6", "all killed, in turn and together", kills.kill_in_turn_and_together),
)
