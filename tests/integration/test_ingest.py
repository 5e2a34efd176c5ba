"""The ingest against a real broker and a real database: acknowledged only what is on the disk, whatever is killed."""

import os
import queue
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest

from cloud.errors import StoreUnavailableError
from cloud.ingest.handover import Handover
from cloud.ingest.service import Ingest
from cloud.store import Store, open_store
from ground.mqtt import BrokerSettings, MqttLink
from tests.support.sending_gateway import OFFSET, SendingGateway, reading
from wire.entries import Quality, Reading
from wire.messages import Ack, Live, read_ack
from wire.topics import Lane, Topic

NOW = OFFSET + 3_600_000
PATIENCE_S = 20


class UnansweredError(Exception):
    pass


class Speaker:
    """A gateway on the broker that can only speak and listen; what to send again is the test's business."""

    def __init__(self, port: int, gateway: SendingGateway) -> None:
        self.gateway = gateway
        self.patience_s = PATIENCE_S
        self.acks: queue.Queue[Ack] = queue.Queue()
        self._connected = threading.Event()
        self._link = MqttLink(
            BrokerSettings(port=port),
            f"test-{gateway.name}",
            subscriptions=[(self._topic(Lane.ACK), 1)],
            on_message=lambda _topic, payload: self.acks.put(read_ack(payload)),
            on_connected=self._connected.set,
        )
        self._link.start()
        assert self._connected.wait(PATIENCE_S)

    def say(self, lane: Lane, payload: bytes, qos: int = 1) -> None:
        self._link.publish(self._topic(lane), payload, qos)

    def send(self, *batches) -> None:
        self.say(Lane.BATCH, b"".join(batch.data for batch in batches))

    def enrol(self) -> None:
        """As the edge does: hello again until it is heard, then the table that is asked for."""
        ack = self.ask(lambda: self.say(Lane.HELLO, self.gateway.hello()), lambda _ack: True)
        if ack.want_points:
            self.ask(lambda: self.say(Lane.POINTS, self.gateway.table.data), lambda ack: ack.want_points is None)

    def deliver_all(self) -> Ack:
        sent, through = self.gateway.sent, 0
        while through < len(sent):
            ack = self.ask(
                lambda flight=sent[through : through + 5]: self.send(*flight),
                lambda ack, known=through: ack.epoch == self.gateway.epoch and ack.through > known,
            )
            through = ack.through
        return ack

    def ask(self, speak, is_answer) -> Ack:
        deadline = time.monotonic() + self.patience_s
        while time.monotonic() < deadline:
            speak()
            try:
                while True:
                    ack = self.acks.get(timeout=0.5)
                    if is_answer(ack):
                        return ack
            except queue.Empty:
                continue
        raise UnansweredError

    def close(self) -> None:
        self._link.stop()

    def _topic(self, lane: Lane) -> str:
        return str(Topic("s0", self.gateway.name, lane))


@contextmanager
def running(store, port, **changes):
    settings = {"listed": None, "now_ms": lambda: NOW, "on_committed": lambda _c: None, "on_live": lambda _v: None}
    ingest = Ingest(store, BrokerSettings(port=port), ["s0"], **(settings | changes))
    ingest.start()
    try:
        yield ingest
    finally:
        ingest.stop()


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/coldlink.db"


@pytest.fixture
def store(url):
    opened = open_store(url)
    yield opened
    opened.close()


@pytest.fixture
def speaker(mosquitto):
    opened = Speaker(mosquitto.port, SendingGateway())
    yield opened
    opened.close()


def stored_times(store):
    with store.read() as connection:
        return connection.exec_driver_sql("SELECT observed_at FROM reading ORDER BY 1").scalars().all()


def seal_many(gateway, count):
    """Seals that many more; the times that the database then owes."""
    numbers = range(len(gateway.sent), len(gateway.sent) + count)
    for n in numbers:
        gateway.seal([reading(1000 * n + k, n * 10 + k) for k in (1, 2, 3)])
    return [OFFSET + 1000 * n + k for n in numbers for k in (1, 2, 3)]


def test_from_hello_to_rows(mosquitto, store, speaker):
    committed = queue.Queue()
    with running(store, mosquitto.port, on_committed=committed.put) as ingest:
        speaker.enrol()
        owed = seal_many(speaker.gateway, 12)
        ack = speaker.deliver_all()
        assert ack.hash == speaker.gateway.sent[-1].hash
        assert stored_times(store) == owed
        told = [committed.get(timeout=5)]
        while not told[-1].newest:
            told.append(committed.get(timeout=5))
        assert told[-1].gateways == {"gw-01"}
        assert told[-1].newest[0].point == "gw-01/probe-a/temperature"
        assert ingest.stats.readings == len(owed)


def test_the_live_lane_reaches_the_screens_and_is_not_stored(mosquitto, store, speaker):
    seen = queue.Queue()
    with running(store, mosquitto.port, on_live=lambda values: seen.put(list(values))):
        speaker.enrol()
        newest = Reading(0, 5000, -194, 1, Quality.GOOD, None)
        live = Live(speaker.gateway.table.digest, OFFSET, (newest,))
        deadline = time.monotonic() + PATIENCE_S
        while seen.empty() and time.monotonic() < deadline:
            speaker.say(Lane.LIVE, live.encode(), qos=0)
            time.sleep(0.05)
        [value] = seen.get(timeout=5)
        assert (value.point, value.value, value.observed_at) == ("gw-01/probe-a/temperature", "-19.4", OFFSET + 5000)
        assert stored_times(store) == []


def test_the_broker_is_killed_and_wiped_and_nothing_is_lost(mosquitto, store, speaker):
    with running(store, mosquitto.port):
        speaker.enrol()
        owed = seal_many(speaker.gateway, 4)
        speaker.deliver_all()
        mosquitto.kill()
        mosquitto.wipe()
        mosquitto.start()
        owed += seal_many(speaker.gateway, 4)
        speaker.deliver_all()
        assert stored_times(store) == owed


def test_a_full_disk_is_waited_for_and_nothing_is_acknowledged_meanwhile(mosquitto, store, speaker):
    with running(store, mosquitto.port) as ingest:
        speaker.enrol()
        owed = seal_many(speaker.gateway, 5)
        _limit_pages(store, 1)  # SQLite takes this for the size that the file has
        large = [speaker.gateway.seal([reading(100_000 + n, n) for n in range(20_000)])]
        owed += [OFFSET + 100_000 + n for n in range(20_000)]
        speaker.send(*speaker.gateway.sent[:5], *large)
        while not ingest.stats.failures:
            time.sleep(0.01)
        while not speaker.acks.empty():
            assert speaker.acks.get().through == 0  # the greeting's, not of a batch
        assert "full" in ingest.stats.last_error
        _limit_pages(store, 1 << 30)
        speaker.deliver_all()
        assert stored_times(store) == owed


def test_an_ingest_that_comes_back_tells_the_gateways_where_they_stand(mosquitto, store, speaker):
    with running(store, mosquitto.port):
        speaker.enrol()
        seal_many(speaker.gateway, 3)
        last = speaker.deliver_all()
    while not speaker.acks.empty():
        speaker.acks.get()
    with running(store, mosquitto.port):
        assert speaker.acks.get(timeout=PATIENCE_S) == last


def _limit_pages(store, pages):
    with store.write() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")


def test_an_ingest_that_is_stopped_while_the_network_pushes_ends_at_once(mosquitto, store, speaker):
    stubborn = StubbornStore(store)
    with running(stubborn, mosquitto.port) as ingest:
        speaker.enrol()
        ingest._handover._max_flights = 1
        seal_many(speaker.gateway, 10)
        stubborn.is_down = True
        for batch in speaker.gateway.sent:
            speaker.send(batch)
        while not stubborn.refused:
            time.sleep(0.01)
        began = time.monotonic()
    assert time.monotonic() - began < Handover()._patience_s


@pytest.mark.parametrize("place", ["ingest.before_commit:3", "ingest.after_commit:3"])
def test_an_ingest_that_dies_around_its_commit_loses_and_doubles_nothing(mosquitto, store, url, speaker, place):
    owed = seal_many(speaker.gateway, 10)
    with _process(url, mosquitto.port, place) as doomed:
        speaker.patience_s = 0.6
        while doomed.poll() is None:
            try:
                speaker.enrol()
                speaker.deliver_all()
            except UnansweredError:
                continue
        assert doomed.returncode == 70
        speaker.patience_s = PATIENCE_S
    with _process(url, mosquitto.port, "") as healthy:
        speaker.enrol()
        speaker.deliver_all()
        healthy.terminate()
    assert stored_times(store) == owed


class StubbornStore(Store):
    """The real store, behind a door that can be shut."""

    def __init__(self, store: Store) -> None:
        self._inner = store
        self.is_down = False
        self.refused = 0

    def write(self):
        if self.is_down:
            self.refused += 1
            raise StoreUnavailableError("database or disk is full")
        return self._inner.write()

    def read(self):
        return self._inner.read()


_INGEST = """
import sys, signal, threading
from cloud.ingest.service import Ingest
from cloud.store import open_store
from ground.mqtt import BrokerSettings
url, port, now = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
store = open_store(url)
ingest = Ingest(store, BrokerSettings(port=port), ["s0"], listed=None, now_ms=lambda: now,
                on_committed=lambda c: None, on_live=lambda v: None)
ingest.start()
ended = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: ended.set())
ended.wait()
ingest.stop()
store.close()
"""


@contextmanager
def _process(url, port, fail_at):
    process = subprocess.Popen(
        [sys.executable, "-c", _INGEST, url, str(port), str(NOW)], env=os.environ | {"COLDLINK_FAIL_AT": fail_at}
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
