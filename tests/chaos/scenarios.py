"""Which faults of the list there are, in the order of the table, and which of them every CI run makes."""

from typing import NamedTuple

from tests.chaos import ingest_deaths, kills, network, power, spoilt_messages
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
    Entry("2", "gateway's power cut", power.cut_gateway),
    Entry("2", "ingest's power cut", power.cut_ingest),
    Entry("4", "broker killed, wiped", kills.kill_broker),
    Entry("5", "ingest dies before it acknowledges", ingest_deaths.before_acknowledgement),
    Entry("6", "ingest dies before it commits", ingest_deaths.before_commit),
    Entry("9", "partition, flapping, one-way, half-open", network.bad_lines),
    Entry("9", "partition with real packets", network.partition),
    Entry("10", "10 % loss on 64 kbit/s", network.crawl),
    Entry("11", "messages spoilt, doubled, forged", spoilt_messages.spoil),
    Entry("1+4+6", "all killed, in turn and together", kills.kill_in_turn_and_together),
)
