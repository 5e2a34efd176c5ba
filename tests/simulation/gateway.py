"""A gateway: a card that survives, and lives of the agent's real sealer, buffer and conversation upon it."""

import random
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import cast

from edge.buffer.contract import Draft
from edge.buffer.sqlite import SqliteBuffer
from edge.clock import Clock, UtcNow
from edge.delivery.conversation import Conversation, Signal
from edge.delivery.resume import opening_entries
from edge.delivery.sealer import Sealer
from tests.simulation.ledger import Ledger
from tests.simulation.network import Network
from tests.simulation.world import Crash, World
from wire.batch import SealedBatch
from wire.body import decode_body
from wire.entries import Quality, Reading
from wire.messages import Ack
from wire.points import Point, PointTable
from wire.signature import SigningKey
from wire.topics import Lane, Topic

TABLE = PointTable((Point("probe", "temperature", "Cel", "air_temperature"), Point("scale", "weight", "kg", "mass")))
KEY = SigningKey(bytes(range(32)))
NAME = "gw-01"
EVERY_MS, FLUSH_MS = 1000, 5000

_folders = count()


class WatchedBuffer(SqliteBuffer):
    """The real buffer; the ledger learns what it has taken, and it can die at its two worst moments."""

    def __init__(self, card: "Card", quota_bytes: int, ledger: Ledger, dice: random.Random) -> None:
        self._ledger, self._card = ledger, card
        self.dies_before_commit = self.dies_after_commit = False
        self.last_append = (b"", 0, (), 0, 0)  # epoch, seq, values, size of the journal before and after
        super().__init__(card.file, NAME, KEY, quota_bytes, new_epoch=lambda: dice.randbytes(16))

    def append(self, draft: Draft) -> SealedBatch:
        before = self._journal_bytes()
        batch = super().append(draft)
        body = decode_body(draft.body, draft.first_at, draft.entries)
        values = tuple(mantissa for series in body.series for mantissa in series.mantissas if mantissa is not None)
        for value in values:
            self._ledger.seal(value)
        self._card.written.update(values)
        self.last_append = (batch.header.epoch, batch.header.seq, values, before, self._journal_bytes())
        if self.dies_after_commit:
            raise Crash
        return batch

    def _keep_acknowledged(self) -> None:
        if self.dies_before_commit:
            raise Crash
        super()._keep_acknowledged()

    def _journal_bytes(self) -> int:
        return self.journal.stat().st_size if self.journal.exists() else 0

    @property
    def journal(self) -> Path:
        return self._path.with_name(self._path.name + "-wal")


@dataclass
class Boot:
    """One boot of the machine, as the agent's TimeSource. `utc_error_ms` None: the kernel is not synchronised."""

    world: World
    boot_id: bytes
    began: int
    utc_error_ms: int | None

    def boot_ms(self) -> int:
        return self.world.now - self.began

    def utc(self) -> UtcNow | None:
        return None if self.utc_error_ms is None else UtcNow(self.world.now + self.utc_error_ms, 20)


@dataclass
class Card:
    """The files, and which values lie in them."""

    folder: Path
    written: set[int] = field(default_factory=set)

    @property
    def file(self) -> Path:
        return self.folder / "buffer.db"

    def copy(self) -> "Card":
        folder = self.folder.with_name(f"card-{next(_folders)}")
        shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns("*-shm", "*-ballast"))
        return Card(folder, set(self.written))


class Gateway:
    """A machine with power, a card in it, and at times a living agent."""

    def __init__(self, world: World, network: Network, ledger: Ledger, card: Card, quota_bytes: int) -> None:
        self.world, self.network, self.ledger, self.card = world, network, ledger, card
        self._quota_bytes = quota_bytes
        self._life = 0
        self.is_alive = False
        self.has_clock = self.is_measuring = True
        self.boot = self._new_boot()

    # ---- the machine

    def start(self) -> None:
        """The agent begins; on the same boot unless the power was cut."""
        if self.is_alive:
            return
        self._life += 1
        self.is_alive = True
        self.buffer = WatchedBuffer(self.card, self._quota_bytes, self.ledger, self.world.dice)
        self.buffer.keep_points(TABLE)
        self.dies_before_sending = False
        self._clock = Clock(self.boot)
        self.conversation = Conversation(
            self.buffer, points=TABLE.digest, key=KEY.public, agent="simulated", dice=self.world.dice
        )
        self.sealer = Sealer(
            self.buffer,
            self._clock,
            TABLE.digest,
            flush_s=FLUSH_MS / 1000,
            executor=cast("Executor", None),  # nothing of the simulation waits in threads
            on_sealed=lambda: None,
        )
        self.sealer.take(opening_entries(self.buffer, self._clock))
        self.world.tell(f"{self} starts: epoch {self.buffer.epoch.hex()[:6]}, next {self.buffer.next_seq}")
        self._while_alive(self._measure, 0)
        self._while_alive(self._flush, 1)
        self._reconnect()

    def kill(self) -> None:
        """As kill -9: what is on the card stays as it is at this moment, journal and all."""
        if not self.is_alive:
            return
        self.world.tell(f"{self} dies")
        self.is_alive = False
        self.network.cut(self)
        survived = self.card.copy()
        self.buffer._db.close()
        shutil.rmtree(self.card.folder)
        self.card = survived

    def cut_power(self, *, is_torn: bool = False) -> None:
        if self.is_alive:
            last = self.buffer.last_append
            self.kill()
            if is_torn:
                self._tear(last)
        self.boot = self._new_boot()

    def replace_card(self, card: Card) -> None:
        """With an older image of it: what was written since is gone from here."""
        self.kill()
        for value in self.card.written - card.written:
            self.ledger.excuse(value)
        shutil.rmtree(self.card.folder)
        self.card = card
        self.boot = self._new_boot()
        self.world.tell(f"{self} gets an old card")

    def image(self) -> Card:
        return self.card.copy()

    def synchronise(self, error_ms: int | None = 0) -> None:
        self.boot.utc_error_ms = error_ms

    def fill_disk(self, *, is_full: bool) -> None:
        """SQLite itself then says SQLITE_FULL."""
        if self.is_alive:
            pages = self.buffer._db.execute("PRAGMA page_count").fetchone()[0]
            self.buffer._db.execute(f"PRAGMA max_page_count = {pages if is_full else 1 << 30}")
            self.world.tell(f"{self} disk {'full' if is_full else 'free'}")

    def spoil_record(self) -> None:
        """A bit flips on the card in a batch that was not heard yet; the newest stays sound."""
        if not self.is_alive:
            return
        low, high = max(self.buffer.acknowledged + 1, self.buffer.oldest_seq), self.buffer.next_seq - 2
        if low > high:
            return
        id_ = self.buffer._id(self.world.dice.randint(low, high))
        row = self.buffer._db.execute("SELECT data FROM batch WHERE id = ?", (id_,)).fetchone()
        if row is None:
            return
        batch = self.buffer._rows.sound(row[0])
        if batch is None:
            return
        body = decode_body(batch.body, batch.header.first_at, batch.header.entries)
        for value in (value for series in body.series for value in series.mantissas if value):
            self.ledger.excuse(value)
        place = self.world.dice.randrange(len(row[0]))
        spoilt = row[0][:place] + bytes([row[0][place] ^ 1 << self.world.dice.randrange(8)]) + row[0][place + 1 :]
        self.buffer._db.execute("UPDATE batch SET data = ? WHERE id = ?", (spoilt, id_))
        self.world.tell(f"{self} batch {batch.header.seq} spoilt")

    @property
    def is_heard(self) -> bool:
        return self.is_alive and self.buffer.acknowledged + 1 == self.buffer.next_seq and not self.sealer._waiting

    def __str__(self) -> str:
        return f"gateway {self.boot.boot_id.hex()[:4]}"

    # ---- its line

    def connected(self) -> None:
        self._living(lambda: self._post(Signal.CONNECTED))

    def disconnected(self) -> None:
        self._living(lambda: self._post(Signal.DISCONNECTED))

    def hear(self, ack: Ack) -> None:
        if self.network.is_up(self):
            self._living(lambda: self._post(ack))

    def _reconnect(self) -> None:
        self._while_alive(lambda: self.network.connect(self), self.world.dice.uniform(50, 3000))

    def cut_line(self) -> None:
        self.network.cut(self)
        if self.is_alive:
            self._reconnect()

    # ---- the agent's life

    def _post(self, event: Signal | Ack) -> None:
        before = self.buffer.acknowledged
        messages = self.conversation.on(event, self.world.seconds)
        self.world.tell(
            f"{self} {event.name if isinstance(event, Signal) else f'ack {event.epoch.hex()[:6]} {event.through}'}"
            f" -> {self.conversation.phase.name} {before}..{self.buffer.acknowledged}/{self.buffer.next_seq}"
            f" {[lane.value for lane, _ in messages]}"
        )
        if self.dies_before_sending:
            raise Crash
        self._send(messages)
        wake_at = self.conversation.wake_at
        if wake_at is not None:
            self._while_alive(
                lambda: self._post(Signal.TIME) if self.conversation.wake_at == wake_at else None,
                max(0.0, (wake_at - self.world.seconds) * 1000) + 1,
            )

    def _send(self, messages: Sequence[tuple[Lane, bytes]]) -> None:
        for lane, payload in messages:
            self.network.publish(self, Topic("s0", NAME, lane), payload)

    def _measure(self) -> None:
        if not self.is_measuring:
            return
        at = self.boot.boot_ms()
        self.sealer.take(
            [
                Reading(
                    point, at, self.ledger.give_out(self.world.now, self.boot.boot_id, point), 0, Quality.GOOD, None
                )
                for point in range(len(TABLE.points))
            ]
        )
        self._while_alive(self._measure, EVERY_MS)

    def _flush(self) -> None:
        anchor = self._clock.look()
        if anchor is not None:
            self.sealer.take([anchor])
        if self.sealer.seal_waiting():
            self._post(Signal.SEALED)
        self._while_alive(self._flush, FLUSH_MS)

    def _while_alive(self, call: Callable[[], None], delay_ms: float) -> None:
        life = self._life
        self.world.after(delay_ms, lambda: self._living(call) if life == self._life else None)

    def _living(self, call: Callable[[], None]) -> None:
        if not self.is_alive:
            return
        try:
            call()
        except Crash:
            self.kill()
            self.world.after(self.world.dice.uniform(500, 8000), self.start)

    # ---- the card

    def _new_boot(self) -> Boot:
        error = 0 if self.has_clock else None
        return Boot(self.world, self.world.dice.randbytes(16), self.world.now, error)

    def _tear(self, last: tuple) -> None:
        epoch, seq, values, before, after = last
        journal = self.card.file.with_name("buffer.db-wal")
        if not epoch or after <= before or not journal.exists() or journal.stat().st_size != after:
            return
        with journal.open("r+b") as file:
            place = self.world.dice.randrange(before, after)
            file.seek(place)
            file.write(self.world.dice.randbytes(after - place))
        self.world.tell(f"{self} batch {seq} torn")
        for value in values:
            self.ledger.excuse(value)
            self.card.written.discard(value)
