"""The reading that looks like a measurement is marked, whatever type and word order the maker chose."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.commissioning.interpret import best, interpretations


def words(raw: bytes, *more: int) -> list[int]:
    return [int.from_bytes(raw[at : at + 2]) for at in range(0, len(raw), 2)] + list(more)


def f32(value: float, *, is_swapped: bool = False) -> list[int]:
    high_first = words(struct.pack(">f", value))
    return high_first[::-1] if is_swapped else high_first


@pytest.mark.parametrize(
    ("registers", "expected", "marked"),
    [
        ([0xFF42], None, ("s16", "", "0.1", "-19.0")),
        ([0x00BE, 0x0366], None, ("s16", "", "0.1", "19.0")),
        ([*f32(-18.43), 0, 0], None, ("f32", "big", "1", "-18.43")),
        ([*f32(-18.43, is_swapped=True), 0, 0], None, ("f32", "little", "1", "-18.43")),
        ([0xF8CB], -18.45, ("s16", "", "0.01", "-18.45")),
        ([0x0000, 0x04D2], 1234.0, ("s32", "big", "1", "1234")),
        ([0x04D2, 0x0000], 12340.0, None),
        ([0x1234], 1234.0, ("bcd16", "", "1", "1234")),
        ([0x8000], None, None),
        ([0], None, None),
    ],
)
def test_the_plausible_reading_is_marked(registers, expected, marked):
    found = best(interpretations(registers, expected))
    assert (None if found is None else tuple(found[:4])) == marked


@given(st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=4), st.none() | st.floats(-1e6, 1e6))
def test_any_registers_can_be_read_in_every_way(registers, expected):
    found = interpretations(registers, expected)
    assert {"hex", "bits", "u16", "s16"} <= {one.type for one in found}
    assert all(one.likeness >= 0 for one in found)
