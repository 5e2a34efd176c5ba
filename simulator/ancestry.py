"""What a lot was made of, and whom it goes to, as the cloud's public interface takes it; pure.

    flock --slaughter--> carcasses, chilled and measured --cut--> the lot --ship--> a customer

Up to the cutting room it is the carcass lot that moves. Every third lot is of two flocks.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from simulator.epc import gtin_14
from simulator.flow import Lot
from simulator.operations import day_begins, site_day

FARMS = ("Trại Tân Bình", "Trại Tân Phú", "Trại Mỹ Lộc")
CUSTOMERS = ("Siêu thị Hòa Bình", "Chợ đầu mối Bình Điền", "Bếp ăn KCN Long Hậu", "Cửa hàng Bình Minh 3")
_LOTS_OF_A_FLOCK = 3
_FLOCK_KG = 20_000
_DRESSING_YIELD, _CUTTING_YIELD = 0.72, 0.955
_BIRD_KG = 2.1
_MEASURED_BEFORE_MS = 60_000
_FLOCK_GTIN, _CARCASS_GTIN = gtin_14("0952123454390"), gtin_14("0952123454391")


class Post(NamedTuple):
    path: str
    body: Mapping[str, object]


def carcass_of(lot: Lot) -> str:
    return f"{lot.number}-T"


def flocks_of(lot: Lot) -> list[str]:
    day, number = lot.number.removeprefix("BM").split("-")
    group = int(number) // _LOTS_OF_A_FLOCK
    groups = [group, group + 1] if int(number) % _LOTS_OF_A_FLOCK == _LOTS_OF_A_FLOCK - 1 else [group]
    return [f"DAN{day}-{one:02d}" for one in groups]


def slaughter_posts(lot: Lot) -> list[Post]:
    """The flocks come in, and the birds for this lot become carcasses."""
    if lot.cut_ms is None:
        return []
    carcass_kg = float(lot.quantity_kg) / _CUTTING_YIELD
    kilograms = f"{carcass_kg:.1f}"
    flocks = flocks_of(lot)
    each_kg = carcass_kg / _DRESSING_YIELD / len(flocks)
    part = {"quantity_kg": f"{each_kg:.1f}", "pieces": round(each_kg / _BIRD_KG)}
    inputs = [{"lot": key, **part} for key in flocks]
    outputs = [{"lot": carcass_of(lot), "quantity_kg": kilograms}]
    received = [post for key in flocks for post in _receive(key, lot)]
    carcass = _new_lot(
        carcass_of(lot), _CARCASS_GTIN, "Thân thịt gà", "Chicken carcasses", f"{carcass_kg:.1f}", lot.created_ms
    )
    facts = {"inputs": inputs, "outputs": outputs, "zone": lot.stops[0].zone}
    return [*received, carcass, _event("slaughter", lot.created_ms, "Lê Văn Tám", **facts)]


def cut_posts(lot: Lot) -> list[Post]:
    """The carcasses are measured in the thickest part and cut into what the lot is named after."""
    if lot.cut_ms is None:
        return []
    core = 2.4 + sum(map(ord, lot.number)) % 15 / 10
    measured = _event(
        "measure",
        max(lot.cut_ms - _MEASURED_BEFORE_MS, lot.created_ms + 1),
        "Lê Văn Tám",
        subjects=[{"lot": carcass_of(lot)}],
        core_celsius=f"{core:.1f}",
    )
    made = _new_lot(lot.number, lot.gtin, lot.product.vi, lot.product.en, lot.quantity_kg, lot.cut_ms)
    zone = next(stop.zone for stop in lot.stops if stop.at_ms == lot.cut_ms)
    sides = {"inputs": [{"lot": carcass_of(lot)}], "outputs": [{"lot": lot.number, "quantity_kg": lot.quantity_kg}]}
    return [measured, made, _event("cut", lot.cut_ms, "Võ Thị Hạnh", zone=zone, **sides)]


def ship_posts(lot: Lot, at_ms: int) -> list[Post]:
    if lot.cut_ms is None:
        return []
    customer = CUSTOMERS[sum(map(ord, lot.number)) % len(CUSTOMERS)]
    return [_event("ship", at_ms, "Trần Hữu Phước", subjects=[{"lot": lot.number}], destination=customer)]


def iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _receive(flock: str, lot: Lot) -> list[Post]:
    """The same for every lot of a flock, so that the first one to tell it is right."""
    day = round(day_begins(site_day(lot.created_ms / 1000)) * 1000)
    farm = FARMS[sum(map(ord, flock)) % len(FARMS)]
    subject = {"lot": flock, "quantity_kg": str(_FLOCK_KG), "pieces": round(_FLOCK_KG / _BIRD_KG)}
    paper = {"type": "cert", "number": f"KD-{flock[-5:]}/LA"}
    return [
        _new_lot(flock, _FLOCK_GTIN, f"Đàn gà sống, {farm}", f"Live chickens, {farm}", str(_FLOCK_KG), day),
        _event("receive", day, "Lê Văn Tám", subjects=[subject], source=farm, documents=[paper]),
    ]


def _new_lot(key: str, gtin: str, vi: str, en: str, quantity_kg: str, created_ms: int) -> Post:  # noqa: PLR0917  a lot's facts
    name = {"vi": vi, "en": en}
    body = {"key": key, "gtin": gtin, "name": name, "quantity_kg": quantity_kg, "created_at": iso(created_ms)}
    return Post("/api/v1/lots", body)


def _event(kind: str, at_ms: int, by: str, **facts: object) -> Post:
    return Post("/api/v1/lot-events", {"kind": kind, "at": iso(at_ms), "by": by, **facts})
