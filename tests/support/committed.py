"""What a gateway has on its disk: every reading of every batch in its buffer, read beside it while it runs."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from wire.batch import open_batch
from wire.body import decode_body
from wire.points import PointTable, read_point_table

HEALTH_DEVICE = "gateway"

Reading = tuple[str, str, int]  # device, point, UTC ms


class CommittedAtEdge:
    """`look` as often as something may take batches away; `readings` is all that was ever seen on the disk."""

    def __init__(self, buffer: Path) -> None:
        self._buffer = buffer
        self._seen = 0
        self.readings: set[Reading] = set()
        self._unanchored: Counter[tuple[bytes, str]] = Counter()

    def look(self) -> None:
        """A buffer that begins anew under the same name (another card) is read from its start."""
        if not self._buffer.exists():
            return
        with closing(sqlite3.connect(f"file:{self._buffer}?mode=ro", uri=True, timeout=10)) as database:
            last = database.execute("SELECT max(id) FROM batch").fetchone()[0] or 0
            first = self._seen + 1 if last >= self._seen else 0
            tables = {
                digest: read_point_table(body)
                for digest, body in database.execute("SELECT digest, data FROM point_table")
            }
            for number, data in database.execute("SELECT id, data FROM batch WHERE id >= ? ORDER BY id", (first,)):
                self._seen = number
                self._add(data, tables)

    @property
    def count(self) -> int:
        return len(self.readings) + self._unanchored.total()

    def of_boot(self, boot: int, devices: str = "counter-") -> int:
        """Readings of a numbered boot in batches that did not know the time."""
        return sum(
            count
            for (found, device), count in self._unanchored.items()
            if int.from_bytes(found) == boot and device.startswith(devices)
        )

    def _add(self, data: bytes, tables: dict[bytes, PointTable]) -> None:
        batch = open_batch(data)
        header = batch.header
        for reading in decode_body(batch.body, header.first_at, header.entries).readings():
            point = tables[header.points].points[reading.point]
            if point.device == HEALTH_DEVICE or reading.mantissa is None:
                continue
            if header.offset_ms is None:
                self._unanchored[header.boot, point.device] += 1
            else:
                self.readings.add((point.device, point.key, reading.at + header.offset_ms))


def stored_readings(database: Path) -> Iterator[Reading]:
    """All values in the cloud's database, one for each row: a double comes twice."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)) as opened:
        yield from opened.execute(
            "SELECT series.device, series.point, reading.observed_at FROM reading"
            " JOIN series ON series.id = reading.series_id WHERE reading.value IS NOT NULL AND series.device <> ?",
            (HEALTH_DEVICE,),
        )
