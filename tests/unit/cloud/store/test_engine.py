"""The door to the database keeps its promises on a real file."""

import threading

import pytest
import sqlalchemy
from sqlalchemy.exc import OperationalError

from cloud.errors import StoreRefusedError, StoreUnavailableError
from cloud.store import open_store
from cloud.store.migrate import newest_version, version_of


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/coldlink.db"


@pytest.fixture
def store(url):
    opened = open_store(url)
    yield opened
    opened.close()


def _put(connection, key):
    connection.exec_driver_sql("INSERT INTO setting (key, value) VALUES (?, '')", (key,))


def _keys(store):
    """What this test wrote; migrations keep settings of their own, whose names have a dot or an underscore."""
    with store.read() as connection:
        keys = connection.exec_driver_sql("SELECT key FROM setting ORDER BY key").scalars().all()
    return [key for key in keys if key.isalnum()]


def test_an_empty_database_reaches_the_newest_version(store):
    with store.read() as connection:
        assert version_of(connection) == newest_version()


def test_opening_again_changes_nothing(url, store):
    with store.write() as connection:
        _put(connection, "kept")
    store.close()
    again = open_store(url)
    assert _keys(again) == ["kept"]
    again.close()


def test_commits_reach_the_disk_before_write_returns(store):
    with store.write() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_a_failed_block_leaves_nothing(store):
    with pytest.raises(ZeroDivisionError), store.write() as connection:
        _put(connection, "gone")
        _ = 1 / 0
    assert _keys(store) == []


def test_a_reader_cannot_write(store):
    with pytest.raises(StoreUnavailableError), store.read() as connection:
        _put(connection, "no")


def test_a_reader_sees_one_picture_while_a_writer_commits(store):
    with store.read() as connection:
        before = connection.exec_driver_sql("SELECT count(*) FROM setting").scalar()
        with store.write() as writing:
            _put(writing, "new")
        assert connection.exec_driver_sql("SELECT count(*) FROM setting").scalar() == before
    assert _keys(store) == ["new"]


def test_writers_take_turns(store):
    def write(name):
        for turn in range(10):
            with store.write() as connection:
                _put(connection, f"{name}{turn}")

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(_keys(store)) == 40


def test_a_database_from_the_future_is_refused(url, store):
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    store.close()
    with pytest.raises(StoreRefusedError, match="9999"):
        open_store(url)


def test_an_unmigrated_database_is_refused_when_migration_is_left_to_a_person(url):
    with pytest.raises(StoreRefusedError, match="cloud migrate"):
        open_store(url, migrate_first=False)


@pytest.mark.parametrize("wrong", ["sqlite://", "sqlite:///:memory:", "not a url"])
def test_only_a_database_that_lasts_is_opened(wrong):
    with pytest.raises(StoreRefusedError):
        open_store(wrong)


def test_every_table_of_the_first_version_is_there(store):
    with store.read() as connection:
        found = set(sqlalchemy.inspect(connection).get_table_names())
    assert found >= {
        *("gateway", "cursor", "point_table", "series", "clock", "anchor", "batch", "quarantine"),
        *("reason", "reading", "latest", "sighting", "weighing", "gap", "setting"),
        *("site", "zone", "installation", "read_point", "dirty_zone", "dirty_carrier"),
        *("product", "lot", "carrier", "carrier_load", "lot_move", "residence"),
        *("limit_rule", "breach", "breach_checkpoint", "alarm", "alarm_event"),
    }


def test_a_driver_error_says_that_trying_again_may_help(store):
    with pytest.raises(StoreUnavailableError) as caught, store.write() as connection:
        connection.connection.cursor().execute("SELECT * FROM nowhere")
    assert not isinstance(caught.value.__cause__, OperationalError)
