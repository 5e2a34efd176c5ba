"""A card in two gateways is seen by the epoch that goes on; whatever is only late, restored or wiped is not accused."""

import pytest

from cloud.ingest.book import Beginning
from cloud.ingest.twins import SLACK_MS, has_gone_on
from tests.support.sending_gateway import SendingGateway, reading

SECOND = 1000
OTHER = b"another epoch..."


def evidence(intake):
    return [reason for (reason,) in intake.all("SELECT reason FROM quarantine ORDER BY id")]


def seal_and_send(intake, gateway, *seconds):
    for second in seconds:
        intake.send(gateway, gateway.seal([reading(second * SECOND)]))


@pytest.fixture
def twin(gateway):
    """The same card: key, name, epoch and history; it has begun an epoch of its own."""
    other = SendingGateway(gateway.name)
    other.begin_epoch(OTHER)
    return other


def test_an_epoch_that_goes_on_after_another_has_begun_is_evidence(intake, gateway, twin):
    seal_and_send(intake, gateway, 1, 2, 3)
    seal_and_send(intake, twin, 4, 5)
    assert evidence(intake) == []
    seal_and_send(intake, gateway, 20)
    assert evidence(intake) == ["two_histories"]
    assert intake.one("SELECT count(*) FROM reading") == 6  # it is evidence, and as good as any


def test_it_is_said_once_for_each_epoch(intake, gateway, twin):
    seal_and_send(intake, gateway, 1)
    seal_and_send(intake, twin, 2)
    seal_and_send(intake, gateway, 20, 30, 40)
    seal_and_send(intake, twin, 25, 35)
    assert evidence(intake) == ["two_histories"]


def test_what_an_ended_epoch_still_had_is_only_late(intake, gateway, twin):
    seal_and_send(intake, gateway, 1)
    late = [gateway.seal([reading(second * SECOND)]) for second in (5, 10)]
    seal_and_send(intake, twin, 11, 30)
    intake.send(gateway, *late)
    assert evidence(intake) == []


def test_a_wiped_gateway_is_no_twin(intake, gateway, twin):
    seal_and_send(intake, gateway, 1, 2)
    seal_and_send(intake, twin, 20, 30, 40)
    assert evidence(intake) == []


def test_an_ingest_started_anew_still_knows_both(intake, gateway, twin):
    seal_and_send(intake, gateway, 1)
    seal_and_send(intake, twin, 2)
    intake.restart()
    seal_and_send(intake, gateway, 20)
    assert evidence(intake) == ["two_histories"]


def test_a_clock_that_was_set_a_little_is_no_twin():
    own, other = Beginning(1, 0), Beginning(2, 10_000)
    assert not has_gone_on(10_000 + SLACK_MS, own, [other])
    assert has_gone_on(10_001 + SLACK_MS, own, [other])
    assert not has_gone_on(10_001 + SLACK_MS, own, [Beginning(2, None)])
