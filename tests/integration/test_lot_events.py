"""The ledger of goods in a real database."""

import pytest

from cloud.lots import (
    BadEventError,
    ConflictingFactError,
    CycleError,
    EventKind,
    Item,
    LotEvent,
    LotFact,
    UnknownEventError,
    UnknownLotError,
    UnknownZoneError,
    event_by_id,
    events_after,
    events_of_lot,
    is_valid,
    lot_by_key,
    record_carrier,
    record_event,
    record_lot,
    residences_of_lot,
)
from cloud.store import open_store
from cloud.store.engine import _connect
from cloud.store.migrate import migrate, newest_version, version_of
from tests.support.measured_plant import SINCE, MeasuredPlant

HOUR = 3_600_000
T0 = SINCE + 1000 * HOUR
CRATE = "306f8c040400fbffffffffff"


@pytest.fixture
def plant(tmp_path):
    plant = MeasuredPlant(tmp_path)
    with plant.store.write() as connection:
        for key, kilograms in (("FLOCK", "2000"), ("CARCASS", "1500"), ("LEGS", "500"), ("BREAST", "400")):
            fact = LotFact(
                key=key, gtin="9521234543213", name_vi=key, name_en=key, quantity_kg=kilograms, created_at=T0
            )
            record_lot(connection, fact, now_ms=T0)
    yield plant
    plant.close()


def made(kind, inputs, outputs, at=T0, **facts):
    return LotEvent(
        kind=kind,
        at=at,
        by="Võ Thị Hạnh",
        inputs=tuple(Item(lot=lot) for lot in inputs),
        outputs=tuple(Item(lot=lot) for lot in outputs),
        **facts,
    )


SLAUGHTER = made(EventKind.SLAUGHTER, ["FLOCK"], ["CARCASS"], zone="dong-goi")
CUT = made(EventKind.CUT, ["CARCASS"], ["LEGS", "BREAST"], at=T0 + HOUR, zone="xuat-hang")


def way(connection, key):
    return [
        (stay.zone_id, stay.from_at, stay.until_at)
        for stay in residences_of_lot(connection, lot_by_key(connection, key).id)
    ]


def test_the_same_event_again_changes_nothing_and_another_with_its_id_is_refused(plant):
    with plant.store.write() as connection:
        taken = record_event(connection, SLAUGHTER, T0 + 5)
        assert taken.is_new
        assert not record_event(connection, SLAUGHTER, T0 + 9).is_new
        kept = event_by_id(connection, taken.event.event_id)
        assert (kept.event, kept.recorded_at, kept.corrected_at) == (taken.event, T0 + 5, None)
        other = made(EventKind.SLAUGHTER, ["FLOCK"], ["LEGS"], event_id=taken.event.event_id)
        with pytest.raises(ConflictingFactError):
            record_event(connection, other, T0 + 9)


def test_goods_are_where_their_events_say_until_they_are_used_up(plant):
    with plant.store.write() as connection:
        record_event(connection, CUT, T0 + 2 * HOUR)
        record_event(connection, SLAUGHTER, T0 + 3 * HOUR)
        assert way(connection, "CARCASS") == [(plant.zone_ids["dong-goi"], T0, T0 + HOUR)]
        assert way(connection, "LEGS") == [(plant.zone_ids["xuat-hang"], T0 + HOUR, None)]


def test_a_correction_takes_an_event_out_of_the_count_and_deletes_nothing(plant):
    with plant.store.write() as connection:
        wrong = record_event(connection, SLAUGHTER, T0 + 5).event
        correction = LotEvent(kind=EventKind.CORRECTION, at=T0 + 6, by="x", corrects=wrong.event_id)
        record_event(connection, correction, T0 + 7)
        assert way(connection, "CARCASS") == []
        [kept] = events_of_lot(connection, lot_by_key(connection, "CARCASS").id)
        assert (is_valid(kept), is_valid(kept, known_at=T0 + 6)) == (False, True)
        assert [each.event.kind for each in events_after(connection)] == ["slaughter", "correction"]
        record_event(connection, made(EventKind.CUT, ["CARCASS"], ["FLOCK"]), T0 + 8)  # no cycle: that was wrong


def test_a_lot_is_never_made_of_itself(plant):
    with plant.store.write() as connection:
        record_event(connection, SLAUGHTER, T0)
        record_event(connection, CUT, T0)
        for inputs, outputs in ((["LEGS"], ["FLOCK"]), (["BREAST"], ["CARCASS"]), (["LEGS"], ["LEGS"])):
            with pytest.raises(CycleError):
                record_event(connection, made(EventKind.REWORK, inputs, outputs), T0)


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        (made(EventKind.CUT, ["CARCASS"], ["NOTHING"]), UnknownLotError),
        (made(EventKind.CUT, ["CARCASS"], ["LEGS"], zone="moon"), UnknownZoneError),
        (LotEvent(kind=EventKind.CORRECTION, at=1, by="x", corrects="urn:x"), UnknownEventError),
    ],
)
def test_what_an_event_names_must_be_known(plant, wrong, refusal):
    with plant.store.write() as connection, pytest.raises(refusal):
        record_event(connection, wrong, T0)


def test_a_lot_put_into_a_carrier_goes_where_the_carrier_goes(plant):
    loading = LotEvent(kind=EventKind.AGGREGATE, at=T0, by="x", subjects=(Item(lot="LEGS"),), carrier=CRATE.upper())
    with plant.store.write() as connection:
        record_carrier(connection, epc=CRATE, kind="crate", name="C", now_ms=T0)
        taken = record_event(connection, loading, T0)
        plant.see(connection, CRATE, antenna=2, at=T0 + HOUR)
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM carrier_load").scalar() == 1
        with pytest.raises(BadEventError):
            correction = LotEvent(kind=EventKind.CORRECTION, at=1, by="x", corrects=taken.event.event_id)
            record_event(connection, correction, T0)


def test_a_database_of_the_first_version_with_lots_in_it_takes_the_ledger(tmp_path):
    url = f"sqlite:///{tmp_path}/old.db"
    old = _connect(url)
    with old.write() as connection:
        migrate(connection, "0001")
        connection.exec_driver_sql(
            "INSERT INTO lot (key, gtin, name_vi, name_en, created_at, recorded_at) VALUES ('OLD', '1', 'a', 'b', 0, 0)"
        )
        connection.exec_driver_sql("INSERT INTO carrier (epc, kind, name, recorded_at) VALUES ('ab', 'crate', '', 0)")
        connection.exec_driver_sql(
            "INSERT INTO carrier_load (carrier_id, lot_id, from_at, until_at, recorded_at) VALUES (1, 1, 5, 9, 0)"
        )
    old.close()
    store = open_store(url)
    with store.write() as connection:
        assert version_of(connection) == newest_version()
        record_event(connection, LotEvent(kind=EventKind.RECEIVE, at=1, by="x", subjects=(Item(lot="OLD"),)), 2)
        assert connection.exec_driver_sql("SELECT until_at, until_recorded_at FROM carrier_load").one() == (9, None)
    store.close()
