"""Checks the checker: the real programs with one promise broken on purpose. Each must turn the suite red.

    python -m tests.chaos.mutations no-fsync coldlink edge run gateway.yaml

The product has no switches for this; what is patched here are its own classes, in this process only. A patch that no
longer fits the product raises, so that no mutation can become harmless unnoticed.
"""

import dataclasses
import importlib
import runpy
import sys
import time
from collections.abc import Callable
from typing import Any


def no_fsync() -> None:
    """(a) The buffer commits without waiting for the disk."""
    sqlite = importlib.import_module("edge.buffer.sqlite")
    opened = _demand(sqlite, "open_file")

    def careless(path: Any) -> Any:
        database = opened(path)
        database.execute("PRAGMA synchronous=OFF")
        return database

    sqlite.open_file = careless


def forget_on_puback() -> None:
    """(b) The gateway deletes what the broker has taken, as if that were a receipt."""
    uplink = importlib.import_module("edge.delivery.uplink").Uplink
    split_flight = importlib.import_module("wire.batch").split_flight
    init = uplink.__init__

    def hasty(self: Any, buffer: Any, *arguments: Any, **keywords: Any) -> None:
        init(self, buffer, *arguments, **keywords)
        publish = _demand(self._link, "publish")

        def believe(topic: str, payload: bytes, qos: int) -> Any:
            publication = publish(topic, payload, qos)
            if topic.endswith("/batch") and publication is not None and _is_taken(publication):
                _forget(buffer, split_flight(payload)[0][-1].header.seq)
            return publication

        self._link.publish = believe

    uplink.__init__ = hasty


def _is_taken(publication: Any) -> bool:
    until = time.monotonic() + 2
    while not publication.is_done and time.monotonic() < until:
        time.sleep(0.005)
    return bool(publication.is_done)


def _forget(buffer: Any, through: int) -> None:
    with buffer._lock:
        buffer._db.execute("DELETE FROM batch WHERE id <= ?", (_demand(buffer, "_id")(through),))
        buffer._state = dataclasses.replace(buffer._state, oldest=through + 1)
    buffer.acknowledge(through)


def no_dedupe() -> None:
    """(c) The ingest takes what it has taken before, and its tables no longer refuse doubles."""
    delivery = importlib.import_module("cloud.ingest.delivery")
    verdicts = importlib.import_module("cloud.ingest.verdict").Verdict
    outcomes = importlib.import_module("cloud.ingest.outcome").Outcome
    judge, move = _demand(delivery, "judge"), _demand(outcomes, "move")

    def gullible(*arguments: Any) -> Any:
        verdict = judge(*arguments)
        return verdicts.TAKE if verdict is verdicts.REPEATED else verdict

    def forward(self: Any, gateway: Any, epoch: bytes, cursor: Any) -> None:
        known = self.cursors.get((gateway.id, epoch), cursor)
        move(self, gateway, epoch, max(known, cursor, key=lambda one: one.through))

    delivery.judge, outcomes.move = gullible, forward
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
