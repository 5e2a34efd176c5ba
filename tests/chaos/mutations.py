"""Checks the checker: the real programs with one promise broken on purpose. Each must turn the suite red.

    python -m tests.chaos.mutations no-fsync coldlink edge run gateway.yaml

The product has no switches for this; what is patched here are its own classes, in this process only. A patch that no
longer fits the product raises, so that no mutation can become harmless unnoticed.
"""

import importlib
import runpy
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any


def no_fsync() -> None:
    """(a) The buffer commits without waiting for the disk."""
    sqlite = importlib.import_module("edge.buffer.sqlite")
    connect = sqlite._connect

    def careless(*arguments: Any) -> Any:
        database = connect(*arguments)
        database.execute("PRAGMA synchronous=OFF")
        return database

    sqlite._connect = careless


def forget_on_puback() -> None:
    """(b) The gateway deletes what the broker has taken, as if that were a receipt."""
    uplink = importlib.import_module("edge.uplink").Uplink
    buffers = importlib.import_module("edge.buffer.sqlite").SqliteBuffer
    fly = uplink._fly

    async def hasty(self: Any, flight: Sequence[bytes], last_seq: int) -> bool:
        asked = self._link.publish

        def publish(*arguments: Any) -> Any:
            publication = asked(*arguments)
            if publication is not None:
                until = time.monotonic() + 2
                while not publication.is_done and time.monotonic() < until:
                    time.sleep(0.005)
                if publication.is_done:
                    forget(self._buffer, last_seq)
            return publication

        self._link.publish = publish
        try:
            return bool(await fly(self, flight, last_seq))
        finally:
            self._link.publish = asked

    def forget(buffer: Any, through: int) -> None:
        with buffer._lock:
            buffer._db.execute("DELETE FROM batch WHERE id <= ?", (buffer._id(through),))
        buffer._oldest_seq = through + 1
        buffer.acknowledge(through)

    _demand(buffers, "_id")
    uplink._fly = hasty


def no_dedupe() -> None:
    """(c) The ingest takes what it has taken before, and its tables no longer refuse doubles."""
    delivery = importlib.import_module("cloud.ingest.delivery")
    verdicts = importlib.import_module("cloud.ingest.verdict").Verdict
    judge = _demand(delivery, "judge")

    def gullible(*arguments: Any) -> Any:
        verdict = judge(*arguments)
        return verdicts.TAKE if verdict is verdicts.REPEATED else verdict

    delivery.judge = gullible
    store_package = importlib.import_module("cloud.store")
    opened = _demand(store_package, "open_store")

    def without_keys(*arguments: Any, **keywords: Any) -> Any:
        store = opened(*arguments, **keywords)
        with store.write() as connection:
            for table in ("reading", "batch"):
                _drop_keys(connection, table)
        return store

    store_package.open_store = without_keys  # whoever imports it from now on gets this one


def acknowledge_early() -> None:
    """(d) The acknowledgement goes out before the commit."""
    worker = importlib.import_module("cloud.ingest.worker")
    take = _demand(worker, "take")
    self_of: list[Any] = []
    run = worker.Worker.run

    def remembered(self: Any) -> None:
        self_of[:] = [self]
        run(self)

    def early(*arguments: Any) -> Any:
        outcome = take(*arguments)
        for flight, ack in outcome.acknowledgements():
            self_of[0]._answer(flight.topic._replace(lane=worker.Lane.ACK), ack)
        time.sleep(0.1)  # so that it is on its way before a commit or a death
        return outcome

    worker.Worker.run = remembered
    worker.take = early


MUTATIONS: dict[str, Callable[[], None]] = {
    "no-fsync": no_fsync,
    "forget-on-puback": forget_on_puback,
    "no-dedupe": no_dedupe,
    "acknowledge-early": acknowledge_early,
}


def launcher(name: str) -> list[str]:
    """What starts a mutated program: its module and arguments follow."""
    return [sys.executable, "-m", "tests.chaos.mutations", name]


def _demand(owner: Any, name: str) -> Any:
    if not hasattr(owner, name):
        raise AttributeError(f"{owner} has no {name} any more: the mutation has to follow the product")
    return getattr(owner, name)


def _drop_keys(connection: Any, table: str) -> None:
    """The same columns without any key but, where there is one, the row id."""
    columns = connection.exec_driver_sql(f"PRAGMA table_info({table})").fetchall()
    shape = ", ".join(f"{column[1]} {column[2]}" + (" PRIMARY KEY" if column[1] == "id" else "") for column in columns)
    connection.exec_driver_sql("PRAGMA legacy_alter_table = ON")
    connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO keyed_{table}")
    connection.exec_driver_sql(f"CREATE TABLE {table} ({shape})")
    connection.exec_driver_sql(f"INSERT INTO {table} SELECT * FROM keyed_{table}")
    connection.exec_driver_sql(f"DROP TABLE keyed_{table}")


def main() -> None:
    _, name, module, *arguments = sys.argv
    MUTATIONS[name]()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
