"""Two hands, one truth: what the plant says, by its own register maps, is what the edge's profiles and drivers read."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.drivers.frames import ReadingFrame, TagFrame
from edge.drivers.registry import make_decoder, poll_request
from edge.profiles.decode import decode_points
from edge.profiles.profile import find_profile, load_profile
from edge.profiles.profile_types import Table
from simulator.modbus import ReadRequest
from simulator.reader import Reader, TagPass
from simulator.registers import CounterRegisters, controller, probe
from simulator.scale import Load, Scale


def read_rightly(registers, profile, table, function, address, count):
    """What the edge makes of a block beside what the plant's ledger would say of it."""
    block = registers.read(ReadRequest(function, address, count))
    told = dict(zip(block.points.split(), block.values.split(), strict=True))
    read = decode_points(load_profile(find_profile(profile)).points, table, address, block.payload)
    return told, {one.point: one for one in read}


@given(st.integers(-600, 900), st.integers(0, 1000))
def test_a_probe_is_read_as_it_was_meant(temperature, humidity):
    registers = probe(1)
    registers.set("temperature", temperature)
    registers.set("humidity", humidity)
    told, read = read_rightly(registers, "generic-xy-md02", Table.INPUT, 4, 1, 2)
    assert {point: one.value for point, one in read.items()} == told
    assert {one.quality for one in read.values()} == {"good"}


@given(st.integers(-600, 900), st.integers(-600, 900), st.integers(0, 15))
def test_a_controller_is_read_as_it_was_meant(room, coil, bits):
    registers = controller(1)
    registers.set("room_temperature", room)
    registers.set("evaporator_temperature", coil)
    registers.set("status", bits)
    told, read = read_rightly(registers, "generic-refrigeration-controller", Table.HOLDING, 3, 0, 17)
    assert {point: one.value for point, one in read.items()} == told


@pytest.mark.parametrize(
    ("registers", "profile", "point", "block"),
    [
        (probe(1), "generic-xy-md02", "temperature", (Table.INPUT, 4, 1, 2)),
        (controller(1), "generic-refrigeration-controller", "room_temperature", (Table.HOLDING, 3, 0, 17)),
    ],
)
def test_a_broken_probe_never_becomes_a_number(registers, profile, point, block):
    registers.set(point, None)
    told, read = read_rightly(registers, profile, *block)
    assert told[point] == "-"
    assert (read[point].value, read[point].quality) == (None, "bad")


def test_counters_are_read_as_they_count():
    registers = CounterRegisters()
    for _ in range(3):
        told, read = read_rightly(registers, "generic-counter-10", Table.INPUT, 4, 0, 10)
        assert {point: one.value for point, one in read.items()} == told


class Platform:
    def __init__(self, load):
        self.load = load

    def at(self, now_s):
        return self.load


@given(st.integers(-60_000, 61_000), st.booleans())
def test_a_weight_is_read_as_it_was_meant(grams, is_stable):
    decoder, _ = make_decoder("mt_sics", {})
    scale = Scale(Platform(Load(grams, is_stable)), "B1")
    (line,) = scale.receive(poll_request("mt_sics", {}), 0.0)
    (frame,) = decoder.feed(line.content)
    assert isinstance(frame, ReadingFrame)
    assert frame.value == line.value
    assert frame.value is None or (frame.unit, frame.stable) == ("kg", is_stable)
    assert (frame.quality == "bad") == (line.value is None)


@given(st.binary(min_size=4, max_size=62).filter(lambda tag: len(tag) % 2 == 0), st.floats(0, 3), st.integers(1, 30))
def test_a_tag_is_read_as_it_was_meant(tag, now_s, size):
    decoder, _ = make_decoder("m100_r200", {})
    reader = Reader(random.Random(1), read_share=1.0)
    reader.expect(TagPass(tag.hex(), 0.0, 4.0))
    assert reader.receive(poll_request("m100_r200", {}), now_s) == []
    stream = b"".join(frame.content for frame in reader.poll(now_s + 0.2))
    frames = [one for at in range(0, len(stream), size) for one in decoder.feed(stream[at : at + size])]
    assert len(frames) >= 5
    assert all(isinstance(one, TagFrame) and one.epc.lower() == tag.hex() for one in frames)
    assert all(-70 <= one.rssi_dbm <= -40 for one in frames)
