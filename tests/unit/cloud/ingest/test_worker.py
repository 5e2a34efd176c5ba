"""The ingest's thread, step by step and without a thread: poison, listeners, acknowledgement after commit."""

import pytest

from cloud.errors import StoreUnavailableError
from cloud.ingest import delivery
from cloud.ingest.book import Book
from cloud.ingest.handover import Handover
from cloud.ingest.stats import IngestStats
from cloud.ingest.worker import Worker
from tests.support.sending_gateway import SendingGateway, reading
from tests.unit.cloud.ingest.conftest import NOW, batch_flight, flight, hello
from wire.topics import Lane


class Desk:
    def __init__(self, intake):
        self.acks, self.told = [], []
        self.intake = intake
        self.worker = Worker(
            intake.store,
            Handover(),
            Book(),
            IngestStats(),
            now_ms=lambda: NOW,
            acknowledge=self._acknowledge,
            on_committed=self.told.append,
        )

    def _acknowledge(self, topic, ack):
        stored = self.intake.one(f"SELECT coalesce(max(through), 0) FROM cursor WHERE epoch = x'{ack.epoch.hex()}'")
        assert stored >= ack.through, "acknowledged before the commit"
        self.acks.append((topic.gateway, topic.lane, ack.through))
        return True


@pytest.fixture
def desk(intake):
    return Desk(intake)


@pytest.fixture
def others(intake):
    gateways = [SendingGateway(f"gw-{n:02d}") for n in range(2, 5)]
    for one in gateways:
        intake.enrol(one)
    return gateways


def test_several_gateways_share_one_commit(desk, others):
    desk.worker._take([batch_flight(one, one.seal([reading(1000)])) for one in others])
    assert desk.worker.stats.commits == 1
    assert desk.acks == [(one.name, Lane.ACK, 1) for one in others]
    assert desk.told[0].gateways == {one.name for one in others}


def test_a_batch_that_breaks_the_transaction_is_quarantined_and_blocks_nobody(desk, gateway, others, monkeypatch):
    poison, after = gateway.seal([reading(1000)]), gateway.seal([reading(2000)])
    honest = delivery.store_body

    def store_body(work, placed, body):
        honest(work, placed, body)
        if placed.gateway.name == gateway.name and body.series[0].times == [1000]:
            raise OverflowError("Python int too large to convert to SQLite INTEGER")

    monkeypatch.setattr(delivery, "store_body", store_body)
    flights = [batch_flight(one, one.seal([reading(1000)])) for one in others]
    desk.worker._take([*flights, batch_flight(gateway, poison, after)])
    assert {(name, through) for name, _, through in desk.acks} >= {("gw-01", 2), *((one.name, 1) for one in others)}
    assert desk.intake.all("SELECT gateway, reason FROM quarantine") == [("gw-01", "not_storable")]
    assert desk.intake.one("SELECT count(*) FROM reading") == 4


def test_a_listener_that_fails_changes_nothing_for_the_gateways(desk, gateway):
    desk.worker._on_committed = _fail
    desk.worker._take([batch_flight(gateway, gateway.seal([reading(1000)]))])
    assert desk.acks == [("gw-01", Lane.ACK, 1)]
    assert desk.intake.all("SELECT * FROM quarantine") == []


def test_the_newest_values_are_told_with_unit_and_reason(desk, gateway):
    desk.worker._take([batch_flight(gateway, gateway.seal([reading(1000), reading(2000, None, reason="timeout")]))])
    [value] = desk.told[0].newest
    assert (value.point, value.value, value.unit) == ("gw-01/probe-a/temperature", None, "Cel")
    assert (value.quality, value.reason) == ("bad", "timeout")


def test_a_reason_from_before_a_restart_still_has_its_name(desk, gateway):
    desk.worker._take([batch_flight(gateway, gateway.seal([reading(1000, None, reason="timeout")]))])
    again = Desk(desk.intake)
    again.worker._take([batch_flight(gateway, gateway.seal([reading(2000, None, reason="timeout")]))])
    assert again.told[0].newest[0].reason == "timeout"


def test_an_unavailable_store_is_not_taken_for_poison(desk, gateway, monkeypatch):
    monkeypatch.setattr(desk.worker._store, "write", _unavailable)
    with pytest.raises(StoreUnavailableError):
        desk.worker._take([batch_flight(gateway, gateway.seal([reading(1000)]))])
    assert desk.acks == []
    assert not desk.worker._book.condemned


def test_hello_and_points_are_answered_through_the_same_door(desk):
    newcomer = SendingGateway("gw-09")
    desk.worker._take([hello(newcomer)])
    desk.worker._take([flight(newcomer, newcomer.table.data, Lane.POINTS)])
    assert desk.acks == [("gw-09", Lane.ACK, 0)] * 2


def _fail(_committed):
    raise RuntimeError("the hub is gone")


def _unavailable():
    raise StoreUnavailableError("database is locked")
