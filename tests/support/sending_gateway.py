"""A gateway as the ingest sees it: it seals batches with the real wire code and keeps every one of them."""

import random
from collections.abc import Sequence

from wire.batch import NO_PREVIOUS, Header, SealedBatch, seal
from wire.body import encode_body
from wire.entries import Entry, Gap, Quality, Reading
from wire.messages import Gone, Hello
from wire.points import Point, PointTable
from wire.signature import SigningKey

POINTS = PointTable(
    (
        Point("probe-a", "temperature", "Cel", "air_temperature"),
        Point("probe-b", "temperature", "Cel", "air_temperature"),
        Point("scale", "weight", "kg", "mass"),
        Point("reader", "tag", "", "tag"),
    )
)
BOOT = b"the first boot.."
OTHER_BOOT = b"the second boot."
OFFSET = 1_700_000_000_000


def reading(at: int, mantissa: int | None = -194, *, point: int = 0, reason: str | None = None) -> Reading:
    quality = Quality.GOOD if reason is None else Quality.BAD
    return Reading(point, at, mantissa, 1, quality, reason)


class SendingGateway:
    """`sent` holds every batch in order; times are boot milliseconds."""

    def __init__(self, name: str = "gw-01", *, table: PointTable = POINTS, seed: int | str = 1) -> None:
        dice = random.Random(f"{name}{seed}")
        self.name, self.table = name, table
        self.key = SigningKey(dice.randbytes(32))
        self.epoch = dice.randbytes(16)
        self.sent: list[SealedBatch] = []
        self._prev = NO_PREVIOUS

    def seal(
        self,
        entries: Sequence[Entry],
        *,
        boot: bytes = BOOT,
        offset: int | None = OFFSET,
        body: bytes | None = None,
        points: bytes | None = None,
    ) -> SealedBatch:
        """`body` takes the place of the encoded entries: for bodies that cannot be read."""
        times = [entry.at for entry in entries if not isinstance(entry, Gap)] or [0]
        header = Header(
            gateway=self.name,
            epoch=self.epoch,
            seq=len(self.sent) + 1,
            boot=boot,
            offset_ms=offset,
            first_at=min(times),
            last_at=max(times),
            entries=len(entries),
            prev=self._prev,
            points=points or self.table.digest,
        )
        batch = seal(header, encode_body(entries, min(times)) if body is None else body, self.key.sign)
        self._prev = batch.hash
        self.sent.append(batch)
        return batch

    def hello(
        self, *, oldest: int = 1, key: bytes | None = None, gone: Gone | None = None, following: int | None = None
    ) -> bytes:
        return Hello(
            epoch=self.epoch,
            next=following or len(self.sent) + 1,
            oldest=oldest,
            points=self.table.digest,
            key=key or self.key.public,
            agent="test",
            gone=gone,
        ).encode()

    def begin_epoch(self, name: bytes) -> None:
        self.epoch, self.sent, self._prev = name, [], NO_PREVIOUS
