"""Gateways that have measured already: batches sealed beforehand, so that only the taking of them is timed."""

from __future__ import annotations

import random
from collections.abc import Sequence

from wire.batch import NO_PREVIOUS, Header, SealedBatch, seal
from wire.body import encode_body
from wire.entries import Quality, Reading
from wire.messages import Hello
from wire.points import Point, PointTable
from wire.signature import SigningKey

OFFSET_MS = 1_700_000_000_000
FLUSH_S = 5
REGISTERS = 10  # read together, so that they share their times


class SealedGateway:
    """`points` points at 1 Hz that wander by tenths, a batch each 5 s."""

    def __init__(self, name: str, points: int, batches: int, dice: random.Random) -> None:
        self.name, self.key, self.epoch = name, SigningKey(dice.randbytes(32)), dice.randbytes(16)
        self.table = PointTable(
            tuple(Point(f"d{n // REGISTERS}", f"c{n % REGISTERS}", "Cel", "air_temperature") for n in range(points))
        )
        self.batches: list[SealedBatch] = []
        prev, values = NO_PREVIOUS, [dice.randrange(-250, 100) for _ in range(points)]
        for number in range(batches):
            batch = self._seal(number, prev, values, dice)
            self.batches.append(batch)
            prev = batch.hash

    @property
    def hello(self) -> bytes:
        return Hello(self.epoch, 1, 1, self.table.digest, self.key.public, "bench").encode()

    def flights(self, batches_per_flight: int) -> list[bytes]:
        return [
            b"".join(batch.data for batch in self.batches[at : at + batches_per_flight])
            for at in range(0, len(self.batches), batches_per_flight)
        ]

    def _seal(self, number: int, prev: bytes, values: list[int], dice: random.Random) -> SealedBatch:
        first_at = 1000 + number * FLUSH_S * 1000
        entries: list[Reading] = []
        for second in range(FLUSH_S):
            wander(values, dice)
            at = first_at + second * 1000
            entries += [Reading(n, at + n // REGISTERS, value, 1, Quality.GOOD, None) for n, value in enumerate(values)]
        header = Header(
            gateway=self.name,
            epoch=self.epoch,
            seq=number + 1,
            boot=b"b" * 16,
            offset_ms=OFFSET_MS,
            first_at=first_at,
            last_at=entries[-1].at,
            entries=len(entries),
            prev=prev,
            points=self.table.digest,
        )
        return seal(header, encode_body(entries, first_at), self.key.sign)


def wander(values: list[int], dice: random.Random, steps: Sequence[int] = (-1, 0, 0, 1)) -> None:
    """One step of a random walk, in place: a second of a cold store seen in tenths of a degree."""
    values[:] = [value + step for value, step in zip(values, dice.choices(steps, k=len(values)), strict=True)]
