"""Registers become exact decimals, or a reason; never a guess."""

import struct
from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.profiles.blocks import ReadBlock
from edge.profiles.decode import BlockPlan, decimal_text, decode_points, offered_points
from edge.profiles.profile import parse_profile
from edge.profiles.profile_types import Period, Point, Table, parse_type
from edge.profiles.scaling import Scaling, places
from wire.entries import Quality, Reading


def point(**keys) -> Point:
    return msgspec.convert({"key": "p", "table": "holding", "address": 0, "type": "s16"} | keys, Point)


def decode(one: Point, registers: str, *others: Point):
    """(value or reason) of the first point."""
    reading = next(r for r in decode_points([one, *others], Table.HOLDING, 0, bytes.fromhex(registers)))
    return reading.value if reading.quality == "good" else f"{reading.quality}:{reading.reason}"


@pytest.mark.parametrize(
    ("keys", "registers", "expected"),
    [
        ({"scale": "0.1"}, "ff47", "-18.5"),
        ({"scale": "0.1"}, "ff42", "-19.0"),
        ({"type": "u16", "scale": "0.1"}, "ff47", "6535.1"),
        ({"scale": "2", "offset": "30"}, "0005", "40"),
        ({"scale": "0.5", "offset": "-40.25"}, "0003", "-38.75"),
        ({"scale": "10"}, "fffe", "-20"),
        ({"type": "u16", "scale": "1/256"}, "1580", "21.50000000"),
        ({"scale": "1/3"}, "0001", "0.333333"),
        ({"scale": "-0.1"}, "0064", "-10.0"),
        ({"type": "u8"}, "12ff", "255"),
        ({"type": "s8"}, "12ff", "-1"),
        ({"type": "u8", "byte_order": "little"}, "12ff", "18"),
        ({"type": "s16", "byte_order": "little"}, "47ff", "-185"),
        ({"type": "s32", "word_order": "big"}, "ffffff47", "-185"),
        ({"type": "s32", "word_order": "little"}, "ff47ffff", "-185"),
        ({"type": "u32", "word_order": "little", "byte_order": "little"}, "78563412", str(0x12345678)),
        ({"type": "u64", "word_order": "big"}, "0000000000000100", "256"),
        ({"type": "u64", "word_order": "big"}, "ffffffffffffffff", "bad:out_of_range"),
        ({"type": "f32", "word_order": "big"}, "43658000", "229.5"),
        ({"type": "f32", "word_order": "little"}, "E666C2F6", "-123.45"),
        ({"type": "f32", "word_order": "big", "resolution": "0.01"}, "43658000", "229.50"),
        ({"type": "f32", "word_order": "big", "resolution": "0.5"}, "41a00000", "20.0"),
        ({"type": "f32", "word_order": "big", "scale": "0.1"}, "45080000", "217.6"),
        ({"type": "f32", "word_order": "big"}, "7fc00000", "bad:not_a_number"),
        ({"type": "f32", "word_order": "big", "invalid": [{"nan": True, "reason": "gone"}]}, "ffc00001", "bad:gone"),
        ({"type": "f32", "word_order": "big"}, "7f800000", "bad:not_a_number"),
        ({"type": "f64", "word_order": "big"}, "3fb999999999999a", "0.1"),
        ({"type": "bcd16"}, "1234", "1234"),
        ({"type": "bcd16"}, "12a4", "bad:not_bcd"),
        ({"type": "bcd32", "word_order": "big", "scale": "0.01"}, "00123456", "1234.56"),
        ({"type": "bool"}, "0000", "0"),
        ({"type": "bool"}, "0100", "1"),
        ({"type": "ascii(4)"}, "41422000", "AB"),
        ({"invalid": [{"raw": 0x8000, "reason": "probe_open"}]}, "8000", "bad:probe_open"),
        ({"invalid": [{"raw": -32768, "reason": "probe_open"}]}, "8000", "bad:probe_open"),
        ({"type": "u16", "invalid": [{"raw": -1, "reason": "none"}]}, "ffff", "bad:none"),
        ({"invalid": [{"raw": [-32768, -32000], "reason": "device_error"}]}, "82f6", "bad:device_error"),
        ({"scale": "0.1", "range": {"min": -60, "max": 90}}, "fda8", "-60.0"),
        ({"scale": "0.1", "range": {"min": -60, "max": 90}}, "fda7", "bad:out_of_range"),
        ({"scale": "0.1", "range": {"min": -60, "max": 90.5}}, "0389", "90.5"),
        ({"scale": "0.1", "range": {"min": -60, "max": 90.5}}, "038a", "bad:out_of_range"),
        ({"invalid": [{"raw": 20, "reason": "hole"}]}, "0014", "bad:hole"),
        ({"invalid": [{"raw": 20, "reason": "hole"}]}, "0015", "21"),
    ],
)
def test_each_kind_of_value_is_read_as_documented(keys, registers, expected):
    assert decode(point(**keys), registers) == expected


def test_the_raw_value_is_judged_before_the_range():
    one = point(scale="0.1", range={"min": 0, "max": 1}, invalid=[{"raw": 0x8000, "reason": "probe_open"}])
    assert decode(one, "8000") == "bad:probe_open"


CHECKED = point(
    scale="0.1",
    quality_from=[
        {"point": "status", "mask": 3, "equals": 3, "quality": "bad", "reason": "probe_error"},
        {"point": "status", "mask": 3, "equals": [1, 2], "quality": "good", "flag": "device_alarm"},
        {"point": "status", "mask": 0xF0, "equals": 0x10, "quality": "uncertain", "reason": "defrosting"},
    ],
)
STATUS = point(
    key="status",
    type="u16",
    address=1,
    flags={
        "door": {"bit": 4, "active": 1},
        "stable": {"bit": 5, "active": 0},
        "mode": {"bits": [6, 7], "enum": {0: "off", 1: "cool"}},
    },
)


def by_key(registers: str):
    readings = decode_points([CHECKED, STATUS], Table.HOLDING, 0, bytes.fromhex(registers))
    return {reading.point: (reading.value, reading.quality, reading.reason) for reading in readings}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("0000", ("-18.5", "good", None)),
        ("ff03", (None, "bad", "probe_error")),
        ("0001", ("-18.5", "good", None)),
        ("0012", ("-18.5", "uncertain", "defrosting")),
        ("0013", (None, "bad", "probe_error")),
    ],
)
def test_quality_comes_from_another_register(status, expected):
    assert by_key("ff47" + status)["p"] == expected


def test_flags_become_points_of_their_own():
    readings = by_key("ff47" + "0092")
    assert {key: value for key, (value, _, _) in readings.items() if key != "p"} == {
        "status": "146",
        "status.door": "1",
        "status.stable": "1",
        "status.mode": "2",
        "p.device_alarm": "1",
    }


def test_without_its_status_a_value_is_uncertain_and_its_flag_bad():
    readings = decode_points([CHECKED], Table.HOLDING, 0, bytes.fromhex("ff47"))
    assert [(r.point, r.value, r.quality, r.reason) for r in readings] == [
        ("p", "-18.5", "uncertain", "status_unknown"),
        ("p.device_alarm", None, "bad", "status_unknown"),
    ]


def test_a_status_read_in_the_same_cycle_counts():
    raws: dict = {}
    decode_points([CHECKED, STATUS], Table.HOLDING, 1, bytes.fromhex("0003"), raws=raws)
    reading = decode_points([CHECKED, STATUS], Table.HOLDING, 0, bytes.fromhex("ff47"), raws=raws)[0]
    assert (reading.quality, reading.reason) == ("bad", "probe_error")


def test_decimals_come_from_another_register():
    one = point(scale_from={"point": "decimals", "map": {0: "1", 1: "0.1"}}, range={"min": -100, "max": 100})
    decimals = point(key="decimals", type="u16", address=1)
    assert decode(one, "ffed0000", decimals) == "-19"
    assert decode(one, "ff470001", decimals) == "-18.5"
    assert decode(one, "ff470007", decimals) == "bad:scale_unknown"
    assert decode(one, "ff47", decimals) == "bad:scale_unknown"


def test_bits_are_counted_from_the_lowest_of_the_first_byte():
    bits = [point(key=f"b{n}", table="coil", type="bool", address=10 + n) for n in (0, 1, 8)]
    readings = decode_points(bits, Table.COIL, 10, bytes.fromhex("0201"), bits=9)
    assert [(r.point, r.value) for r in readings] == [("b0", "0"), ("b1", "1"), ("b8", "1")]
    assert [r.point for r in decode_points(bits, Table.COIL, 10, bytes.fromhex("0201"), bits=8)] == ["b0", "b1"]


def test_points_outside_the_answer_are_left_out():
    assert decode_points([point(address=1)], Table.HOLDING, 0, bytes.fromhex("0001")) == []
    assert decode_points([point()], Table.INPUT, 0, bytes.fromhex("0001")) == []


def test_a_block_plan_gives_wire_readings_and_marks_a_failed_block():
    points = (point(scale="0.1"), point(key="q", address=1, invalid=({"raw": 0, "reason": "open"},)))
    plan = BlockPlan(ReadBlock(Table.HOLDING, 0, 2, Period.FAST, points), {"p": 7, "q": 9}, set())
    assert plan.decode(bytes.fromhex("ff470000"), 1000, {}) == [
        Reading(7, 1000, -185, 1, Quality.GOOD, None),
        Reading(9, 1000, None, 0, Quality.BAD, "open"),
    ]
    assert plan.failed(1001, "timeout") == [
        Reading(7, 1001, None, 1, Quality.BAD, "timeout"),
        Reading(9, 1001, None, 0, Quality.BAD, "timeout"),
    ]
    with pytest.raises(struct.error):
        plan.decode(b"\0\0", 0, {})


def test_text_is_not_offered_to_the_wire():
    profile = parse_profile("""
profile_version: 1
meta: {id: x, vendor: x, model: x, class: temperature, status: draft, sources: [{id: a, kind: own, ref: a}]}
link: {transport: modbus_rtu}
points:
  - {key: serial, table: holding, address: 0, type: ascii(4)}
  - {key: status, table: holding, address: 2, type: u16, flags: {door: {bit: 0, active: 1}}}
tests: [{response: "", expect: {}, origin: computed}]
""")
    assert [offered.key for offered in offered_points(profile)] == ["status", "status.door"]


# ---- exactness


INTEGERS = {"u8": 1, "s8": 1, "u16": 2, "s16": 2, "u32": 4, "s32": 4}
SCALES = st.one_of(
    st.decimals(min_value=-1000, max_value=1000, places=4).filter(bool).map(lambda d: f"{d:f}"),
    st.builds(lambda n, d: f"{n}/{d}", st.integers(1, 50), st.integers(1, 300)),
)
OFFSETS = st.decimals(min_value=-1000, max_value=1000, places=3).map(lambda d: f"{d:f}")


@given(st.sampled_from(sorted(INTEGERS)), st.data(), SCALES, OFFSETS, st.sampled_from(["big", "little"]))
def test_scaled_integers_are_exact(kind, data, scale, offset, word_order):
    size = INTEGERS[kind]
    low, high = (-(1 << 8 * size - 1), (1 << 8 * size - 1) - 1) if kind[0] == "s" else (0, (1 << 8 * size) - 1)
    raw = data.draw(st.integers(low, high))
    words = raw.to_bytes(max(size, 2), "big", signed=raw < 0)
    keys = {"type": kind, "scale": scale, "offset": offset}
    if size == 4:
        keys["word_order"] = word_order
        words = words if word_order == "big" else words[2:] + words[:2]
    exact = raw * Fraction(scale) + Fraction(offset)
    text = decode(point(**keys), words.hex())
    if text == "bad:out_of_range":  # more digits than the wire carries exactly
        assert abs(exact) * 10**9 >= 1 << 53
    elif places(Fraction(scale)) <= 9:
        assert Fraction(text) == exact
    else:
        assert abs(Fraction(text) - exact) <= Fraction(1, 2 * 10**6)


@given(
    st.integers(-32768, 32767),
    SCALES,
    st.integers(-500, 500),
    st.integers(0, 500),
    st.lists(st.tuples(st.integers(-40000, 40000), st.integers(0, 300)), max_size=3),
)
def test_the_short_way_and_the_long_way_agree(raw, scale, low, span, holes):
    """What BlockPlan takes for simply good is exactly what PointRules calls good."""
    one = point(
        scale=scale,
        range={"min": low, "max": low + span},
        invalid=[{"raw": [start, start + length], "reason": "hole"} for start, length in holes],
    )
    plan = BlockPlan(ReadBlock(Table.HOLDING, 0, 1, Period.FAST, (one,)), {"p": 0}, set())
    rules = plan._slots[0][-1]
    assert plan.decode(struct.pack(">h", raw), 5, {}) == [Reading(0, 5, *rules.evaluate(raw, {}))]


@given(st.floats(width=32, allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9))
def test_a_float_is_given_by_its_shortest_decimal(number):
    text = decode(point(type="f32", word_order="big"), struct.pack(">f", number).hex())
    if abs(number) > 1e-3:
        assert struct.pack(">f", float(text)) == struct.pack(">f", number)
    else:
        assert abs(Fraction(text) - Fraction(number)) < Fraction(1, 10**9) + abs(Fraction(number)) / 10**6


@given(st.sampled_from(["u16", "f32", "f64", "bcd32", "s64", "bool"]), st.binary(min_size=8, max_size=8))
def test_no_bytes_make_it_raise(kind, registers):
    size = parse_type(kind).registers
    one = point(type=kind, **({"word_order": "big"} if size > 1 else {}))
    readings = decode_points([one], Table.HOLDING, 0, registers[: 2 * size])
    assert (readings[0].value is None) == (readings[0].quality == "bad")


@given(st.integers(-(1 << 53), 1 << 53), st.integers(0, 12))
def test_decimal_text_keeps_the_resolution(mantissa, decimals):
    text = decimal_text(mantissa, decimals)
    assert Decimal(text).scaleb(decimals) == mantissa
    assert len(text.partition(".")[2]) == decimals


@pytest.mark.parametrize(("number", "expected"), [("1", 0), ("1/10", 1), ("1/256", 8), ("3/4", 2), ("1/3", 99)])
def test_places_counts_the_decimals_that_an_exact_value_needs(number, expected):
    assert places(Fraction(number)) == expected
    assert Scaling(number, "0").is_exact == (expected < 99)
