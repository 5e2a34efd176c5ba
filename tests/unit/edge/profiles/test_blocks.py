"""Reads are joined only where the profile allows it, and every point is read exactly once."""

from hypothesis import given
from hypothesis import strategies as st

from edge.profiles.blocks import compute_blocks, plan_blocks, split_block, width
from edge.profiles.profile import parse_profile
from edge.profiles.profile_types import Order, Period, Point, Table

HEAD = """
profile_version: 1
meta: {id: x, vendor: x, model: x, class: temperature, status: draft, sources: [{id: a, kind: own, ref: a}]}
tests: [{response: "", expect: {}, origin: computed}]
"""


def profile(rest: str):
    return parse_profile(HEAD + rest)


def reads(blocks):
    return [(block.table.value, block.address, block.size, [point.key for point in block.points]) for block in blocks]


def test_neighbours_become_one_read_and_an_untested_hole_splits_them():
    points = """
link: {transport: modbus_rtu, max_read_registers: 10, max_hole: 0}
points:
  - {key: a, table: input, address: 0, type: u16}
  - {key: b, table: input, address: 1, type: u16}
  - {key: c, table: input, address: 3, type: u16}
"""
    assert reads(plan_blocks(profile(points))) == [("input", 0, 2, ["a", "b"]), ("input", 3, 1, ["c"])]
    assert reads(plan_blocks(profile(points.replace("max_hole: 0", "max_hole: 1")))) == [
        ("input", 0, 4, ["a", "b", "c"])
    ]


def test_a_block_that_the_profile_names_is_read_as_named():
    blocks = plan_blocks(
        profile("""
link: {transport: modbus_rtu, max_read_registers: 16}
blocks: [{table: input, address: 0, count: 16}]
points:
  - {key: a, table: input, address: 2, type: u16}
  - {key: b, table: input, address: 9, type: u16}
  - {key: c, table: input, address: 40, type: u16}
""")
    )
    assert reads(blocks) == [("input", 0, 16, ["a", "b"]), ("input", 40, 1, ["c"])]


def test_what_others_lean_on_is_read_first():
    blocks = plan_blocks(
        profile("""
link: {transport: modbus_rtu, max_read_registers: 1}
points:
  - {key: value, table: input, address: 0, type: u16, scale_from: {point: decimals, map: {0: "1"}}}
  - {key: decimals, table: input, address: 9, type: u16}
""")
    )
    assert [block.points[0].key for block in blocks] == ["decimals", "value"]


POINTS = st.lists(
    st.builds(
        lambda table, address, long, period: (table, address, long, period),
        st.sampled_from(Table),
        st.integers(0, 300),
        st.booleans(),
        st.sampled_from([Period.FAST, Period.SLOW]),
    ),
    max_size=40,
    unique_by=lambda row: row[:2],
)


@given(POINTS, st.integers(2, 125), st.integers(1, 100), st.integers(0, 20))
def test_every_point_is_read_once_whole_and_within_the_limits(rows, max_registers, max_bits, max_hole):
    points = [
        Point(
            key=f"p{number}",
            table=table,
            address=address,
            type="bool" if table.is_bits else "u32" if is_long else "u16",
            word_order=Order.BIG if is_long and not table.is_bits else None,
            period=period,
        )
        for number, (table, address, is_long, period) in enumerate(rows)
    ]
    blocks = compute_blocks(points, max_registers, max_bits, max_hole)
    assert sorted(point.key for block in blocks for point in block.points) == sorted(point.key for point in points)
    for block in blocks:
        assert block.size <= (max_bits if block.table.is_bits else max_registers)
        wanted = {address for point in block.points for address in range(point.address, point.address + width(point))}
        assert wanted <= set(range(block.address, block.end))
        assert all(point.table is block.table and point.period is block.period for point in block.points)
        hole = 0
        for address in range(block.address, block.end):
            hole = 0 if address in wanted else hole + 1
            assert hole <= max_hole


def test_a_split_read_keeps_together_what_must_come_from_one_answer():
    (whole,) = plan_blocks(
        profile("""
link: {transport: modbus_rtu, max_read_registers: 10, max_hole: 5}
points:
  - {key: a, table: input, address: 0, type: u16}
  - {key: gross, table: input, address: 2, type: s32, word_order: big, atomic_group: weight}
  - {key: net, table: input, address: 4, type: s32, word_order: big, atomic_group: weight}
""")
    )
    assert reads([whole]) == [("input", 0, 6, ["a", "gross", "net"])]
    assert reads(split_block(whole)) == [("input", 0, 1, ["a"]), ("input", 2, 4, ["gross", "net"])]
