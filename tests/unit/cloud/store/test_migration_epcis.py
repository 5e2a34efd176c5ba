"""A database of the first version, with data, takes EPCIS events after the migration."""

from cloud.store.engine import Store
from cloud.store.migrate import migrate, version_of
from cloud.store.sqlite import reader_engine, writer_engine
from cloud.trace.epcis.books import events_by_id, record_event
from cloud.trace.epcis.document import read_captured


def test_lots_of_the_first_version_stay_and_events_can_be_recorded(tmp_path):
    url = f"sqlite:///{tmp_path}/old.db"
    store = Store(writer_engine(url), reader_engine(url))
    with store.write() as connection:
        migrate(connection, "0001")
        connection.exec_driver_sql(
            "INSERT INTO lot (key, gtin, name_vi, name_en, created_at, recorded_at)"
            " VALUES ('BM1', '09521234543213', 'a', 'a', 1, 1)"
        )
    with store.write() as connection:
        migrate(connection)
        raw = {"type": "ObjectEvent", "action": "OBSERVE", "eventTime": "2026-11-21T00:00:00Z"}
        raw |= {"eventTimeZoneOffset": "+07:00", "epcList": ["urn:uuid:1"], "eventID": "urn:uuid:2"}
        record_event(connection, read_captured(raw, {}), 5)
    with store.read() as connection:
        assert version_of(connection) >= "0004"
        assert connection.exec_driver_sql("SELECT key FROM lot").scalar_one() == "BM1"
        assert events_by_id(connection, "urn:uuid:2")[0].recorded_at == 5
    store.close()
