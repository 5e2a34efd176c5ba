"""Lots on their way through the plant: what is made on a day, in which carriers, and when it goes where; pure.

The same seed and day give the same lots, so that the histories and the running plant tell one story.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from simulator.epc import grai_96, gtin_14, sscc_96
from simulator.operations import SITE_OFFSET_S, day_begins, site_day
from simulator.plan import FlowPlan, Name, ProductPlan, StagePlan

_CRATE_ASSET_TYPE = 10  # our crates, as far as GRAI is concerned
_FIRST_KG_PER_CARRIER = 900.0
_MOST_CARRIERS = 4
_LIVE_NUMBERS_FROM = 101  # lot numbers of the running plant, apart from those of the histories
_SHIFT_S = (5 * 3600, 12 * 3600)  # lots begin in the morning shift


class Carrier(NamedTuple):
    epc: str
    kind: str  # crate | pallet
    name: str


class Stop(NamedTuple):
    """A lot arrives in a zone; `zone` None: it leaves the plant."""

    zone: str | None
    at_ms: int


class Lot(NamedTuple):
    number: str
    gtin: str
    product: Name
    quantity_kg: str
    created_ms: int
    carriers: list[Carrier]
    loaded_ms: int
    stops: list[Stop]
    cut_ms: int | None = None  # when carcasses become what it is named after; None: it was that from the beginning


def lots_of_day(flow: FlowPlan, seed: int, day: int) -> list[Lot]:
    """The lots that begin on this day of the site's calendar, at their real pace."""
    chance = random.Random(f"{seed}/{day}/lots")
    starts = sorted(day_begins(day) + chance.uniform(*_SHIFT_S) for _ in range(flow.lots_per_day))
    return [
        _lot(flow, random.Random(f"{seed}/{day}/{number}"), begin, number, day * 100 + number, speed=1.0)
        for number, begin in enumerate(starts, start=1)
    ]


def live_lots(flow: FlowPlan, seed: int, from_s: float) -> Iterator[Lot]:
    """Endless: one lot every `live_every_s` of the site's day, `live_speed` times faster on its way.

    Number and course depend on the time of day alone, so that a plant that starts again goes on with the same lots.
    """
    day = site_day(from_s)
    slot = math.ceil((from_s - day_begins(day)) / flow.live_every_s)
    while True:
        begin_s = day_begins(day) + slot * flow.live_every_s
        if site_day(begin_s) != day:
            day, slot = day + 1, 0
            continue
        chance = random.Random(f"{seed}/{day}/live/{slot}")
        number = _LIVE_NUMBERS_FROM + slot
        yield _lot(flow, chance, begin_s, number, day * 100_000 + number, speed=flow.live_speed)
        slot += 1


def gtin_of(flow: FlowPlan, product: ProductPlan) -> str:
    return gtin_14(f"{952123454321 + flow.products.index(product):013d}")


def _lot(flow: FlowPlan, chance: random.Random, begin_s: float, number: int, serial: int, *, speed: float) -> Lot:
    product = flow.products[(serial + chance.randrange(2)) % len(flow.products)]
    quantity = chance.uniform(*product.quantity_kg)
    stops = _stops(flow.routes[product.route], chance, begin_s, speed)
    loaded = next((stop.at_ms for stop in stops if stop.zone == flow.load_zone), stops[0].at_ms)
    date = datetime.fromtimestamp(begin_s, UTC) + timedelta(seconds=SITE_OFFSET_S)
    carriers = _carriers(serial, quantity, pallets=chance.random() < 0.5)
    return Lot(
        f"BM{date:%y%m%d}-{number:02d}",
        gtin_of(flow, product),
        product.name,
        f"{quantity:.1f}",
        round(begin_s * 1000),
        carriers,
        loaded,
        stops,
        next((stop.at_ms for stop in stops if stop.zone is not None and stop.zone == flow.cut_zone), None),
    )


def _stops(stages: list[StagePlan], chance: random.Random, begin_s: float, speed: float) -> list[Stop]:
    at, stops = begin_s, []
    for stage in stages:
        stops.append(Stop(chance.choice(stage.zones), round(at * 1000)))
        at += chance.uniform(*stage.stay_min) * 60 / speed
    return [*stops, Stop(None, round(at * 1000))]


def _carriers(serial: int, quantity_kg: float, *, pallets: bool) -> list[Carrier]:
    count = min(1 + int(quantity_kg // _FIRST_KG_PER_CARRIER), _MOST_CARRIERS)
    numbers = [serial * 10 + k for k in range(count)]
    if pallets:
        return [Carrier(sscc_96(number), "pallet", f"PL-{number % 1_000_000:06d}") for number in numbers]
    return [Carrier(grai_96(_CRATE_ASSET_TYPE, number), "crate", f"TH-{number % 1_000_000:06d}") for number in numbers]


def days_between(from_ms: int, until_ms: int) -> range:
    return range(site_day(from_ms / 1000), site_day(until_ms / 1000) + 1)


def longest_way_s(flow: FlowPlan) -> float:
    """A lot that began longer ago than this has left, at real pace."""
    return 60 * max(sum(stage.stay_min[1] for stage in stages) for stages in flow.routes.values())
