"""Every kind of entry gets its row and its place in time, now or when an anchor comes."""

import pytest

from cloud.ingest import placing
from cloud.store import readings
from cloud.store.detail import exact_text, is_time_uncertain, quality_of, reason_id_of
from tests.support.sending_gateway import BOOT, OFFSET, OTHER_BOOT, reading
from tests.unit.cloud.ingest.conftest import NOW
from wire.entries import ClockAnchor, Gap, Quality, Reading, Sighting, Weighing

EPC = "30340789000000000000002a"


def stored(intake, series_id=1):
    with intake.store.read() as connection:
        names = readings.reasons(connection)
        return [
            (at - OFFSET, exact_text(value, detail), quality_of(detail), names.get(reason_id_of(detail)))
            for at, value, detail in readings.range(connection, series_id, 0, 1 << 60)
        ]


def test_a_failed_measurement_is_stored_with_its_reason(intake, gateway):
    intake.send(gateway, gateway.seal([reading(1000), reading(2000, None, reason="timeout"), reading(3000, -200)]))
    assert stored(intake) == [
        (1000, "-19.4", Quality.GOOD, None),
        (2000, None, Quality.BAD, "timeout"),
        (3000, "-20.0", Quality.GOOD, None),
    ]


def test_no_value_without_a_reason_is_not_believed_to_be_good(intake, gateway):
    intake.send(gateway, gateway.seal([Reading(0, 1000, None, 0, Quality.GOOD, None)]))
    assert stored(intake) == [(1000, None, Quality.BAD, "no_value")]


def test_more_digits_than_the_database_holds_are_said_to_be_uncertain(intake, gateway):
    intake.send(gateway, gateway.seal([Reading(0, 1000, 2**53, 12, Quality.GOOD, None)]))
    [(_, _, quality, reason)] = stored(intake)
    assert (quality, reason) == (Quality.UNCERTAIN, "precision")


def test_sightings_and_weighings_have_their_own_rows(intake, gateway):
    seen = Sighting(3, 1000, 1500, EPC, 4, -52, None)
    weighed = Weighing(2, 2000, 485, 3, "kg", "net", is_stability_derived=True)
    intake.send(gateway, gateway.seal([seen, weighed]))
    assert intake.all("SELECT series_id, epc, observed_at, last_at, reads, rssi_dbm, antenna FROM sighting") == [
        (4, EPC, OFFSET + 1000, OFFSET + 1500, 4, -52, 0)
    ]
    assert intake.all("SELECT series_id, observed_at, value, decimals, unit, mode, stable_derived FROM weighing") == [
        (3, OFFSET + 2000, 0.485, 3, "kg", "net", 1)
    ]
    assert intake.all("SELECT epc, from_at FROM dirty_carrier") == [(EPC, OFFSET + 1000)]
    with intake.store.read() as connection:
        assert [(row.name, row.value) for row in readings.latest(connection)] == [("gw-01/scale/weight", 0.485)]


def test_a_gap_that_the_gateway_declares_is_kept_with_its_points(intake, gateway):
    gap = Gap("bus_down", None, 1000, 5000, (0, 1), "no answer")
    intake.send(gateway, gateway.seal([gap, reading(6000)]))
    assert intake.all("SELECT reason, from_at, until_at, series_id, detail FROM gap ORDER BY id") == [
        ("bus_down", OFFSET + 1000, OFFSET + 5000, 1, "no answer"),
        ("bus_down", OFFSET + 1000, OFFSET + 5000, 2, "no answer"),
    ]


def test_an_open_gap_is_closed_by_the_same_gap_with_an_end(intake, gateway):
    intake.send(gateway, gateway.seal([Gap("bus_down", None, 1000, None, None, ""), reading(2000)]))
    intake.send(gateway, gateway.seal([Gap("bus_down", None, 1000, 9000, None, "over"), reading(9000)]))
    assert intake.all("SELECT from_at, until_at, detail FROM gap") == [(OFFSET + 1000, OFFSET + 9000, "over")]


def test_a_gap_that_began_in_an_earlier_boot_is_placed_by_that_boots_clock(intake, gateway):
    intake.send(gateway, gateway.seal([reading(1000)]))
    gap = Gap("power_off", BOOT, 1000, 500, None, "")
    intake.send(gateway, gateway.seal([gap, reading(600)], boot=OTHER_BOOT, offset=OFFSET + 60_000))
    assert intake.all("SELECT from_at, until_at FROM gap") == [(OFFSET + 1000, OFFSET + 60_500)]


def test_readings_without_a_clock_wait_for_their_anchor(intake, gateway):
    waiting = gateway.seal([reading(1000)], offset=None)
    assert intake.send(gateway, waiting).through == 1
    assert stored(intake) == []
    anchor = ClockAnchor(BOOT, 9000, OFFSET + 9000, 20)
    intake.send(gateway, gateway.seal([anchor, reading(10, 1)], boot=OTHER_BOOT, offset=None))
    intake.place_waiting()
    assert stored(intake) == [(1000, "-19.4", Quality.GOOD, None)]
    assert intake.all("SELECT anchored, first_at FROM batch ORDER BY seq") == [(1, OFFSET + 1000), (0, None)]


def test_an_anchor_in_the_batch_itself_places_it_at_once(intake, gateway):
    anchor = ClockAnchor(None, 2000, OFFSET + 2000, 20)
    intake.send(gateway, gateway.seal([reading(1000), anchor], offset=None))
    assert len(stored(intake)) == 1


def test_a_batch_that_knows_the_time_anchors_those_of_its_boot_that_wait(intake, gateway):
    intake.send(gateway, gateway.seal([reading(1000)], offset=None))
    intake.send(gateway, gateway.seal([reading(2000)]))
    intake.place_waiting()
    assert [at for at, *_ in stored(intake)] == [1000, 2000]


def test_an_ingest_started_anew_goes_on_placing_what_waited(intake, gateway, monkeypatch):
    monkeypatch.setattr(placing, "RELEASED_AT_ONCE", 2)
    for n in range(1, 6):
        intake.send(gateway, gateway.seal([reading(1000 * n)], offset=None))
    intake.send(gateway, gateway.seal([ClockAnchor(None, 6000, OFFSET + 6000, 20)], offset=None))
    assert len(stored(intake)) == 0
    intake.restart()
    intake.place_waiting()
    assert [at for at, *_ in stored(intake)] == [1000, 2000, 3000, 4000, 5000]


@pytest.mark.parametrize(("error_ms", "is_uncertain"), [(1000, False), (1001, True)])
def test_an_unsure_anchor_gives_unsure_times(intake, gateway, error_ms, is_uncertain):
    anchor = ClockAnchor(None, 2000, OFFSET + 2000, error_ms)
    intake.send(gateway, gateway.seal([reading(1000), anchor], offset=None))
    [detail] = [detail for (detail,) in intake.all("SELECT detail FROM reading")]
    assert is_time_uncertain(detail) is is_uncertain


def test_a_reading_from_the_future_is_kept_flagged_and_never_the_newest(intake, gateway):
    ahead = NOW - OFFSET + 120_001
    intake.send(gateway, gateway.seal([reading(1000, 10), reading(ahead, 20)]))
    found = intake.all("SELECT observed_at, detail FROM reading ORDER BY observed_at")
    assert [is_time_uncertain(detail) for _, detail in found] == [False, True]
    assert intake.all("SELECT observed_at, value FROM latest") == [(OFFSET + 1000, 1.0)]


def test_a_late_batch_does_not_turn_the_newest_back(intake, gateway):
    intake.send(gateway, gateway.seal([reading(9000, 90)]))
    intake.send(gateway, gateway.seal([reading(1000, 10)]))
    assert intake.all("SELECT observed_at, value FROM latest") == [(OFFSET + 9000, 9.0)]


@pytest.fixture
def installed(intake):
    with intake.store.write() as connection:
        connection.exec_driver_sql("INSERT INTO site VALUES (1, 'plant', 'Nhà máy', 'Plant')")
        connection.exec_driver_sql("INSERT INTO zone VALUES (5, 1, 'kho-lanh-a', 'Kho lạnh A', 'Cold store A', 0)")
        connection.exec_driver_sql(
            "INSERT INTO installation VALUES (1, 'gw-01/probe-a/temperature', 5, 'air', ?, ?)",
            (OFFSET + 2000, OFFSET + 8000),
        )


@pytest.mark.usefixtures("installed")
def test_a_zone_is_marked_for_the_time_in_which_its_point_was_installed(intake, gateway):
    intake.send(gateway, gateway.seal([reading(1000), reading(5000), reading(9000), reading(3000, point=1)]))
    assert intake.all("SELECT zone_id, from_at, until_at FROM dirty_zone") == [(5, OFFSET + 2000, OFFSET + 8000)]


@pytest.mark.usefixtures("installed")
def test_readings_outside_the_installation_mark_nothing(intake, gateway):
    intake.send(gateway, gateway.seal([reading(1000)]))
    assert intake.all("SELECT * FROM dirty_zone") == []
