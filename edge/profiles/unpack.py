"""From the bytes of a block to one raw value per point, in whatever byte and word order the maker chose."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

from edge.profiles.blocks import ReadBlock
from edge.profiles.profile_types import Order, Point

Unpacker = Callable[[bytes], Sequence[Any]]  # raises struct.error when the bytes are not as long as the block


def word_unpacker(block: ReadBlock, points: Sequence[Point]) -> Unpacker:
    """Plain neighbours are unpacked as they lie; the rest is put in order first."""
    unpack = struct.Struct(">" + "".join(point.value_type.letter for point in points)).unpack
    order = [index for point in points for index in byte_order(point, point.address - block.address)]
    if order == list(range(block.size * 2)):
        return unpack
    whole = struct.Struct(f"{block.size * 2}s").unpack  # insists on the length
    if len(order) < 2:
        return lambda registers: unpack(bytes(whole(registers)[0][index] for index in order))
    pick = itemgetter(*order)
    return lambda registers: unpack(bytes(pick(whole(registers)[0])))


def byte_order(point: Point, offset: int) -> list[int]:
    """Where the bytes of a point lie in the block, the most significant first."""
    kind = point.value_type
    words = [[2 * (offset + word), 2 * (offset + word) + 1] for word in range(kind.registers)]
    if point.byte_order is Order.LITTLE:
        words = [word[::-1] for word in words]
    if point.word_order is Order.LITTLE:
        words.reverse()
    flat = [index for word in words for index in word]
    return flat[-1:] if kind.size == 1 else flat[: kind.size]  # u8 and s8 are the low byte of their word


def bit_unpacker(block: ReadBlock, points: Sequence[Point]) -> Unpacker:
    places_of = [divmod(point.address - block.address, 8) for point in points]
    length = (block.size + 7) // 8

    def unpack(packed: bytes) -> list[int]:
        if len(packed) != length:
            raise struct.error(f"{len(packed)} bytes for {block.size} bits")
        return [packed[byte] >> bit & 1 for byte, bit in places_of]

    return unpack
