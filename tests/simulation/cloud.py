"""The cloud: the real worker, transaction and database, without its thread; it can die before and after a commit."""

import shutil
from itertools import count
from pathlib import Path

from cloud.ingest import failpoint
from cloud.ingest.book import Book
from cloud.ingest.flight import Flight
from cloud.ingest.handover import Handover
from cloud.ingest.stats import IngestStats
from cloud.ingest.worker import Worker
from cloud.store import Store, sqlite
from tests.simulation.network import Network
from tests.simulation.world import Crash, World
from wire.messages import Ack
from wire.topics import Lane, Topic

_folders = count()


class Cloud:
    """`template` is an empty migrated database."""

    def __init__(self, world: World, network: Network, folder: Path, template: Path) -> None:
        self.world, self.network, self._folder = world, network, folder
        self._file = folder / "cloud.db"
        shutil.copy(template, self._file)
        self.is_alive = self.is_slow = False
        self.dies_at: str | None = None
        self.violations: list[str] = []

    def start(self) -> None:
        if self.is_alive:
            return
        self.is_alive = True
        self.world.tell("ingest starts")
        url = f"sqlite:///{self._file}"
        self.store = Store(sqlite.writer_engine(url), sqlite.reader_engine(url))
        self._worker = Worker(
            self.store,
            Handover(),
            Book(),
            IngestStats(),
            now_ms=lambda: self.world.now,
            acknowledge=self._acknowledge,
            on_committed=lambda _committed: None,
        )
        self._waiting: list[Flight] = []
        self.world.after(self.world.dice.uniform(20, 2000), lambda: self.network.connect(self))

    def get_well(self) -> None:
        self.start()
        self.world.after(3000, lambda: self.network.connect(self) if self.is_alive else None)

    def kill(self) -> None:
        """What is committed stays. The files are copied first: closing a database tidies it up, a kill does not."""
        if not self.is_alive:
            return
        self.world.tell("ingest dies")
        self.is_alive, self.dies_at = False, None
        self.network.cut(self)
        survived = self._copy_files()
        self.store.close()
        self._take_files(survived)

    def backup(self) -> Path:
        return self._copy_files()

    def restore(self, backup: Path) -> None:
        self.kill()
        self._take_files(backup)
        self.world.tell("database restored from a backup")

    # ---- its line

    def connected(self) -> None:
        self._worker.greet_gateways()
        self._turn_soon()

    def disconnected(self) -> None:
        pass

    def take(self, topic: Topic, payload: bytes) -> None:
        if self.is_alive and self.network.is_up(self):
            self._waiting.append(Flight(topic, payload))
            self._turn_soon()

    def _turn_soon(self) -> None:
        worker = self._worker
        self.world.after(5000 if self.is_slow else 20, lambda: self._turn(worker))

    def _turn(self, worker: Worker) -> None:
        if not self.is_alive or worker is not self._worker:
            return
        flights, self._waiting = self._waiting, []
        reached, failpoint.reached = failpoint.reached, self._reached
        try:
            worker.turn(flights)
        except Crash:
            self.kill()
            self.world.after(self.world.dice.uniform(500, 8000), self.start)
        finally:
            failpoint.reached = reached

    def _reached(self, place: str) -> None:
        if place == self.dies_at:
            raise Crash

    def _acknowledge(self, topic: Topic, ack: Ack) -> bool:
        self._check_committed(ack)
        self.world.tell(f"ingest acknowledges {ack.epoch.hex()[:6]} {ack.through}")
        assert topic.lane is Lane.ACK
        return self.network.publish(self, topic, ack.encode())

    def _check_committed(self, ack: Ack) -> None:
        """With eyes of its own: another connection sees only what is committed."""
        with self.store.read() as connection:
            found = connection.exec_driver_sql("SELECT through FROM cursor WHERE epoch = ?", (ack.epoch,)).scalar()
        if (found or 0) < ack.through:
            self.violations.append(f"acknowledged {ack.through} of {ack.epoch.hex()}, committed {found}")

    # ---- its files

    def _copy_files(self) -> Path:
        target = self._folder / f"cloud-{next(_folders)}"
        target.mkdir()
        for suffix in ("", "-wal"):
            part = self._file.with_name(self._file.name + suffix)
            if part.exists():
                shutil.copy(part, target / part.name)
        return target

    def _take_files(self, folder: Path) -> None:
        for suffix in ("-wal", "-shm"):
            self._file.with_name(self._file.name + suffix).unlink(missing_ok=True)
        for part in folder.iterdir():
            shutil.copy(part, self._file.with_name(part.name))
        shutil.rmtree(folder)
