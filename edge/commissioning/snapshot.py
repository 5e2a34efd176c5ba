"""All points of one device, read once as its profile says."""

from __future__ import annotations

from collections.abc import Iterator

from edge.commissioning.asking import Asker
from edge.drivers.modbus import read_request
from edge.profiles.blocks import ReadBlock, plan_blocks, split_block
from edge.profiles.decode import NamedReading, Raws, decode_points
from edge.profiles.profile import Profile


async def read_points(asker: Asker, profile: Profile, unit: int) -> list[NamedReading]:
    """Every point has a reading; what could not be read is bad, with its reason. Raises BusError: the line is down."""
    readings: list[NamedReading] = []
    raws: Raws = {}
    for block in plan_blocks(profile):
        readings += await _read_block(asker, block, unit, raws)
    return readings


async def _read_block(asker: Asker, block: ReadBlock, unit: int, raws: Raws) -> list[NamedReading]:
    outcome = await asker.ask(read_request(unit, block.table.read_function, block.address, block.size))
    if outcome.reason == "crc":
        outcome = await asker.ask(read_request(unit, block.table.read_function, block.address, block.size))
    if outcome.payload is not None:
        bits = block.size if block.table.is_bits else None
        return decode_points(block.points, block.table, block.address, outcome.payload, bits=bits, raws=raws)
    parts = split_block(block)
    if outcome.exception in (2, 3) and len(parts) > 1:
        return [reading for part in parts for reading in await _read_block(asker, part, unit, raws)]
    return list(_failed(block, outcome.reason or "timeout"))


def _failed(block: ReadBlock, reason: str) -> Iterator[NamedReading]:
    for point in block.points:
        yield NamedReading(point.key, None, point.unit.value, "bad", reason)
