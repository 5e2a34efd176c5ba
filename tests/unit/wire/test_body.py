"""What goes into a body comes out of it, exactly; what never came from us is refused within bounds."""

import json
import zlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.body import MAX_INFLATED_BYTES, decode_body, encode_body
from wire.entries import ClockAnchor, Gap, Quality, Reading, Sighting, Weighing
from wire.errors import MalformedBody

FIRST_AT = 1_000_000
times = st.integers(FIRST_AT, FIRST_AT + 10_000_000)
points = st.integers(0, 30)
mantissas = st.integers(-(2**53), 2**53)
reasons = st.sampled_from(["timeout", "crc", "probe_open"])
boots = st.none() | st.binary(min_size=16, max_size=16)


def reading(point, at, mantissa, decimals, quality, reason):
    if mantissa is None:
        return Reading(point, at, None, 0, Quality.BAD, reason)
    return Reading(point, at, mantissa, decimals, quality, None if quality is Quality.GOOD else reason)


readings = st.builds(
    reading, points, times, st.none() | mantissas, st.integers(0, 6), st.sampled_from(Quality), reasons
)
sightings = st.builds(
    lambda p, t, d, e, n, r, a: Sighting(p, t, t + d, e.hex(), n, r, a),
    points,
    times,
    st.integers(0, 10_000),
    st.binary(min_size=1, max_size=62),
    st.integers(1, 500),
    st.none() | st.integers(-120, 30),
    st.none() | st.integers(0, 16),
)
weighings = st.builds(
    Weighing, points, times, mantissas, st.integers(0, 6), st.sampled_from(["kg", "g", ""]),
    st.sampled_from([None, "gross", "net"]), st.booleans(),
)  # fmt: skip
gaps = st.builds(
    Gap, reasons, boots, st.none() | times, st.none() | times, st.none() | st.lists(points).map(tuple), st.just("why")
)
anchors = st.builds(ClockAnchor, boots, times, st.integers(0, 2**45), st.integers(0, 10**6))


@given(st.lists(st.one_of(readings, sightings, weighings, gaps, anchors), max_size=60))
def test_what_goes_in_comes_out(entries):
    body = decode_body(encode_body(entries, FIRST_AT), FIRST_AT, len(entries))
    assert sorted(normal(body.readings())) == sorted(normal(e for e in entries if isinstance(e, Reading)))
    for kind, found in (
        (Sighting, body.sightings),
        (Weighing, body.weighings),
        (Gap, body.gaps),
        (ClockAnchor, body.anchors),
    ):
        assert found == [e for e in entries if isinstance(e, kind)]


def normal(rows):
    """A reading without a value has no decimals; order by what identifies it."""
    return [(r.point, r.at, r.mantissa is None, r.mantissa or 0, r.value or 0, r.quality, r.reason or "") for r in rows]


@given(st.binary(max_size=2000))
def test_random_bytes_are_refused_and_nothing_else_happens(body):
    try:
        decode_body(body, 0, 1)
    except MalformedBody as error:
        assert error.reason.replace("_", "").isalpha()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.sampled_from("rswgcx"), inner, max_size=4),
    max_leaves=40,
)


@given(json_values | st.fixed_dictionaries({"r": st.lists(st.lists(json_values, min_size=4, max_size=5), max_size=3)}))
def test_well_compressed_nonsense_is_refused_and_nothing_else_happens(value):
    try:
        decode_body(deflated(json.dumps(value).encode()), FIRST_AT, 1)
    except MalformedBody:
        pass


def deflated(data: bytes) -> bytes:
    deflate = zlib.compressobj(level=9, wbits=-15)
    return deflate.compress(data) + deflate.flush()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"[" * 100_000, "not_json"),
        (b'{"r":[[[0],[0],[0],[[1.5]]]]}', "float"),
        (b'{"r":[[[0],[0],[0],[[NaN]]]]}', "float"),
        (b'{"r":[],"r":[]}', "double_key"),
        (b'{"r":[[[0],[0],[0],[[true]]]]}', "not_a_number"),
        (b'{"r":[[[0],[0,0],[0],[[1,1]]]]}', "time_stands_still"),
        (b'{"r":[[[0],[0],[0],[[1,2]]]]}', "uneven_columns"),
        (b'{"r":[[[0],[0],[99],[[1]]]]}', "not_a_number"),
        (b'{"r":[[[0],[-1],[0],[[1]]]]}', "not_a_number"),
        (b'{"r":[[[0],[0],[0],[[9007199254740993]]]]}', "out_of_range"),
        (b'{"r":[[[0],[0],[0],[[1]],[[0,0,2,1,"crc"]]]]}', "bad_mark"),
        (b'{"x":[]}', "unknown_part"),
        (b'{"r":[]}', "wrong_count"),
        (b'{"s":[[0,5,4,"ab",1,null,null]]}', "bad_sighting"),
        (b'{"s":[[0,5,5,"AB",1,null,null]]}', "bad_epc"),
    ],
)
def test_each_kind_of_nonsense_has_its_name(text, reason):
    with pytest.raises(MalformedBody) as caught:
        decode_body(deflated(text), 0, 1)
    assert caught.value.reason == reason


def test_a_decompression_bomb_stops_at_the_bound():
    bomb = deflated(b" " * (MAX_INFLATED_BYTES + 1))
    assert len(bomb) < 20_000
    with pytest.raises(MalformedBody, match="inflates_too_large"):
        decode_body(bomb, 0, 1)


def test_values_are_exact_decimals():
    rows = [Reading(0, FIRST_AT, -194, 1, Quality.GOOD, None), Reading(0, FIRST_AT + 1, -20, 0, Quality.GOOD, None)]
    body = decode_body(encode_body(rows, FIRST_AT), FIRST_AT, 2)
    assert [r.value for r in body.readings()] == [Decimal("-19.4"), Decimal(-20)]


def test_a_quiet_cold_room_costs_less_than_a_byte_a_reading():
    rows = [
        Reading(point, FIRST_AT + second * 1000, -194 + (second + point) % 2, 1, Quality.GOOD, None)
        for second in range(60)
        for point in range(60)
    ]
    assert len(encode_body(rows, FIRST_AT)) < len(rows)
