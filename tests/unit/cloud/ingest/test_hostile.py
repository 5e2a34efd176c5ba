"""Bytes from anywhere: no exception escapes, nothing corrupt is accepted, and what was spoilt is counted."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.sending_gateway import SendingGateway, reading
from tests.unit.cloud.ingest.conftest import Intake, flight
from wire.batch import seal
from wire.topics import Lane

_FIXTURE_LIVES_ON = [HealthCheck.function_scoped_fixture]


@settings(max_examples=150, deadline=None, suppress_health_check=_FIXTURE_LIVES_ON)
@given(lane=st.sampled_from([Lane.BATCH, Lane.HELLO, Lane.POINTS]), payload=st.binary(max_size=600))
def test_random_bytes_are_survived(intake: Intake, lane, payload):
    gateway = SendingGateway()
    intake.enrol(gateway)
    intake.take(flight(gateway, payload, lane))
    assert intake.one("SELECT count(*) FROM batch") == 0


@settings(max_examples=150, deadline=None, suppress_health_check=_FIXTURE_LIVES_ON)
@given(
    body=st.binary(max_size=300),
    entries=st.integers(0, 200_000),
    points=st.none() | st.binary(min_size=16, max_size=16),
)
def test_a_signed_batch_with_any_body_moves_on_or_asks(intake: Intake, body, entries, points):
    gateway = SendingGateway("gw-fuzz", seed=f"{body!r}{entries}{points!r}")
    intake.book.forget()
    with intake.store.write() as connection:
        connection.exec_driver_sql("UPDATE gateway SET public_key = NULL WHERE name = 'gw-fuzz'")
    intake.enrol(gateway)
    first = gateway.seal([reading(1000)])
    header = replace(first.header, entries=entries, points=points or first.header.points)
    batch = seal(header, body, gateway.key.sign)
    ack = intake.send(gateway, batch)
    assert ack.through == (1 if points in {None, gateway.table.digest} else 0)
    assert intake.one("SELECT count(*) FROM reading") == 0


def test_every_flipped_bit_is_refused_and_counted_once(intake, gateway):
    batch = gateway.seal([reading(1000), reading(2000)])
    injected = 0
    for place in range(0, len(batch.data), 3):
        data = batch.data[:place] + bytes([batch.data[place] ^ 1]) + batch.data[place + 1 :]
        outcome = intake.take(flight(gateway, data, Lane.BATCH))
        injected += 1
        assert outcome.counts["quarantined"] == 1
    assert intake.one("SELECT count(*) FROM quarantine") == injected
    assert intake.one("SELECT count(*) FROM reading") == 0
    assert intake.send(gateway, batch).through == 1


def test_every_truncation_is_refused(intake, gateway):
    batch = gateway.seal([reading(1000)])
    for length in range(1, len(batch.data), 5):
        assert intake.take(flight(gateway, batch.data[:length], Lane.BATCH)).counts["quarantined"] == 1
    assert intake.one("SELECT count(*) FROM reading") == 0
