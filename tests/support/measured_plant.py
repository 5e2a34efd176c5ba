"""A database with one site, some probes and a reader, and facts that reach it in any order, as the ingest writes them."""

import shutil
from pathlib import Path

from cloud.site import apply_site, read_site, zone_by_key
from cloud.store import open_store
from cloud.store.detail import pack_detail
from cloud.store.readings import insert_readings
from wire.entries import Quality

SINCE = 1_767_225_600_000  # 2026-01-01T00:00:00Z

SITE = """
key: small
name: {vi: Nhỏ, en: Small}
since: 2026-01-01
zones:
  - key: kho-lanh-b
    name: {vi: Kho lạnh B, en: Cold store B}
    points: [{point: gw-01/b-1/temperature}, {point: gw-01/b-2/temperature}]
    limits: [{key: high, kind: above, setpoint: -18, deadband: "0.5", on_delay_s: 600, off_delay_s: 120, severity: high}]
  - key: xuat-hang
    name: {vi: Sảnh xuất hàng, en: Loading dock}
    points: [{point: gw-01/dock/temperature}]
    limits: [{key: high, kind: above, setpoint: 12, on_delay_s: 600}]
  - key: dong-goi
    name: {vi: Phòng đóng gói, en: Packing room}
read_points:
  - {point: gw-01/door/tag, antenna: 1, zone: xuat-hang, role: outside}
  - {point: gw-01/door/tag, antenna: 2, zone: kho-lanh-b, role: inside}
"""
SERIES = {
    1: ("b-1", "temperature"),
    2: ("b-2", "temperature"),
    3: ("dock", "temperature"),
    4: ("door", "tag"),
}


class MeasuredPlant:
    """Writes what the ingest writes, with its marks of what became dirty."""

    def __init__(self, folder: Path, site: str = SITE, now_ms: int = SINCE) -> None:
        self.path = folder / "plant.db"
        self.store = open_store(f"sqlite:///{self.path}")
        path = folder / "small.site.yaml"
        path.write_text(site, "utf-8")
        with self.store.write() as connection:
            apply_site(connection, read_site(path), now_ms)
            connection.exec_driver_sql(
                "INSERT INTO gateway (id, name, shard, first_seen_at, last_seen_at) VALUES (1, 'gw-01', 's0', 0, 0)"
            )
            connection.exec_driver_sql("INSERT INTO clock (id, gateway_id, boot, offset_ms) VALUES (1, 1, x'00', 0)")
            connection.exec_driver_sql(
                "INSERT INTO batch (id, gateway_id, epoch, seq, hash, boot, entries, received_at, anchored, payload)"
                " VALUES (1, 1, x'00', 1, x'00', x'00', 0, 0, 1, x'')"
            )
            for number, (device, point) in SERIES.items():
                connection.exec_driver_sql(
                    "INSERT INTO series (id, gateway_id, device, point, unit, quantity) VALUES (?, 1, ?, ?, 'Cel', 'x')",
                    (number, device, point),
                )
            self.zone_ids = {key: zone_by_key(connection, key).id for key in ("kho-lanh-b", "xuat-hang", "dong-goi")}

    def copied_to(self, folder: Path) -> "MeasuredPlant":
        """The same plant in a database of its own; close this one first, so that all of it is in its file."""
        copy = object.__new__(MeasuredPlant)
        shutil.copy(self.path, folder / self.path.name)
        copy.path, copy.zone_ids = folder / self.path.name, self.zone_ids
        copy.store = open_store(f"sqlite:///{copy.path}")
        return copy

    def close(self) -> None:
        self.store.close()

    def read(self, connection, zone, readings, quality=Quality.GOOD):
        """`readings` are (series, at, value); they reach the books in one go."""
        if not readings:
            return
        detail = pack_detail(1, quality)
        insert_readings(connection, [(series, at, 1, value, detail, 1) for series, at, value in readings])
        moments = [at for _, at, _ in readings]
        self.mark_dirty(connection, zone, min(moments), max(moments))

    def mark_dirty(self, connection, zone, from_at, until_at):
        connection.exec_driver_sql(
            "INSERT INTO dirty_zone (zone_id, from_at, until_at) VALUES (?, ?, ?)",
            (self.zone_ids[zone], from_at, until_at),
        )

    def see(self, connection, epc, antenna, at, last_at=None, series=4):
        """One sighting by the reader at the door."""
        connection.exec_driver_sql(
            "INSERT INTO sighting (series_id, epc, observed_at, last_at, reads, antenna, clock_id, batch_id)"
            " VALUES (?, ?, ?, ?, 1, ?, 1, 1) ON CONFLICT DO NOTHING",
            (series, epc, at, at if last_at is None else last_at, antenna),
        )
        connection.exec_driver_sql("INSERT INTO dirty_carrier (epc, from_at) VALUES (?, ?)", (epc, at))
