"""Whatever happens on the way, the rows are those of a database that had everything delivered once, in order."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloud.ingest.book import Book
from cloud.store import open_store
from tests.support.sending_gateway import OFFSET, SendingGateway, reading
from tests.unit.cloud.ingest.conftest import Intake, batch_flight, hello
from wire.entries import ClockAnchor

ROWS = (
    "SELECT gateway.name, series.device, reading.observed_at, reading.value, reading.detail FROM reading"
    " JOIN series ON series.id = reading.series_id JOIN gateway ON gateway.id = series.gateway_id ORDER BY 1, 2, 3"
)

steps = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.integers(1, 12), st.integers(1, 5)),  # from a number on, how many
        st.tuples(st.just("spoil"), st.integers(1, 12), st.integers(0, 400)),
        st.tuples(st.just("replay_from_other"), st.integers(1, 12), st.just(0)),
        st.tuples(st.just("restart"), st.just(0), st.just(0)),
        st.tuples(st.just("die_before_commit"), st.integers(1, 12), st.integers(1, 5)),
        st.tuples(st.just("wipe"), st.just(0), st.just(0)),
        st.tuples(st.just("hello"), st.just(0), st.just(0)),
    ),
    max_size=14,
)


class DiedError(Exception):
    pass


class World:
    """A gateway that knows what was acknowledged, an ingest that may die, and a way between that loses and repeats."""

    def __init__(self, url: str) -> None:
        self.intake = Intake(open_store(url))
        self.gateway, self.other = SendingGateway("gw-01"), SendingGateway("gw-02")
        self.intake.enrol(self.gateway)
        self.intake.enrol(self.other)
        self.at = 1000
        self.owed: set[tuple[str, str, int, float]] = set()
        self.seal_some()

    def seal_some(self) -> None:
        """Twelve batches; the third to fifth know no clock, the sixth tells it."""
        for n in range(1, 13):
            offset = None if n in {3, 4, 5} else OFFSET
            entries = [reading(self.at + k * 10, n * 100 + k, point=k % 2) for k in range(n % 4 + 1)]
            for one in entries:
                device = ("probe-a", "probe-b")[one.point]
                self.owed.add(("gw-01", device, OFFSET + one.at, one.mantissa / 10))
            if n == 6:
                entries.append(ClockAnchor(None, self.at, OFFSET + self.at, 5))
            self.gateway.seal(entries, offset=offset)
            self.at += 1000

    def step(self, what: str, number: int, count: int) -> None:
        batches = self.gateway.sent[number - 1 : number - 1 + count]
        if what == "send":
            self.intake.take(batch_flight(self.gateway, *batches))
            self.intake.place_waiting()
        elif what == "spoil":
            whole = self.gateway.sent[number - 1].data
            place = count % len(whole)
            data = whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :]
            self.intake.take(batch_flight(self.gateway, replace(self.gateway.sent[0], data=data)))
        elif what == "replay_from_other":
            self.intake.take(batch_flight(self.other, self.gateway.sent[number - 1]))
        elif what == "restart":
            self.intake.restart()
        elif what == "die_before_commit":
            self.die_before_commit(batches)
        elif what == "wipe":
            self.deliver_all()
            self.gateway.begin_epoch(self.at.to_bytes(16, "big"))
            self.seal_some()
        elif what == "hello":
            self.intake.take(hello(self.gateway))

    def die_before_commit(self, batches) -> None:
        from cloud.ingest.transaction import take

        with pytest.raises(DiedError), self.intake.store.write() as connection:
            take(connection, [batch_flight(self.gateway, *batches)], self.intake.book, self.intake.now)
            raise DiedError
        self.intake.book = Book()

    def deliver_all(self) -> None:
        """What the edge does until it is acknowledged."""
        ack = self.intake.send(self.gateway, self.gateway.sent[0])
        while ack.through < len(self.gateway.sent):
            ack = self.intake.send(self.gateway, *self.gateway.sent[ack.through : ack.through + 3])
        assert ack.hash == self.gateway.sent[-1].hash
        self.intake.place_waiting()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(story=steps)
def test_any_order_of_deliveries_leads_to_the_same_rows_once(tmp_path_factory, story):
    world = World(f"sqlite:///{tmp_path_factory.mktemp('model')}/coldlink.db")
    try:
        for step in story:
            world.step(*step)
        world.deliver_all()
        found = [row[:4] for row in world.intake.all(ROWS)]
        assert len(found) == len(set(found))
        assert set(found) == world.owed
        assert world.intake.one("SELECT count(*) FROM batch WHERE anchored = 0") == 0
    finally:
        world.intake.store.close()
