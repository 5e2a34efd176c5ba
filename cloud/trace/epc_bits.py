"""Reads an EPC from behind its header on."""

from __future__ import annotations

from cloud.trace.errors import BadLength

_HEADER_BITS = 8


class Bits:
    def __init__(self, raw: bytes, scheme: str) -> None:
        self._value, self._total = int.from_bytes(raw), len(raw) * 8
        self._left = self._total - _HEADER_BITS
        self._scheme = scheme

    def take(self, count: int) -> int:
        """The next `count` bits as a number. Raises BadLength when the tag ends before."""
        if count > self._left:
            raise BadLength(self._scheme, self._total, self._total - self._left + count)
        self._left -= count
        return self._value >> self._left & (1 << count) - 1
