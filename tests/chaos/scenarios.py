"""Which faults of the list there are, in the order of the table, and which of them every CI run makes."""

from typing import NamedTuple

from tests.chaos import (
    bus_faults,
    clocks,
    cold_chains,
    crowds,
    fail_points,
    full_disks,
    ingest_deaths,
    kills,
    network,
    power,
    second_lives,
    spoilt_messages,
)
from tests.chaos.trial import CannotRun, Scenario, Trial


def elsewhere(why: str) -> Scenario:
    """A fault of the list that is not made here."""

    def scenario(_trial: Trial) -> None:
        raise CannotRun(why)

    return scenario


class Entry(NamedTuple):
    number: str  # as in the list of faults
    name: str
    scenario: Scenario
    is_quick: bool = True

    @property
    def title(self) -> str:
        return f"{self.number} {self.name}"


SCENARIOS = (
    Entry("1+4+6", "all killed, in turn and together", kills.kill_in_turn_and_together),
    Entry("1", "gateway killed", kills.kill_gateway, is_quick=False),
    Entry("2", "gateway's power cut", power.cut_gateway),
    Entry("2", "ingest's power cut", power.cut_ingest, is_quick=False),
    Entry("3", "killed at every write of the buffer", fail_points.sweep),
    Entry("4", "broker killed, wiped", kills.kill_broker, is_quick=False),
    Entry("5", "ingest dies before it acknowledges", ingest_deaths.before_acknowledgement),
    Entry("6", "ingest dies before it commits", ingest_deaths.before_commit),
    Entry("7", "database server stopped", elsewhere("comes with PostgreSQL"), is_quick=False),
    Entry("8", "gateway's disk full", full_disks.fill_gateway),
    Entry("8", "ingest's disk full", full_disks.fill_ingest, is_quick=False),
    Entry("9", "partition, flapping, one-way, half-open", network.bad_lines),
    Entry("9", "partition with real packets", network.partition, is_quick=False),
    Entry("10", "10 % loss on 64 kbit/s", network.crawl, is_quick=False),
    Entry("11", "messages spoilt, doubled, forged", spoilt_messages.spoil),
    Entry("12", "boots without a clock, jumps", clocks.lose_the_time),
    Entry("13", "certificates expire, rotate", elsewhere("comes with TLS"), is_quick=False),
    Entry("14", "ingest at a tenth of its speed", crowds.crawl, is_quick=False),
    Entry("15", "trouble on the serial line", bus_faults.trouble, is_quick=False),
    Entry("16", "soak", crowds.soak, is_quick=False),
    Entry("17", "virtual time, thousands of seeds", elsewhere("python -m tests.simulation"), is_quick=False),
    Entry("18", "a cold chain breaks meanwhile", cold_chains.warm_rooms, is_quick=False),
    Entry("19", "settings changed in an outage", second_lives.change_settings),
    Entry("20", "cloud restored from a backup", second_lives.restore_cloud),
    Entry("21", "gateway restored from an old card", second_lives.restore_card),
    Entry("21", "one card in two gateways", second_lives.clone_card),
)
