"""A scale and a tag reader on ptys, from settings to entries; both fall silent, and one loses its port."""

import asyncio
import os
import tty
from itertools import pairwise

import pytest

from edge.config import check
from edge.instruments.listener import make_instrument
from wire.entries import Quality, Reading, Sighting, Weighing

START_INVENTORY = bytes.fromhex("bb00270003 22ffff 4a7e".replace(" ", ""))
NOTICE = bytes.fromhex("bb02220011ca3000e2000000000000000000000102273b7e")
NO_TAG = bytes.fromhex("bb01ff000115167e")


class SerialPeer:
    """The instrument's end of a pty."""

    def __init__(self, path) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._master)
        tty.setraw(self._slave)
        path.unlink(missing_ok=True)
        path.symlink_to(os.ttyname(self._slave))
        self.received = bytearray()
        self.on_receive = lambda chunk: None
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._master, self._receive)

    def _receive(self) -> None:
        chunk = os.read(self._master, 4096)
        self.received += chunk
        self.on_receive(chunk)

    def say(self, raw: bytes) -> None:
        os.write(self._master, raw)

    def close(self) -> None:
        if self._master >= 0:
            self._loop.remove_reader(self._master)
            os.close(self._master)
            os.close(self._slave)
            self._master = -1


class Entries(list):
    def __init__(self) -> None:
        self.urgent = []

    def __call__(self, entries, *, urgent):
        self.extend(entries)
        self.urgent += entries if urgent else []

    async def until(self, condition):
        async with asyncio.timeout(20):
            while not condition(self):
                await asyncio.sleep(0.005)

    def of(self, kind):
        return [entry for entry in self if isinstance(entry, kind)]


@pytest.fixture
def peer(tmp_path):
    path = tmp_path / "tty"
    made = []

    def make():
        made.append(SerialPeer(path))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
async def listen(tmp_path):
    running = []

    async def start(device: str):
        settings = tmp_path / "edge.yaml"
        port = tmp_path / "tty"
        baud = 115200 if "uhf" in device else 9600
        settings.write_text(
            f"gateway: gw-01\nbuses: [{{id: s, kind: serial, port: {port}, baud: {baud}, devices: [{device}]}}]\n"
        )
        gateway = check(settings)
        index_of = {(point.device, point.key): index for index, point in enumerate(gateway.points())}
        entries = Entries()
        loop = asyncio.get_running_loop()
        instrument = make_instrument(
            gateway.config.buses[0], gateway, index_of, entries, lambda: int(loop.time() * 1000)
        )
        running.append(asyncio.create_task(instrument.run()))
        return instrument, entries

    yield start
    for task in running:
        task.cancel()
    if running:
        await asyncio.wait(running)


SCALE = "{id: scale, profile: mettler-mt-sics, period_s: 0.05, timeout_ms: 100}"
READER = "{id: door, profile: generic-m100-uhf, timeout_ms: 100}"


async def test_a_scale_is_asked_and_what_rests_on_it_is_weighed_once(peer, listen):
    scale = peer()
    shown = iter(["S S 0.000 kg", "S D 4.120 kg", "S S 12.485 kg", "S S 12.485 kg", "S +", "S S 0 kg"])
    last = ["S S 0.000 kg"]

    def answer(chunk):
        assert chunk == b"SI\r\n"
        last[0] = next(shown, last[0])
        scale.say(last[0].encode() + b"\r\n")

    scale.on_receive = answer
    _, entries = await listen(SCALE)
    await entries.until(lambda seen: len(seen.of(Reading)) >= 6)
    assert [(r.mantissa, r.decimals, r.quality, r.reason) for r in entries.of(Reading)[:5]] == [
        (0, 3, Quality.GOOD, None),
        (4120, 3, Quality.UNCERTAIN, "unstable"),
        (12485, 3, Quality.GOOD, None),
        (12485, 3, Quality.GOOD, None),
        (None, 0, Quality.BAD, "overload"),
    ]
    (weighing,) = entries.of(Weighing)
    assert (weighing.mantissa, weighing.decimals, weighing.unit, weighing.mode) == (12485, 3, "kg", None)
    assert not weighing.is_stability_derived
    assert weighing in entries.urgent
    times = [reading.at for reading in entries.of(Reading)]
    assert all(a < b for a, b in pairwise(times))


async def test_a_silent_scale_is_bad_and_recovers(peer, listen):
    scale = peer()
    _, entries = await listen(SCALE)
    await entries.until(lambda seen: len(seen.of(Reading)) >= 2)
    assert {(reading.quality, reading.reason) for reading in entries} == {(Quality.BAD, "timeout")}
    scale.on_receive = lambda _: scale.say(b"S S 1.000 kg\r\n")
    await entries.until(lambda seen: seen[-1].quality is Quality.GOOD)


async def test_a_scale_whose_port_is_pulled_says_so_and_comes_back(peer, listen):
    first = peer()
    first.on_receive = lambda _: first.say(b"S S 1.000 kg\r\n")
    instrument, entries = await listen(SCALE)
    await entries.until(lambda seen: seen.of(Reading))
    first.close()
    await entries.until(lambda seen: seen[-1].reason == "port_down")
    second = peer()
    second.on_receive = lambda _: second.say(b"S S 2.000 kg\r\n")
    await entries.until(lambda seen: seen[-1].mantissa == 2000)
    instrument.stop()


async def test_a_reader_is_started_and_a_passing_tag_is_seen_at_once_and_summed_up(peer, listen):
    reader = peer()
    reader.on_receive = lambda chunk: [reader.say(NOTICE) for _ in range(3)] if chunk == START_INVENTORY else None
    _, entries = await listen(READER)
    await entries.until(lambda seen: seen.of(Sighting))
    first = entries.of(Sighting)[0]
    assert (first.epc, first.reads, first.rssi_dbm, first.antenna) == ("e20000000000000000000001", 1, -54, None)
    assert entries.urgent == [first]
    reader.on_receive = lambda _: None
    await entries.until(lambda seen: len(seen.of(Sighting)) >= 2)
    assert sum(sighting.reads for sighting in entries.of(Sighting)) >= 3


async def test_a_silent_reader_is_started_again_and_its_health_turns_bad(peer, listen):
    reader = peer()
    reader.on_receive = lambda _: reader.say(NO_TAG)
    _, entries = await listen(READER)
    await entries.until(lambda seen: seen.of(Reading))
    assert entries[-1][2:] == (1, 0, Quality.GOOD, None)
    reader.on_receive = lambda _: None
    asked = len(reader.received)
    await entries.until(lambda seen: seen[-1].reason == "timeout")
    await entries.until(lambda _: len(reader.received) > asked)
    reader.on_receive = lambda _: reader.say(NO_TAG)
    await entries.until(lambda seen: seen[-1].quality is Quality.GOOD)


async def test_a_reader_that_stops_gives_out_what_it_still_held(peer, listen):
    reader = peer()
    reader.on_receive = lambda _: [reader.say(NOTICE) for _ in range(5)]
    instrument, entries = await listen(READER)
    await entries.until(lambda seen: seen.of(Sighting))
    instrument.stop()
    await entries.until(lambda seen: sum(sighting.reads for sighting in seen.of(Sighting)) >= 5)


async def test_a_reader_without_a_tag_in_view_is_asked_whether_it_lives(peer, listen):
    """Some firmware says nothing between tags: its version is asked for, which it always tells."""
    reader = peer()
    asked, told = bytes.fromhex("bb00030001000 47e".replace(" ", "")), bytes.fromhex("bb01030005004d313030e77e")
    reader.on_receive = lambda chunk: reader.say(told) if asked in chunk else None
    _, entries = await listen(READER)
    await entries.until(lambda _: reader.received.count(asked) >= 6)
    assert [entry.quality for entry in entries.of(Reading)] == [Quality.GOOD]
