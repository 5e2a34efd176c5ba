"""`coldlink audit` from end to end: a ledger file, a real database, and the same over the real API."""

import json
import threading
import time
from contextlib import contextmanager

import pytest
import uvicorn

from cloud.api.app import create_api
from cloud.api.context import ApiContext
from cloud.ingest.book import Book
from cloud.ingest.flight import Flight
from cloud.ingest.transaction import take
from cloud.live import LiveHub
from cloud.store import open_store
from coldlink.__main__ import main
from tests.support.sending_gateway import OFFSET, SendingGateway, reading
from wire.entries import Gap, Quality, Reading, Sighting
from wire.topics import Lane, Topic

EPC = "30340789000000000000002a"
NOW = OFFSET + 3_600_000


class Plant:
    """Gives values out and stores what a gateway made of them."""

    def __init__(self, folder):
        self.database = folder / "coldlink.db"
        self.ledger = folder / "ledger.jsonl"
        self.store = open_store(f"sqlite:///{self.database}")
        self.gateway = SendingGateway()
        self._lines = []
        self._book = Book()
        self._send(Lane.HELLO, self.gateway.hello())
        self._send(Lane.POINTS, self.gateway.table.data)

    def give_out(self, at, points, values, **more):
        line = {"n": len(self._lines) + 1, "t": OFFSET + at, "device": "probe-a", "points": points, "values": values}
        self._lines.append(json.dumps(line | more))
        self.ledger.write_text("".join(f"{one}\n" for one in self._lines))

    def store_batch(self, *entries):
        self._send(Lane.BATCH, self.gateway.seal(entries).data)

    def _send(self, lane, payload):
        with self.store.write() as connection:
            take(connection, [Flight(Topic("s0", "gw-01", lane), payload)], self._book, NOW)


@pytest.fixture
def plant(tmp_path):
    made = Plant(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def sound_plant(plant):
    for n in range(5):
        plant.give_out(n * 1000 + 40, "temperature", f"-19.{n}")
    plant.give_out(5000, "temperature", "-10.0", why="crc", delivered=False)
    plant.give_out(5500, "temperature", "-")
    for n in range(3):
        plant.give_out(6000 + n * 10, "tag", EPC.upper(), device="reader")
    plant.store_batch(*(reading(n * 1000, -190 - n) for n in range(5)), reading(5500, None, reason="probe_open"))
    plant.store_batch(Sighting(3, 6000, 6020, EPC, 3, -50, None), reading(7000, 11, point=1))
    return plant


@contextmanager
def served(store):
    context = ApiContext(store=store, hub=LiveHub(lambda: NOW), now_ms=lambda: NOW)
    server = uvicorn.Server(uvicorn.Config(create_api(context), port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)


def run(capsys, *arguments):
    code = main(["audit", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_sound_database_is_clean(capsys, sound_plant):
    code, out, _ = run(capsys, "--ledger", sound_plant.ledger, "--cloud", sound_plant.database, "--json")
    report = json.loads(out)
    assert (code, report["clean"]) == (0, True)
    assert report["total"]["produced"] == report["total"]["stored"] == 5
    assert report["total"]["undelivered"] == 1
    assert report["tag_total"]["produced"] == report["tag_total"]["stored"] == 3
    assert report["points_not_in_ledger"] >= 1


def test_the_api_gives_the_same_verdict_as_the_database(capsys, sound_plant):
    sound_plant.give_out(8000, "temperature", "-1.0")
    sound_plant.give_out(20_000, "temperature", "-2.0")
    sound_plant.store_batch(Gap("agent_killed", None, 7500, 9000, None, ""), reading(30_000, point=1))
    _, by_file, _ = run(capsys, "--ledger", sound_plant.ledger, "--cloud", sound_plant.database, "--json")
    with served(sound_plant.store) as address:
        code, by_api, _ = run(capsys, "--ledger", sound_plant.ledger, "--cloud", address, "--json")
    assert code == 1
    assert json.loads(by_api) == json.loads(by_file)
    assert json.loads(by_api)["total"]["unsealed"] == 1
    assert json.loads(by_api)["total"]["lost"] == 1


def test_means_of_thinned_readings_are_nobodys_values(capsys, sound_plant):
    mean = Reading(0, 2500, -777, 1, Quality.UNCERTAIN, "thinned_mean")
    sound_plant.store_batch(mean, Gap("thinned", None, 0, 4000, None, "batches 1 to 3: 5 entries kept as 3"))
    code, by_file, _ = run(capsys, "--ledger", sound_plant.ledger, "--cloud", sound_plant.database, "--json")
    with served(sound_plant.store) as address:
        _, by_api, _ = run(capsys, "--ledger", sound_plant.ledger, "--cloud", address, "--json")
    assert (code, json.loads(by_file)["total"]["stored"]) == (0, 5)
    assert json.loads(by_api) == json.loads(by_file)


def test_the_table_names_what_is_wrong(capsys, sound_plant):
    sound_plant.give_out(20_000, "temperature", "-2.0")
    code, out, _ = run(capsys, "--ledger", sound_plant.ledger, "--cloud", f"sqlite:///{sound_plant.database}")
    assert code == 1
    assert "lost: probe-a/temperature = -2 at" in out
    assert out.rstrip().endswith("NOT CLEAN")


def test_a_range_judges_only_what_lies_well_inside(capsys, sound_plant):
    sound_plant.give_out(60_000, "temperature", "-2.0")
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime((OFFSET + 10_000) / 1000))
    code, _, _ = run(capsys, "--ledger", sound_plant.ledger, "--cloud", sound_plant.database, "--until", until)
    assert code == 0


def test_another_gateways_database_holds_none_of_it(capsys, sound_plant):
    options = ("--ledger", sound_plant.ledger, "--cloud", sound_plant.database, "--gateway", "gw-02", "--json")
    code, out, _ = run(capsys, *options)
    assert (code, json.loads(out)["total"]["lost"]) == (1, 5)


def test_questions_that_cannot_be_answered_end_with_two(capsys, sound_plant, tmp_path):
    broken = tmp_path / "broken.jsonl"
    broken.write_text("not a ledger\n")
    for ledger, cloud in (
        (tmp_path / "none.jsonl", sound_plant.database),
        (broken, sound_plant.database),
        (sound_plant.ledger, tmp_path / "none.db"),
        (sound_plant.ledger, broken),
        (sound_plant.ledger, "http://127.0.0.1:9"),
    ):
        code, _, err = run(capsys, "--ledger", ledger, "--cloud", cloud)
        assert code == 2
        assert err.startswith("coldlink audit: ")
    assert not (tmp_path / "none.db").exists()
