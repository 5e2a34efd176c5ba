"""The door to the database: one writer at a time, readers beside it.

store.write()   one transaction, committed at the end of the block, nothing kept if it raises
store.read()    one consistent picture; writes are refused
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, InterfaceError

from cloud.errors import StoreRefusedError, StoreUnavailableError
from cloud.store import sqlite
from cloud.store.migrate import migrate, newest_version, version_of

_WRITER_PATIENCE_S = 30.0


class Store:
    """Thread-safe and blocking: from asyncio, go through `asyncio.to_thread`."""

    def __init__(self, writer: Engine, reader: Engine) -> None:
        self._writer = writer
        self._reader = reader
        self._turn = threading.Lock()
        driver = writer.dialect.loaded_dbapi
        self._troubles = (DatabaseError, InterfaceError, driver.DatabaseError)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        if not self._turn.acquire(timeout=_WRITER_PATIENCE_S):
            raise StoreUnavailableError(f"another writer has held the database for {_WRITER_PATIENCE_S:.0f} s")
        try:
            with self._writer.begin() as connection:
                yield connection
        except self._troubles as error:
            _raise_if_lasting(error)
            raise StoreUnavailableError(str(error)) from error
        finally:
            self._turn.release()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        try:
            with self._reader.connect() as connection:
                yield connection
        except self._troubles as error:
            _raise_if_lasting(error)
            raise StoreUnavailableError(str(error)) from error

    def close(self) -> None:
        self._reader.dispose()
        self._writer.dispose()


def open_store(url: str, *, migrate_first: bool | None = None) -> Store:
    """Opens the database; SQLite files are made and migrated unless told otherwise, servers only when told."""
    store = _connect(url)
    try:
        if migrate_first or (migrate_first is None and is_sqlite(url)):
            with store.write() as connection:
                migrate(connection)
        else:
            _refuse_other_versions(store)
    except BaseException:
        store.close()
        raise
    return store


def is_sqlite(url: str) -> bool:
    return make_url(url).get_backend_name() == "sqlite"


def _raise_if_lasting(error: Exception) -> None:
    """A broken promise of the schema or wrong SQL is ours to mend; a disk, a lock or a file may get well again."""
    if type(error).__name__ in {"IntegrityError", "ProgrammingError", "DataError", "NotSupportedError"}:
        raise error


def _connect(url: str) -> Store:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StoreRefusedError(f"{url!r} is not a database URL; a right one is sqlite:///coldlink.db") from error
    if parsed.get_backend_name() != "sqlite":
        engine = create_engine(parsed, pool_pre_ping=True)
        return Store(engine, engine)
    if not parsed.database or parsed.database == ":memory:":
        raise StoreRefusedError(
            "the database must be a file, so that what is acknowledged stays: sqlite:///coldlink.db"
        )
    Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    return Store(sqlite.writer_engine(url), sqlite.reader_engine(url))


def _refuse_other_versions(store: Store) -> None:
    with store.read() as connection:
        found = version_of(connection)
    if found != newest_version():
        raise StoreRefusedError(
            f"the database is at version {found or 'none'}, this program needs {newest_version()}: "
            "run `coldlink cloud migrate`"
        )
