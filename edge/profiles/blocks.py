"""Which registers to read together: the profile's own blocks, or computed ones that never cross an untested hole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from edge.profiles.profile_types import Block, Period, Point, Profile, Table


class ReadBlock(NamedTuple):
    """One request: `size` registers (or bits) from `address`, and the points that lie in it."""

    table: Table
    address: int
    size: int
    period: Period
    points: tuple[Point, ...]

    @property
    def end(self) -> int:
        return self.address + self.size


def plan_blocks(profile: Profile) -> list[ReadBlock]:
    """All reads of a device. Blocks whose points others lean on come first, so that one cycle settles everything."""
    link = profile.link
    explicit = [_fill(block, profile.points) for block in profile.blocks]
    covered = {point.key for block in explicit for point in block.points}
    rest = [point for point in profile.points if point.key not in covered]
    computed = compute_blocks(rest, link.max_read_registers, link.max_read_bits, link.max_hole)
    leaned_on = _leaned_on(profile.points)
    blocks = [block for block in explicit if block.points] + computed
    return sorted(blocks, key=lambda block: not any(point.key in leaned_on for point in block.points))


def split_block(block: ReadBlock) -> list[ReadBlock]:
    """The same points with as few of them together as may be: one a read, and what must come from one answer."""
    parts: dict[str, list[Point]] = {}
    for point in block.points:
        parts.setdefault(point.atomic_group or f" {point.key}", []).append(point)
    return [_around(block, points) for points in parts.values()]


def _around(block: ReadBlock, points: Sequence[Point]) -> ReadBlock:
    first = min(point.address for point in points)
    end = max(point.address + width(point) for point in points)
    return ReadBlock(block.table, first, end - first, block.period, tuple(points))


def compute_blocks(points: Sequence[Point], max_registers: int, max_bits: int, max_hole: int) -> list[ReadBlock]:
    """Join neighbours of one table and period while holes and length allow it."""
    blocks: list[ReadBlock] = []
    for point in sorted(points, key=lambda p: (str(p.table), p.period.at_least_s, p.address)):
        assert point.table is not None
        last = blocks[-1] if blocks else None
        if last is not None and (last.table, last.period) == (point.table, point.period):
            end = max(last.end, point.address + width(point))
            most = max_bits if point.table.is_bits else max_registers
            if point.address - (last.end) <= max_hole and end - last.address <= most:
                blocks[-1] = last._replace(size=end - last.address, points=(*last.points, point))
                continue
        blocks.append(ReadBlock(point.table, point.address, width(point), point.period, (point,)))
    return blocks


def width(point: Point) -> int:
    """Registers, or bits, that a point takes in its table."""
    return 1 if point.table is not None and point.table.is_bits else point.value_type.registers


def _fill(block: Block, points: Iterable[Point]) -> ReadBlock:
    inside = tuple(
        point
        for point in points
        if point.table is block.table
        and point.address >= block.address
        and point.address + width(point) <= block.address + block.count
    )
    fastest = min((point.period for point in inside), key=lambda period: period.at_least_s, default=Period.FAST)
    return ReadBlock(block.table, block.address, block.count, fastest, inside)


def _leaned_on(points: Iterable[Point]) -> set[str]:
    named = {item.point for point in points for item in point.quality_from}
    return named | {point.scale_from.point for point in points if point.scale_from is not None}
