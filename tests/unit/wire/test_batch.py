"""A batch is sealed once, opened byte for byte, and a flipped bit anywhere is noticed."""

import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.batch import MAX_FLIGHT_BYTES, NO_PREVIOUS, Header, open_batch, seal, split_flight
from wire.body import decode_body, encode_body
from wire.entries import ClockAnchor, Gap, Quality, Reading, Sighting, Weighing
from wire.errors import BadSignature, Malformed, MalformedBatch
from wire.signature import SigningKey, VerifyKey

RECORDINGS = Path(__file__).parents[2] / "recordings" / "batches"
KEY = SigningKey(bytes(range(32)))
PUBLIC = VerifyKey(KEY.public)
ENTRIES = [
    Reading(0, 5000, -194, 1, Quality.GOOD, None),
    Reading(1, 5000, 873, 1, Quality.GOOD, None),
    Reading(0, 6000, None, 1, Quality.BAD, "timeout"),
    Reading(1, 6000, 871, 1, Quality.UNCERTAIN, "stale"),
    Sighting(2, 5400, 5900, "e20000000000000000000001", 7, -54, 1),
    Weighing(3, 5600, 12480, 3, "kg", "net", False),
    Gap("agent_killed", None, 4000, 4900, None, ""),
    ClockAnchor(None, 4950, 1_795_246_320_000, 12),
]
HEADER = Header(
    gateway="gw-01",
    epoch=bytes(16),
    seq=1,
    boot=bytes(range(16)),
    offset_ms=1_795_246_315_050,
    first_at=5000,
    last_at=6000,
    entries=len(ENTRIES),
    prev=NO_PREVIOUS,
    points=bytes(16),
)
GOOD = seal(HEADER, encode_body(ENTRIES, 5000), KEY.sign)


def test_a_batch_opens_as_it_was_sealed():
    opened = open_batch(GOOD.data)
    assert opened == GOOD
    assert opened.header == HEADER
    PUBLIC.verify(opened.signed, opened.signature)


@given(st.integers(0, len(GOOD.data) * 8 - 1))
def test_a_flipped_bit_anywhere_is_noticed(bit):
    data = bytearray(GOOD.data)
    data[bit // 8] ^= 1 << bit % 8
    with pytest.raises((MalformedBatch, BadSignature)):
        opened = open_batch(bytes(data))
        PUBLIC.verify(opened.signed, opened.signature)


@given(st.integers(0, len(GOOD.data) - 1))
def test_a_truncated_batch_is_refused(length):
    with pytest.raises(MalformedBatch):
        open_batch(GOOD.data[:length])


@given(st.binary(max_size=500), st.booleans())
def test_random_bytes_are_refused_and_nothing_else_happens(noise, is_behind_good_start):
    try:
        open_batch(b"CLB1\x01" + noise if is_behind_good_start else noise)
    except Malformed:
        pass


def test_the_chain_binds_each_batch_to_the_one_before():
    second = seal(dataclasses.replace(HEADER, seq=2, prev=GOOD.hash), GOOD.body, KEY.sign)
    assert open_batch(second.data).header.prev == open_batch(GOOD.data).hash


def test_a_flight_is_batches_in_a_row():
    batches, problem = split_flight(GOOD.data * 3)
    assert (batches, problem) == ([GOOD] * 3, None)


def test_the_good_batches_before_a_broken_one_are_read():
    batches, problem = split_flight(GOOD.data + GOOD.data[:-1])
    assert batches == [GOOD]
    assert problem is not None and problem.reason == "truncated"


def test_an_oversize_flight_is_not_even_looked_at():
    batches, problem = split_flight(bytes(MAX_FLIGHT_BYTES + 1))
    assert batches == []
    assert problem is not None and problem.reason == "flight_too_large"


@pytest.mark.parametrize("name", ["", "GW", "a/b", "a+b", "#", "-a", "a" * 64, "ä"])
def test_a_gateway_name_fits_a_topic(name):
    with pytest.raises(ValueError, match="gateway"):
        seal(dataclasses.replace(HEADER, gateway=name), GOOD.body, KEY.sign)


@pytest.mark.parametrize("folder", sorted(RECORDINGS.iterdir()), ids=lambda folder: folder.name)
def test_batches_of_every_version_are_read_for_ever(folder):
    """Golden bytes: what a gateway in the field sealed years ago must still be understood."""
    expected = json.loads((folder / "expected.json").read_text())
    batch = open_batch(bytes.fromhex((folder / "batch.hex").read_text()))
    VerifyKey(bytes.fromhex(expected["public_key"])).verify(batch.signed, batch.signature)
    body = decode_body(batch.body, batch.header.first_at, batch.header.entries)
    assert batch.hash.hex() == expected["hash"]
    assert batch.header.seq == expected["seq"]
    assert [[r.point, r.at, str(r.value), r.quality.name, r.reason] for r in body.readings()] == expected["readings"]
    others = [*body.sightings, *body.weighings, *body.gaps, *body.anchors]
    assert [repr(entry) for entry in others] == expected["others"]
