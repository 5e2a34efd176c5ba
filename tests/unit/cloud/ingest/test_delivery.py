"""The delivery protocol, clause by clause, against a real database."""

from dataclasses import replace

import pytest

from cloud.ingest import quarantine as quarantine_module
from cloud.ingest.book import Book
from tests.support.sending_gateway import OFFSET, POINTS, SendingGateway, reading
from tests.unit.cloud.ingest.conftest import batch_flight, flight, hello
from wire.batch import seal
from wire.messages import Ack, Gone
from wire.points import Point, PointTable
from wire.topics import Lane

READINGS = "SELECT series_id, observed_at, value FROM reading ORDER BY 1, 2"


def quarantined(intake):
    return [reason for (reason,) in intake.all("SELECT reason FROM quarantine ORDER BY id")]


def test_a_batch_is_acknowledged_with_its_number_and_hash(intake, gateway):
    batch = gateway.seal([reading(1000), reading(2000, -193)])
    assert intake.send(gateway, batch) == Ack(gateway.epoch, 1, batch.hash)
    assert intake.all(READINGS) == [(1, OFFSET + 1000, -19.4), (1, OFFSET + 2000, -19.3)]


def test_a_flight_of_several_batches_is_taken_whole(intake, gateway):
    batches = [gateway.seal([reading(1000 * n)]) for n in range(1, 6)]
    assert intake.send(gateway, *batches) == Ack(gateway.epoch, 5, batches[-1].hash)


def test_a_repeated_batch_changes_nothing(intake, gateway):
    batch = gateway.seal([reading(1000)])
    first = intake.send(gateway, batch)
    before = intake.all("SELECT * FROM reading"), intake.all("SELECT id, received_at FROM batch")
    assert intake.send(gateway, batch) == first
    assert (intake.all("SELECT * FROM reading"), intake.all("SELECT id, received_at FROM batch")) == before


def test_a_hole_is_answered_with_what_is_committed(intake, gateway):
    first, _, third = (gateway.seal([reading(1000 * n)]) for n in (1, 2, 3))
    intake.send(gateway, first)
    assert intake.send(gateway, third) == Ack(gateway.epoch, 1, first.hash)
    assert len(intake.all(READINGS)) == 1
    assert quarantined(intake) == []


def test_the_same_number_with_other_content_is_evidence(intake, gateway):
    clone = SendingGateway()
    original = gateway.seal([reading(1000, -194)])
    intake.send(gateway, original)
    outcome = intake.take(batch_flight(gateway, clone.seal([reading(1000, 55)])))
    assert outcome.counts["conflicts"] == 1
    assert quarantined(intake) == ["conflict"]
    [(_, ack)] = outcome.acknowledgements()
    assert ack == Ack(gateway.epoch, 1, original.hash)  # by this hash the clone learns that it was not heard
    assert intake.all(READINGS) == [(1, OFFSET + 1000, -19.4)]


def test_a_broken_chain_is_evidence_and_is_not_taken(intake, gateway):
    clone = SendingGateway()
    clone.seal([reading(1000, 55)])
    first = gateway.seal([reading(1000)])
    intake.send(gateway, first)
    ack = intake.send(gateway, clone.seal([reading(2000, 56)]))
    assert ack == Ack(gateway.epoch, 1, first.hash)
    assert quarantined(intake) == ["chain_broken"]


def test_a_bad_signature_moves_nothing_and_is_asked_for_again(intake, gateway):
    first = gateway.seal([reading(1000)])
    intake.send(gateway, first)
    batch = gateway.seal([reading(2000)])
    spoilt = replace(batch, data=batch.data[:-1] + bytes([batch.data[-1] ^ 1]))
    assert intake.send(gateway, spoilt) == Ack(gateway.epoch, 1, first.hash)
    assert quarantined(intake) == ["bad_signature"]
    assert intake.send(gateway, batch) == Ack(gateway.epoch, 2, batch.hash)


def test_who_insists_on_a_bad_batch_is_kept_once_and_then_waits(intake, gateway):
    batch = gateway.seal([reading(1000)])
    spoilt = replace(batch, data=batch.data[:-1] + bytes([batch.data[-1] ^ 1]))
    assert intake.send(gateway, spoilt) is not None
    assert intake.send(gateway, spoilt) is None
    assert quarantined(intake) == ["bad_signature"]


def test_an_undecodable_body_is_committed_as_quarantined_with_a_gap(intake, gateway):
    bad = gateway.seal([reading(1000), reading(2000)], body=b"nonsense")
    good = gateway.seal([reading(3000)])
    assert intake.send(gateway, bad, good) == Ack(gateway.epoch, 2, good.hash)
    assert quarantined(intake) == ["not_deflate"]
    assert intake.all("SELECT reason, from_at, until_at FROM gap") == [("quarantined", OFFSET + 1000, OFFSET + 2000)]
    assert intake.send(gateway, bad) == Ack(gateway.epoch, 2, good.hash)
    assert quarantined(intake) == ["not_deflate"]


def test_a_point_outside_the_table_is_undecodable(intake, gateway):
    batch = gateway.seal([reading(1000, point=99)])
    assert intake.send(gateway, batch) == Ack(gateway.epoch, 1, batch.hash)
    assert quarantined(intake) == ["unknown_point"]


def test_a_batch_of_another_gateway_is_never_taken(intake, gateway):
    other = SendingGateway("gw-02")
    intake.enrol(other)
    foreign, own = other.seal([reading(1000, 999)]), gateway.seal([reading(1000)])
    assert intake.send(gateway, foreign, own) == Ack(gateway.epoch, 1, own.hash)
    assert quarantined(intake) == ["wrong_gateway"]
    assert len(intake.all(READINGS)) == 1


def test_a_flight_with_a_spoilt_end_gives_what_is_good(intake, gateway):
    good, cut = gateway.seal([reading(1000)]), gateway.seal([reading(2000)])
    spoilt = flight(gateway, good.data + cut.data[:-10], Lane.BATCH)
    [(_, ack)] = intake.take(spoilt).acknowledgements()
    assert ack == Ack(gateway.epoch, 1, good.hash)
    assert quarantined(intake) == ["truncated"]
    assert intake.send(gateway, cut) == Ack(gateway.epoch, 2, cut.hash)


def test_an_unknown_gateway_is_not_answered_and_nothing_is_kept(intake):
    stranger = SendingGateway("gw-99")
    outcome = intake.take(batch_flight(stranger, stranger.seal([reading(1000)])))
    assert outcome.counts["refused"] == 1
    assert not list(outcome.acknowledgements())
    assert quarantined(intake) == []


def test_an_unknown_point_table_is_asked_for_and_the_batch_waits(intake):
    gateway = SendingGateway()
    [(_, greeting)] = intake.take(hello(gateway)).acknowledgements()
    assert greeting == Ack(gateway.epoch, 0, None, want_points=POINTS.digest)
    batch = gateway.seal([reading(1000)])
    assert intake.send(gateway, batch) == Ack(gateway.epoch, 0, None, want_points=POINTS.digest)
    [(_, answer)] = intake.take(flight(gateway, POINTS.data, Lane.POINTS)).acknowledgements()
    assert answer == Ack(gateway.epoch, 0, None)
    assert intake.send(gateway, batch) == Ack(gateway.epoch, 1, batch.hash)


def test_a_new_table_keeps_the_series_of_points_that_stay(intake, gateway):
    intake.send(gateway, gateway.seal([reading(1000)]))
    gateway.table = PointTable((Point("new", "humidity", "%", "relative_humidity"), *POINTS.points))
    intake.take(flight(gateway, gateway.table.data, Lane.POINTS))
    intake.send(gateway, gateway.seal([reading(2000, point=1)]))
    assert [series for series, _, _ in intake.all(READINGS)] == [1, 1]
    assert intake.one("SELECT count(*) FROM series") == 5


def test_what_a_gateway_no_longer_has_is_a_gap_and_the_rest_goes_on(intake, gateway):
    first, _, _, fourth = (gateway.seal([reading(1000 * n)]) for n in (1, 2, 3, 4))
    intake.send(gateway, first)
    [(_, ack)] = intake.take(hello(gateway, oldest=4)).acknowledgements()
    assert ack == Ack(gateway.epoch, 3, None)
    assert intake.send(gateway, fourth) == Ack(gateway.epoch, 4, fourth.hash)
    [(reason, from_at, until_at, detail)] = intake.all("SELECT reason, from_at, until_at, detail FROM gap")
    assert (reason, from_at, until_at) == ("not_kept", OFFSET + 1000, OFFSET + 4000)
    assert "batches 2 to 3" in detail


@pytest.mark.parametrize("reason", ["thinned", "buffer_corrupt"])
def test_batches_that_cannot_come_are_a_gap_with_its_reason(intake, gateway, reason):
    first, _, _, fourth = (gateway.seal([reading(1000 * n)]) for n in (1, 2, 3, 4))
    intake.send(gateway, first)
    [(_, ack)] = intake.take(hello(gateway, gone=Gone(2, 3, reason))).acknowledgements()
    assert ack == Ack(gateway.epoch, 3, None)
    assert intake.send(gateway, fourth) == Ack(gateway.epoch, 4, fourth.hash)
    assert intake.all("SELECT reason, from_at, until_at FROM gap") == [(reason, OFFSET + 1000, OFFSET + 4000)]


@pytest.mark.parametrize("gone", [Gone(1, 2, "thinned"), Gone(4, 4, "buffer_corrupt")])
def test_an_old_word_about_what_is_gone_moves_nothing(intake, gateway, gone):
    """Said before the cloud was restored, or heard twice: it is not about the batch that comes next here."""
    sent = [gateway.seal([reading(1000 * n)]) for n in (1, 2, 3, 4)]
    intake.send(gateway, *sent[:2])
    [(_, ack)] = intake.take(hello(gateway, gone=gone)).acknowledgements()
    assert ack == Ack(gateway.epoch, 2, sent[1].hash)
    assert intake.all("SELECT * FROM gap") == []


def test_a_gateway_that_is_behind_learns_what_is_known_of_its_last_batch(intake, gateway):
    sent = [gateway.seal([reading(1000 * n)]) for n in (1, 2, 3)]
    intake.send(gateway, *sent)
    [(_, ack)] = intake.take(hello(gateway, following=3)).acknowledgements()
    assert (ack.through, ack.hash, ack.known) == (3, sent[2].hash, sent[1].hash)


def test_a_wiped_gateway_begins_a_new_epoch_and_loses_nothing_of_the_old(intake, gateway):
    intake.send(gateway, gateway.seal([reading(1000)]))
    gateway.begin_epoch(b"another epoch...")
    batch = gateway.seal([reading(2000)])
    [(_, greeting)] = intake.take(hello(gateway)).acknowledgements()
    assert greeting == Ack(gateway.epoch, 0, None)
    assert intake.send(gateway, batch) == Ack(gateway.epoch, 1, batch.hash)
    assert len(intake.all(READINGS)) == 2


def test_the_same_readings_sealed_again_in_a_new_epoch_stay_single(intake, gateway):
    intake.send(gateway, gateway.seal([reading(1000), reading(2000)]))
    gateway.begin_epoch(b"another epoch...")
    outcome = intake.take(batch_flight(gateway, gateway.seal([reading(1000), reading(2000), reading(3000)])))
    assert outcome.counts["collided"] == 2
    assert len(intake.all(READINGS)) == 3
    assert intake.all("SELECT reason FROM gap") == []


def test_two_values_at_one_instant_are_not_passed_over_in_silence(intake, gateway):
    intake.send(gateway, gateway.seal([reading(1000, 10)]))
    intake.send(gateway, gateway.seal([reading(1000, 11)]))
    assert intake.all(READINGS) == [(1, OFFSET + 1000, 1.0)]
    assert intake.all("SELECT reason, from_at FROM gap") == [("same_instant", OFFSET + 1000)]


def test_the_first_hello_pins_the_key(intake, gateway):
    impostor = SendingGateway("gw-01", seed=2)
    outcome = intake.take(hello(impostor))
    assert not list(outcome.acknowledgements())
    assert quarantined(intake) == ["other_key"]
    intake.send(gateway, gateway.seal([reading(1000)]))
    assert len(intake.all(READINGS)) == 1


def test_with_listed_gateways_no_other_gets_in(intake):
    listed, stranger = SendingGateway("gw-01"), SendingGateway("gw-02")
    intake.book = Book({"gw-01": listed.key.public})
    assert list(intake.take(hello(stranger)).acknowledgements()) == []
    assert len(list(intake.take(hello(listed)).acknowledgements())) == 1
    assert intake.all("SELECT name FROM gateway") == [("gw-01",)]


def test_a_key_changed_on_the_list_counts_from_the_next_hello(intake, gateway):
    renewed = SendingGateway("gw-01", seed=2)
    intake.book = Book({"gw-01": renewed.key.public})
    assert intake.send(gateway, gateway.seal([reading(1000)])) is None
    intake.enrol(renewed)
    assert intake.send(renewed, renewed.seal([reading(1000)])).through == 1


def test_an_ingest_started_anew_knows_where_it_was(intake, gateway):
    first, second = gateway.seal([reading(1000)]), gateway.seal([reading(2000)])
    intake.send(gateway, first)
    intake.restart()
    assert intake.send(gateway, first, second) == Ack(gateway.epoch, 2, second.hash)
    assert len(intake.all(READINGS)) == 2


def test_a_forged_batch_does_not_make_an_epoch(intake, gateway):
    stranger = SendingGateway("gw-01", seed=9)
    intake.send(gateway, stranger.seal([reading(1000)]))
    assert intake.one("SELECT count(*) FROM cursor") == 1


def test_a_batch_that_the_database_can_never_take_is_quarantined_in_its_place(intake, gateway):
    bad, good = gateway.seal([reading(1000)]), gateway.seal([reading(2000)])
    intake.book.condemned.add(bad.hash)
    assert intake.send(gateway, bad, good) == Ack(gateway.epoch, 2, good.hash)
    assert quarantined(intake) == ["not_storable"]


def test_quarantine_is_counted_beyond_what_it_keeps(intake, gateway, monkeypatch):
    monkeypatch.setattr(quarantine_module, "MOST_KEPT", 2)
    for n in range(5):
        outcome = intake.take(flight(gateway, b"junk %d" % n, Lane.BATCH))
        assert outcome.counts["quarantined"] == 1
    assert len(quarantined(intake)) == 2


@pytest.mark.parametrize("payload", [b"", b"\x00", b"{}", b"CLB1" + bytes(200), b'{"v":1}'])
@pytest.mark.parametrize("lane", [Lane.BATCH, Lane.HELLO, Lane.POINTS])
def test_junk_on_any_lane_ends_in_quarantine_or_nowhere(intake, gateway, lane, payload):
    intake.take(flight(gateway, payload, lane))
    assert intake.one("SELECT count(*) FROM batch") == 0


def test_an_epoch_begins_with_number_one_and_no_previous(intake, gateway):
    header = gateway.seal([reading(1000)]).header
    forked = seal(replace(header, prev=b"x" * 32), b"", gateway.key.sign)
    assert intake.send(gateway, forked) == Ack(gateway.epoch, 0, None)
    assert quarantined(intake) == ["chain_broken"]
