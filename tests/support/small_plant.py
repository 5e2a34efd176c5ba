"""Fills a real database with a small plant: what API, page and browser tests look at."""

import math
import random
from collections.abc import Callable, Iterable

from sqlalchemy import MetaData, Table, insert, update

from cloud.store.engine import Store

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NOW = 1_795_246_320_000  # 21/11/2026 14:32 in Viet Nam


class SmallPlant:
    """Rows go in by table and column name, so that this knows the schema and nothing of the code under test."""

    def __init__(self, store: Store, now: int = NOW) -> None:
        self.store = store
        self.now = now
        self.tables = MetaData()
        self.series: dict[str, int] = {}
        self.zones: dict[str, int] = {}
        with store.read() as connection:
            self.tables.reflect(connection)
        self.site = self.add("site", key="binh-minh", name_vi="Gia cầm Bình Minh", name_en="Binh Minh Poultry")
        self.gateway = self.add(
            "gateway", name="gw-01", shard="s0", first_seen_at=now - 30 * DAY, last_seen_at=now - 1000
        )
        boot = bytes(16)
        self.clock = self.add("clock", gateway_id=self.gateway, boot=boot, offset_ms=0)
        self.batch = self.add(
            "batch", gateway_id=self.gateway, epoch=boot, seq=1, hash=b"h", boot=boot, entries=1,
            first_at=now - DAY, last_at=now, received_at=now, anchored=1, payload=b"",
        )  # fmt: skip
        self.timeout = self.add("reason", name="timeout")

    def table(self, name: str) -> Table:
        return self.tables.tables[name]

    def add(self, table: str, **columns: object) -> int:
        with self.store.write() as connection:
            key = connection.execute(insert(self.table(table)).values(**columns)).inserted_primary_key
        return key[0]

    def change(self, table: str, row: int, **columns: object) -> None:
        with self.store.write() as connection:
            connection.execute(update(self.table(table)).where(self.table(table).c.id == row).values(**columns))

    def zone(
        self, key: str, vi: str, en: str, *, high: str | None = None, low: str | None = None, **rule: object
    ) -> int:
        zone = self.add("zone", site_id=self.site, key=key, name_vi=vi, name_en=en, position=len(self.zones))
        self.zones[key] = zone
        for kind, setpoint in (("above", high), ("below", low)):
            if setpoint is not None:
                self.limit(zone, kind, setpoint, **rule)
        return zone

    def limit(self, zone: int, kind: str, setpoint: str, **rule: object) -> int:
        row = {
            "deadband": "0.5", "on_delay_s": 1800, "off_delay_s": 300, "max_gap_s": 300, "severity": "high",
            "citation": "QCVN 02-09", "version": 3, "valid_from": self.now - 365 * DAY, **rule,
        }  # fmt: skip
        return self.add(
            "limit_rule",
            zone_id=zone,
            key=f"{kind}-air",
            kind=kind,
            quantity="air_temperature",
            setpoint=setpoint,
            **row,
        )

    def probe(self, zone: str, device: str | None = None, point: str = "temperature", unit: str = "°C") -> int:
        device = device or f"{zone}-probe"
        name = f"gw-01/{device}/{point}"
        series = self.add(
            "series",
            gateway_id=self.gateway,
            device=device,
            point=point,
            unit=unit,
            quantity="air_temperature" if point == "temperature" else point,
        )
        self.series[name] = series
        self.add(
            "installation",
            series_name=name,
            zone_id=self.zones[zone],
            role="air_temperature",
            from_at=self.now - 90 * DAY,
        )
        return series

    def readings(self, series: int, values: Iterable[tuple[int, float | None]], decimals: int = 1) -> None:
        rows = [
            {
                "series_id": series, "observed_at": at, "clock_id": self.clock, "value": value,
                "detail": decimals if value is not None else decimals | 2 << 4 | self.timeout << 8,
                "batch_id": self.batch,
            }
            for at, value in values
        ]  # fmt: skip
        newest = max(rows, key=lambda row: row["observed_at"])
        latest = {key: newest[key] for key in ("series_id", "observed_at", "value", "detail")}
        latest["received_at"] = newest["observed_at"] + 800
        table = self.table("latest")
        with self.store.write() as connection:
            connection.execute(insert(self.table("reading")), rows)
            connection.execute(table.delete().where(table.c.series_id == series))
            connection.execute(insert(table).values(**latest))

    def lot(self, key: str, vi: str, en: str, quantity_kg: str = "640", created_at: int | None = None) -> int:
        at = self.now - 30 * HOUR if created_at is None else created_at
        return self.add(
            "lot", key=key, gtin="09521234543213", name_vi=vi, name_en=en, quantity_kg=quantity_kg,
            created_at=at, recorded_at=at,
        )  # fmt: skip

    def stay(self, lot: int, zone: str, from_at: int, until_at: int | None = None) -> int:
        return self.add(
            "residence", lot_id=lot, zone_id=self.zones[zone], from_at=from_at, until_at=until_at, version=1, current=1
        )

    def breach(self, zone: str, onset_at: int, status: str = "active", **columns: object) -> str:
        key = f"{zone}-{onset_at}"
        with self.store.read() as connection:
            rules = connection.execute(self.table("limit_rule").select())
            limit = next(rule.id for rule in rules if rule.zone_id == self.zones[zone] and rule.kind == "above")
        self.add(
            "breach", key=key, version=1, zone_id=self.zones[zone], limit_id=limit, status=status, onset_at=onset_at,
            computed_at=self.now, current=1, **columns,
        )  # fmt: skip
        return key

    def alarm(self, zone: str, raised_at: int, state: str = "unacknowledged", **columns: object) -> int:
        row = {
            "kind": "breach",
            "severity": "high",
            "onset_at": raised_at - 30 * MINUTE,
            "updated_at": self.now,
            **columns,
        }
        alarm = self.add(
            "alarm", key=f"{zone}-{raised_at}", zone_id=self.zones[zone], state=state, raised_at=raised_at, **row
        )
        self.add("alarm_event", alarm_id=alarm, at=raised_at, kind="raised")
        return alarm


Curve = Callable[[int], float | None]


def steady(level: float, swing: float, seed: int) -> Curve:
    chance = random.Random(seed)
    phase = chance.random() * 9
    return lambda at: round(level + swing * math.sin(at / 5.4e6 + phase) + chance.gauss(0, swing / 5), 1)


def until(limit: int, curve: Curve) -> Curve:
    return lambda at: curve(at) if at < limit else None


def warming(start: int, curve: Curve, rise_per_hour: float) -> Curve:
    def value(at: int) -> float | None:
        before = curve(at)
        return before if before is None or at < start else round(before + (at - start) / HOUR * rise_per_hour, 1)

    return value


def binh_minh(store: Store, now: int = NOW, hours: int = 24, period_ms: int = MINUTE) -> SmallPlant:
    """A slaughterhouse with one room in breach, one just over its limit and one that went silent."""
    plant = SmallPlant(store, now)
    lost = now - 38 * MINUTE
    rooms: list[tuple[str, str, str, str | None, str | None, Curve]] = [
        ("be-1", "Bể làm lạnh 1", "Chiller tank 1", "4", "0", steady(1.8, 0.4, 1)),
        ("lanh-khi", "Làm lạnh khí", "Air chilling", "4", "-1.5", steady(0.9, 0.5, 2)),
        ("pha-loc", "Phòng pha lóc", "Cutting room", "12", None, steady(10.6, 0.7, 3)),
        ("dong-goi", "Phòng đóng gói", "Packing room", "12", None, steady(9.8, 0.6, 4)),
        ("kho-mat-1", "Kho mát 1", "Chill store 1", "4", "-1.5", steady(2.1, 0.5, 5)),
        ("kho-mat-2", "Kho mát 2", "Chill store 2", "4", "-1.5", warming(now - HOUR, steady(2.4, 0.4, 6), 2.3)),
        ("cap-dong-1", "Hầm cấp đông 1", "Blast freezer 1", "-25", None, steady(-34.6, 0.8, 7)),
        ("cap-dong-2", "Hầm cấp đông 2", "Blast freezer 2", "-25", None, steady(-33.2, 0.8, 8)),
        ("kho-lanh-a", "Kho lạnh A", "Cold store A", "-18", "-24", steady(-20.4, 0.5, 9)),
        ("kho-lanh-b", "Kho lạnh B", "Cold store B", "-18", "-24", warming(now - 74 * MINUTE, steady(-20.2, 0.5, 10), 5)),
        ("kho-lanh-c", "Kho lạnh C", "Cold store C", "-18", "-24", until(lost, steady(-19.8, 0.4, 11))),
        ("xuat-hang", "Sảnh xuất hàng", "Loading dock", "12", None, steady(8.9, 0.9, 12)),
    ]  # fmt: skip
    hole = (now - 16 * HOUR, now - 16 * HOUR + 42 * MINUTE)
    for number, (key, vi, en, high, low, curve) in enumerate(rooms):
        plant.zone(key, vi, en, high=high, low=low)
        series = plant.probe(key)
        first = now - hours * HOUR
        at = list(range(first, now - 1500 - number * 100, period_ms))
        at.append(now - 2000 - number * 250)
        plant.readings(
            series,
            [
                (t, value)
                for t in at
                if (value := curve(t)) is not None and not (key == "kho-lanh-b" and hole[0] <= t < hole[1])
            ],
        )
    onset = now - 54 * MINUTE
    breach = plant.breach("kho-lanh-b", onset, confirmed_at=now - 24 * MINUTE, extreme=-14.2, extreme_at=now - 2000)
    plant.breach("kho-mat-2", now - 12 * MINUTE, status="pending")
    plant.alarm("kho-lanh-b", now - 24 * MINUTE, breach_key=breach, onset_at=onset)
    plant.alarm(
        "kho-lanh-c", now - 33 * MINUTE, "acknowledged", kind="no_data", ack_by="Lê Văn Tám", ack_at=now - 23 * MINUTE
    )
    plant.alarm(
        "xuat-hang", now - 2 * HOUR, "returned_unacknowledged", severity="medium", returned_at=now - 81 * MINUTE
    )
    plant.alarm(
        "kho-lanh-a", now - 20 * HOUR, "normal", returned_at=now - 19 * HOUR, ack_by="Nguyễn Thị Mai",
        ack_at=now - 19 * HOUR - 40 * MINUTE, ack_note="Đã đóng cửa",
    )  # fmt: skip
    _lots(plant)
    return plant


def _lots(plant: SmallPlant) -> None:
    now = plant.now
    journey = [
        ("be-1", 33.2),
        ("lanh-khi", 32.4),
        ("pha-loc", 28.8),
        ("dong-goi", 27.4),
        ("cap-dong-1", 26.3),
        ("kho-lanh-b", 18),
    ]
    for lot, (number, vi, en, kg) in enumerate([
        ("BM261120-03", "Đùi gà góc tư đông lạnh", "Frozen leg quarters", "1248.6"),
        ("BM261120-04", "Cánh gà", "Wings", "402.8"),
        ("BM261119-02", "Viên chiên", "Nuggets", "640"),
    ]):  # fmt: skip
        row = plant.lot(number, vi, en, kg, created_at=now - 34 * HOUR)
        ends = [*(hours for _, hours in journey[1:]), None]
        for (zone, hours), end in zip(journey, ends, strict=True):
            shift = lot * 25 * MINUTE
            plant.stay(
                row, zone, now - int(hours * HOUR) + shift, None if end is None else now - int(end * HOUR) + shift
            )
    for lot in range(14):
        row = plant.lot(f"BM2611{10 + lot // 3}-{lot % 9 + 1:02}", "Gà nguyên con", "Whole bird", "1530", now - 5 * DAY)
        plant.stay(row, "kho-lanh-a", now - (60 - lot) * HOUR)
