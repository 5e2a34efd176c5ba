"""A store and a way to hand flights to the ingest's transaction without a broker."""

from dataclasses import dataclass, field

import pytest

from cloud.ingest.book import Book
from cloud.ingest.flight import Flight
from cloud.ingest.outcome import Outcome
from cloud.ingest.transaction import place_waiting, take
from cloud.store import Store, open_store
from tests.support.sending_gateway import OFFSET, SendingGateway
from wire.messages import Ack
from wire.topics import Lane, Topic

NOW = OFFSET + 3_600_000


@dataclass
class Intake:
    store: Store
    book: Book = field(default_factory=Book)
    now: int = NOW

    def take(self, *flights: Flight) -> Outcome:
        with self.store.write() as connection:
            return take(connection, flights, self.book, self.now)

    def place_waiting(self) -> None:
        is_more = True
        while is_more:
            with self.store.write() as connection:
                _, is_more = place_waiting(connection, self.book, self.now)

    def enrol(self, gateway: SendingGateway) -> None:
        self.take(hello(gateway), flight(gateway, gateway.table.data, Lane.POINTS))

    def send(self, gateway: SendingGateway, *batches) -> Ack | None:
        """One flight; the acknowledgement, if there is one."""
        acks = list(self.take(batch_flight(gateway, *batches)).acknowledgements())
        return acks[0][1] if acks else None

    def all(self, sql: str) -> list[tuple]:
        with self.store.read() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(sql)]

    def one(self, sql: str):
        [[value]] = self.all(sql)
        return value

    def restart(self) -> None:
        self.book = Book(self.book.listed)


def flight(gateway, payload, lane):
    return Flight(Topic("s0", gateway.name, lane), payload)


def batch_flight(gateway, *batches):
    return flight(gateway, b"".join(batch.data for batch in batches), Lane.BATCH)


def hello(gateway, **changes):
    return flight(gateway, gateway.hello(**changes), Lane.HELLO)


@pytest.fixture
def intake(tmp_path):
    opened = open_store(f"sqlite:///{tmp_path}/coldlink.db")
    yield Intake(opened)
    opened.close()


@pytest.fixture
def gateway(intake):
    known = SendingGateway()
    intake.enrol(known)
    return known
