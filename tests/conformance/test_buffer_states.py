"""Any life of the durable buffer against a list: appends, acknowledgements, deaths, torn writes, a full disk, bad bits."""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from edge.buffer.contract import BufferFull, Draft
from edge.buffer.sqlite import SqliteBuffer
from wire.batch import open_batch
from wire.body import decode_body, encode_body
from wire.entries import Quality, Reading
from wire.signature import SigningKey

KEY = SigningKey(bytes(range(32)))
BOOT = bytes(range(16))
PAGES_WITHOUT_LIMIT = 1 << 30


class BufferLife(RuleBasedStateMachine):
    """The model: every value that was appended, in order, and up to where the cloud has heard."""

    @initialize()
    def open(self):
        self.folder = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
        self.buffer = self._opened()
        self.unheard: list[int] = []  # values that must still be sent
        self.heard: set[int] = set()  # may be sent again when a torn write made a new epoch necessary
        self.spoilt: set[int] = set()
        self.may_be_torn: int | None = None  # the last append, until the next one is on top of it
        self.number = 0
        self.clock = 0
        self.is_full = False

    def teardown(self):
        if hasattr(self, "buffer"):
            self.buffer._db.close()
            shutil.rmtree(self.folder)

    @rule(size=st.integers(1, 40), jump=st.integers(-5000, 60_000))
    def append(self, size, jump):
        """The clock may jump either way; the order of appends is what counts."""
        self.clock = max(0, self.clock + jump)
        self.number += 1
        readings = [Reading(0, self.clock + n, self.number, 0, Quality.GOOD, None) for n in range(size)]
        body = encode_body(readings, self.clock)
        before = self._journal_size()
        try:
            batch = self.buffer.append(Draft(BOOT, None, self.clock, self.clock + size, size, bytes(16), body))
        except BufferFull:
            assert self.is_full
            return
        assert batch.header.seq == self.buffer.next_seq - 1
        self.unheard.append(self.number)
        self.may_be_torn = before if self._journal_size() > before else None

    @rule(share=st.floats(0, 1))
    def acknowledge(self, share):
        """The ingest says how far it is; it never names what it does not have."""
        first, last = self.buffer.acknowledged, self.buffer.next_seq - 1
        through = first + round(share * (last - first))
        heard = {value for seq in range(first + 1, through + 1) for value in self._values(seq)}
        self.buffer.acknowledge(through)
        self.heard |= heard
        self.unheard = [value for value in self.unheard if value not in heard]

    @rule()
    def begin_epoch(self):
        if self.is_full:
            return
        before = self.buffer.epoch
        self.buffer.begin_epoch(self.buffer.acknowledged)
        assert self.buffer.epoch != before
        self.may_be_torn = None
        self.unheard = [value for value in self.unheard if value not in self.spoilt]

    @rule()
    def die_and_start(self):
        self._die()
        self._start()

    @precondition(lambda self: self.may_be_torn is not None)
    @rule(garbage=st.binary(min_size=1, max_size=40), share=st.floats(0, 1))
    def tear_the_last_write(self, garbage, share):
        """Only the write that was under way when the power went; what was committed before stays."""
        epoch, before = self.buffer.epoch, self.buffer.next_seq
        self._die()
        journal = self.folder / "buffer.db-wal"
        with journal.open("r+b") as file:
            place = round(self.may_be_torn + share * (journal.stat().st_size - self.may_be_torn - 1))
            file.seek(place)
            file.write((garbage * 4096)[: journal.stat().st_size - place])
        self._start()
        if self.buffer.epoch == epoch:
            assert before - 1 <= self.buffer.next_seq <= before
            if self.buffer.next_seq < before and self.unheard:
                self.unheard.pop()

    @rule(is_full=st.booleans())
    def fill_disk(self, is_full):
        pages = self.buffer._db.execute("PRAGMA page_count").fetchone()[0]
        self.buffer._db.execute(f"PRAGMA max_page_count = {pages if is_full else PAGES_WITHOUT_LIMIT}")
        self.is_full = is_full

    @precondition(lambda self: self.buffer.next_seq - self.buffer.acknowledged > 2)
    @rule(share=st.floats(0, 1), bit=st.integers(0, 7))
    def flip_a_bit(self, share, bit):
        """Of a batch that is not the newest: the chain's head is in hand, and on the disk that was just written."""
        last = self.buffer.next_seq - 2
        seq = self.buffer.acknowledged + 1 + round(share * (last - self.buffer.acknowledged - 1))
        id_ = self.buffer._id(seq)
        (data,) = self.buffer._db.execute("SELECT data FROM batch WHERE id = ?", (id_,)).fetchone()
        values = set(self._values(seq))
        place = round(share * (len(data) - 1))
        spoilt = data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]
        self.buffer._db.execute("UPDATE batch SET data = ? WHERE id = ?", (spoilt, id_))
        self.may_be_torn = None
        self.spoilt ^= values  # the same bit twice makes it sound again

    @invariant()
    def everything_unheard_is_sent_once_and_in_order(self):
        if not hasattr(self, "buffer"):
            return
        sent, after = [], self.buffer.acknowledged
        while after < self.buffer.next_seq - 1:
            flight = self.buffer.flight(after, 1 << 20)
            for data in flight:
                sent += self._values_of(data)
            gone = None if flight else self.buffer.gone(after)
            assert flight or (gone and gone.first == after + 1)
            after = after + len(flight) if flight else gone.last
        assert [value for value in sent if value not in self.spoilt | self.heard] == [
            value for value in self.unheard if value not in self.spoilt
        ]

    def _opened(self):
        return SqliteBuffer(self.folder / "buffer.db", "gw-01", KEY, 100 << 20)

    def _die(self):
        """As kill -9: the files as they are, without the tidying-up of a close."""
        copy = self.folder.with_name(self.folder.name + "-copy")
        shutil.copytree(self.folder, copy, ignore=shutil.ignore_patterns("*-shm", "*-ballast"))
        self.acknowledged = self.buffer.acknowledged
        self.buffer._db.close()
        shutil.rmtree(self.folder)
        copy.rename(self.folder)

    def _start(self):
        self.buffer = self._opened()
        self.is_full, self.may_be_torn = False, None
        assert self.buffer.acknowledged <= self.acknowledged
        if self.acknowledged < self.buffer.next_seq:
            self.buffer.acknowledge(self.acknowledged)  # the ingest says it again on connecting
        else:  # it has heard what the torn write took: another history
            self.buffer.begin_epoch(self.buffer.acknowledged)

    def _journal_size(self):
        journal = self.folder / "buffer.db-wal"
        return journal.stat().st_size if journal.exists() else 0

    def _values(self, seq):
        row = self.buffer._db.execute("SELECT data FROM batch WHERE id = ?", (self.buffer._id(seq),)).fetchone()
        return [] if row is None or self.buffer._rows.sound(row[0]) is None else self._values_of(row[0])

    def _values_of(self, data):
        batch = open_batch(data)
        body = decode_body(batch.body, batch.header.first_at, batch.header.entries)
        return sorted({value for one in body.series for value in one.mantissas})


BufferLife.TestCase.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestBufferLife = pytest.mark.timeout(300)(BufferLife.TestCase)
