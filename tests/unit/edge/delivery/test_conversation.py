"""The conversation, event by event; then any weather against an ingest that decides with the real code."""

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from edge.buffer.contract import BufferFull, Draft
from edge.buffer.memory import MemoryBuffer
from edge.delivery.conversation import Conversation, Phase, Signal
from wire.batch import NO_PREVIOUS, split_flight
from wire.body import encode_body
from wire.entries import Quality, Reading
from wire.messages import Ack, Gone, read_hello
from wire.points import Point, PointTable
from wire.signature import SigningKey
from wire.topics import Lane

KEY = SigningKey(bytes(range(32)))
TABLE = PointTable((Point("probe", "temperature", "Cel", "air_temperature"),))


def draft(number):
    reading = Reading(0, number * 1000, number, 1, Quality.GOOD, None)
    return Draft(bytes(16), None, number * 1000, number * 1000, 1, TABLE.digest, encode_body([reading], number * 1000))


def make_buffer(count=0, kind=MemoryBuffer):
    dice = random.Random(1)
    buffer = kind("gw-01", KEY, lambda: dice.randbytes(16))
    buffer.keep_points(TABLE)
    for number in range(1, count + 1):
        buffer.append(draft(number))
    return buffer


def converse(buffer):
    return Conversation(buffer, points=TABLE.digest, key=KEY.public, agent="test", dice=random.Random(1))


def ack_of(buffer, through, **more):
    return Ack(buffer.epoch, through, buffer.hash_at(through) if through else None, **more)


def lanes(messages):
    return [lane for lane, _ in messages]


def connected(buffer, heard=0):
    talk = converse(buffer)
    talk.on(Signal.CONNECTED, 0.0)
    messages = talk.on(ack_of(buffer, heard), 0.1)
    return talk, messages


def seqs(messages):
    [payload] = [payload for lane, payload in messages if lane is Lane.BATCH]
    return [batch.header.seq for batch in split_flight(payload)[0]]


def test_it_greets_and_sends_what_the_cursor_lacks():
    buffer = make_buffer(5)
    talk, messages = connected(buffer, heard=2)
    assert seqs(messages) == [3, 4, 5]
    assert talk.on(ack_of(buffer, 5), 0.2) == []
    assert (buffer.acknowledged, talk.phase) == (5, Phase.IDLE)


def test_a_new_batch_flies_at_once_when_nothing_is_in_the_air_and_waits_otherwise():
    buffer = make_buffer(1)
    talk, _ = connected(buffer)
    buffer.append(draft(2))
    assert talk.on(Signal.SEALED, 0.2) == []
    assert seqs(talk.on(ack_of(buffer, 1), 0.3)) == [2]


def test_no_answer_leads_to_the_same_bytes_again():
    buffer = make_buffer(2)
    talk, first = connected(buffer)
    assert lanes(talk.on(Signal.TIME, talk.wake_at + 0.001)) == [Lane.HELLO]
    assert talk.on(ack_of(buffer, 0), 20.0) == first


def test_silence_makes_it_rest_longer_each_time():
    talk = converse(make_buffer(1))
    talk.on(Signal.CONNECTED, 0.0)
    now, pauses = 0.0, []
    for _ in range(16):
        since, now = now, talk.wake_at
        if talk.phase is Phase.RESTING:
            pauses.append(now - since)
        talk.on(Signal.TIME, now)
    assert pauses[0] < 2 and max(pauses) > 7 and max(pauses) <= 22.5


def test_a_wanted_point_table_goes_before_the_batch():
    buffer = make_buffer(1)
    talk = converse(buffer)
    talk.on(Signal.CONNECTED, 0.0)
    assert lanes(talk.on(ack_of(buffer, 0, want_points=TABLE.digest), 0.1)) == [Lane.POINTS, Lane.BATCH]


def test_a_cloud_that_has_less_than_it_had_is_sent_it_again():
    buffer = make_buffer(4)
    talk, _ = connected(buffer, heard=4)
    assert lanes(talk.on(ack_of(buffer, 1), 5.0)) == [Lane.HELLO]
    assert seqs(talk.on(ack_of(buffer, 1), 5.1)) == [2, 3, 4]


def test_an_acknowledgement_of_another_history_begins_a_new_epoch_with_what_was_not_heard():
    buffer = make_buffer(4)
    talk, _ = connected(buffer, heard=2)
    epoch = buffer.epoch
    messages = talk.on(Ack(epoch, 4, b"x" * 32), 0.5)
    assert buffer.epoch != epoch
    assert read_hello(messages[0].payload).epoch == epoch  # the old one is settled first
    messages = talk.on(Ack(epoch, 4, b"x" * 32, known=buffer.hash_at(2, epoch)), 0.6)
    assert read_hello(messages[0].payload).epoch == buffer.epoch
    [first, second] = split_flight(talk.on(ack_of(buffer, 0), 0.7)[0].payload)[0]
    assert (first.header.first_at, second.header.first_at) == (3000, 4000)


def test_a_cloud_that_forgot_what_it_had_acknowledged_gets_that_again_too():
    buffer = make_buffer(4)
    talk, _ = connected(buffer, heard=2)
    epoch = buffer.epoch
    talk.on(Ack(epoch, 4, b"x" * 32), 0.5)
    talk.on(Ack(epoch, 4, b"x" * 32, known=b"y" * 32), 0.6)
    payload = talk.on(ack_of(buffer, 0), 0.7)[0].payload
    assert sorted(batch.header.first_at for batch in split_flight(payload)[0]) == [1000, 2000, 3000, 4000]


def test_epochs_that_ended_are_settled_when_the_cloud_was_restored():
    buffer = make_buffer(3)
    buffer.acknowledge(3)
    old = buffer.epoch
    buffer.begin_epoch(3)
    buffer.append(draft(4))
    talk = converse(buffer)
    hello = read_hello(talk.on(Signal.CONNECTED, 0.0)[0].payload)
    assert (hello.epoch, hello.next) == (old, 4)
    assert seqs(talk.on(Ack(old, 1, buffer.hash_at(1, old)), 0.1)) == [2, 3]
    hello = read_hello(talk.on(Ack(old, 3, buffer.hash_at(3, old)), 0.2)[0].payload)
    assert hello.epoch == buffer.epoch
    assert seqs(talk.on(ack_of(buffer, 0), 0.3)) == [1]


def test_a_declared_loss_that_is_not_ours_is_not_believed():
    """Two gateways from one card: what the other declared lost, this one still has."""
    buffer = make_buffer(4)
    talk, _ = connected(buffer, heard=1)
    epoch = buffer.epoch
    talk.on(Ack(epoch, 3, None), 0.5)
    assert buffer.epoch != epoch


def test_what_is_gone_is_said_and_the_rest_goes_on():
    class Holed(MemoryBuffer):
        def flight(self, after, max_bytes, epoch=None):
            return [] if after == 1 else super().flight(after, 1, epoch)

        def gone(self, after, epoch=None):
            return Gone(2, 2, "buffer_corrupt") if after == 1 else None

    buffer = make_buffer(3, Holed)
    talk, _ = connected(buffer)
    hello = read_hello(talk.on(ack_of(buffer, 1), 0.2)[0].payload)
    assert hello.gone == Gone(2, 2, "buffer_corrupt")
    buffer.holds = lambda seq, epoch=None: False
    assert seqs(talk.on(Ack(buffer.epoch, 2, None), 0.3)) == [3]


def test_a_disk_that_cannot_begin_anew_is_tried_again_later():
    class Full(MemoryBuffer):
        def begin_epoch(self, reseal_after):
            raise BufferFull("no space")

    buffer = make_buffer(2, Full)
    talk, _ = connected(buffer, heard=1)
    assert talk.on(Ack(buffer.epoch, 9, b"x" * 32), 0.5) == []
    assert talk.phase is Phase.RESTING and talk.wake_at > 0.5


@pytest.mark.parametrize("event", [Signal.SEALED, Signal.TIME, Ack(bytes(16), 3, None)])
def test_without_a_connection_nothing_is_said(event):
    talk = converse(make_buffer(2))
    assert talk.on(event, 1.0) == []


def test_a_late_acknowledgement_of_an_earlier_epoch_is_no_news():
    buffer = make_buffer(2)
    talk, _ = connected(buffer)
    assert talk.on(Ack(b"e" * 16, 7, b"x" * 32), 0.5) == []
    assert buffer.acknowledged == 0


def test_flights_grow_on_a_fast_line_and_shrink_when_nobody_answers():
    buffer = make_buffer(2000)
    talk, first = connected(buffer)
    second = talk.on(ack_of(buffer, seqs(first)[-1]), 0.2)
    assert len(seqs(second)) > 1.8 * len(seqs(first))
    talk.on(Signal.TIME, talk.wake_at + 1)
    third = talk.on(ack_of(buffer, seqs(first)[-1]), 60.0)
    assert len(seqs(third)) < 0.6 * len(seqs(second))


# ---- both sides in any weather


@dataclass
class PlainIngest:
    """Cursor and rows only; a backup is a copy of it. Follows wire/README.md, as cloud/ingest does with a database."""

    cursors: dict[bytes, tuple[int, bytes | None]] = field(default_factory=dict)
    hashes: dict[tuple[bytes, int], bytes] = field(default_factory=dict)
    values: set[int] = field(default_factory=set)
    has_points: bool = False

    def take(self, lane, payload):
        if lane is Lane.POINTS:
            self.has_points = True
            return None
        if lane is Lane.HELLO:
            hello = read_hello(payload)
            through, _ = self.cursors.setdefault(hello.epoch, (0, None))
            if hello.oldest > through + 1:
                self.cursors[hello.epoch] = (hello.oldest - 1, None)
            known = self.hashes.get((hello.epoch, hello.next - 1), bytes(32)) if through >= hello.next else None
            return self._ack(hello.epoch, None if self.has_points else hello.points, known)
        for batch in split_flight(payload)[0]:
            epoch, seq = batch.header.epoch, batch.header.seq
            through, last = self.cursors.setdefault(epoch, (0, None))
            if seq != through + 1 or not self.has_points:
                continue
            if last is not None and batch.header.prev != last:
                return self._ack(epoch)
            assert seq > 1 or batch.header.prev == NO_PREVIOUS
            self.cursors[epoch], self.hashes[epoch, seq] = (seq, batch.hash), batch.hash
            self.values.add(batch.header.first_at)
        return self._ack(epoch, None if self.has_points else TABLE.digest)

    def _ack(self, epoch, want_points=None, known=None):
        return Ack(epoch, *self.cursors[epoch], want_points, known)

    def copy(self):
        return PlainIngest(dict(self.cursors), dict(self.hashes), set(self.values), self.has_points)


class BothSides(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.buffer = make_buffer()
        self.talk = converse(self.buffer)
        self.ingest, self.backup = PlainIngest(), PlainIngest()
        self.up: list = []
        self.down: list = []
        self.now, self.sealed, self.is_connected = 0.0, 0, False

    @rule()
    def seal(self):
        self.sealed += 1
        self.buffer.append(draft(self.sealed))
        self._tell(Signal.SEALED)

    @rule()
    def connect(self):
        if not self.is_connected:
            self.is_connected = True
            self._tell(Signal.CONNECTED)

    @rule()
    def disconnect(self):
        self.is_connected = False
        self._tell(Signal.DISCONNECTED)

    @rule(seconds=st.floats(0.1, 30))
    def wait(self, seconds):
        self.now += seconds
        self._tell(Signal.TIME)

    @precondition(lambda self: self.up)
    @rule(data=st.data())
    def arrive(self, data):
        self._take(self.up.pop(data.draw(st.integers(0, len(self.up) - 1))))

    @precondition(lambda self: self.up)
    @rule(data=st.data())
    def arrive_twice(self, data):
        self._take(self.up[data.draw(st.integers(0, len(self.up) - 1))])

    @precondition(lambda self: self.up)
    @rule()
    def lose(self):
        self.up.pop()

    @precondition(lambda self: self.down)
    @rule(data=st.data(), is_kept=st.booleans())
    def answer(self, data, is_kept):
        place = data.draw(st.integers(0, len(self.down) - 1))
        ack = self.down[place] if is_kept else self.down.pop(place)
        if self.is_connected:
            self._tell(ack)

    @rule()
    def back_up(self):
        self.backup = self.ingest.copy()

    @rule()
    def restore(self):
        self.ingest = self.backup.copy()

    @rule()
    def begin_epoch(self):
        """As after a fault on our side."""
        self.buffer.begin_epoch(self.buffer.acknowledged)

    def teardown(self):
        """The weather clears up: everything that was ever sealed is heard, exactly once."""
        self.up.clear()
        self.down.clear()
        self.disconnect()
        self.connect()
        for _ in range(500):
            while self.up or self.down:
                if self.up:
                    self._take(self.up.pop(0))
                else:
                    self._tell(self.down.pop(0))
            if self.talk.phase is Phase.IDLE:
                break
            self.wait(16.0)
        assert self.talk.phase is Phase.IDLE
        assert self.buffer.acknowledged + 1 == self.buffer.next_seq
        assert self.ingest.values == {number * 1000 for number in range(1, self.sealed + 1)}

    def _tell(self, event):
        for message in self.talk.on(event, self.now):
            assert self.is_connected
            self.up.append(message)

    def _take(self, message):
        ack = self.ingest.take(*message)
        if ack is not None:
            self.down.append(ack)


BothSides.TestCase.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
TestBothSides = BothSides.TestCase
