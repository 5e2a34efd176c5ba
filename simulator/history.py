"""What the plant would have said in the past: readings a minute apart, and where each lot was; for screens with a past.

The rooms are the running plant's rooms at their true pace, with the same timetables and the same lots. Probes and
controllers are covered, point by point as their instruments say them.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator
from typing import NamedTuple

from simulator.faults import FaultBoard
from simulator.flow import Lot, days_between, longest_way_s, lots_of_day
from simulator.operations import DAY_S, Span
from simulator.plan import READER_PROFILE, PlantPlan
from simulator.zone_life import ZoneLife

STEP_S = 60
_SETTLES_S = 6 * 3600  # rooms run this long before the first reading is taken
VIEW_MS = 3000
_PROBE, _CONTROLLER = "generic-xy-md02", "generic-refrigeration-controller"


class PastReading(NamedTuple):
    """Value = mantissa / 10**decimals."""

    device: str
    point: str
    utc_ms: int
    mantissa: int
    decimals: int


class PastMove(NamedTuple):
    """A carrier arrived; `to` None: it left the plant. `epc` empty before the lot was loaded onto its carriers."""

    at_ms: int
    lot: str
    epc: str
    before: str | None
    to: str | None


class PastSighting(NamedTuple):
    """What a reader would have said of one carrier that passed."""

    device: str
    epc: str
    at_ms: int
    last_ms: int
    reads: int
    rssi_dbm: int


class PastScan(NamedTuple):
    """A person's word, where no reader sees the lot arrive; `zone` None: it left the plant."""

    lot: str
    zone: str | None
    at_ms: int


class Incident(NamedTuple):
    """Something that went wrong once: a compressor that stood still, a door that was left open."""

    zone: str
    kind: str
    span: Span


def incidents(plan: PlantPlan, seed: int, from_ms: int, until_ms: int) -> list[Incident]:
    """A few per month, in the cold and chill rooms, never in the last two days."""
    chance = random.Random(f"{seed}/incidents")
    rooms = [zone.id for zone in plan.zones if zone.climate in {"cold_store", "chill_store", "blast_freezer"}]
    latest_s = until_ms / 1000 - 2 * DAY_S
    if not rooms or latest_s <= from_ms / 1000:
        return []
    found = []
    for number in range(max(1, round((latest_s - from_ms / 1000) / (10 * DAY_S)))):
        begin = chance.uniform(from_ms / 1000, latest_s)
        kind, length_s = (("compressor-dead", 5400), ("door-open", 1500))[number % 2]
        found.append(Incident(chance.choice(rooms), kind, Span(begin, begin + length_s * chance.uniform(0.7, 1.3))))
    return found


def readings(plan: PlantPlan, seed: int, from_ms: int, until_ms: int) -> Iterator[PastReading]:
    """In order of time, [from_ms, until_ms), for all probes and controllers."""
    board = FaultBoard([], [zone.id for zone in plan.zones])
    zones = {zone.id: ZoneLife(zone, seed, plan.outside_celsius, physics_speed=1.0) for zone in plan.zones}
    probes = [d for d in plan.devices() if d.profile == _PROBE and d.zone is not None]
    controllers = [d for d in plan.devices() if d.profile == _CONTROLLER and d.zone is not None]
    troubles = incidents(plan, seed, from_ms, until_ms)
    chance = random.Random(f"{seed}/history")
    gauss = chance.gauss
    for at_s in range(from_ms // 1000 - _SETTLES_S, -(-until_ms // 1000), STEP_S):
        _befall(board, troubles, at_s)
        for zone in zones.values():
            zone.advance(at_s, STEP_S, board)
        at_ms = at_s * 1000
        if at_ms < from_ms:
            continue
        for device in probes:
            zone = zones[device.zone or ""]
            air = round((zone.room.air_celsius + device.offset + gauss(0, 0.04)) * 10)
            yield PastReading(device.id, "temperature", at_ms, air, 1)
            damp = min(round((zone.humidity_percent() + gauss(0, 0.25)) * 10), 999)
            yield PastReading(device.id, "humidity", at_ms, damp, 1)
        for device in controllers:
            zone = zones[device.zone or ""]
            yield PastReading(device.id, "room_temperature", at_ms, round(zone.room.air_celsius * 10), 1)
            yield PastReading(device.id, "evaporator_temperature", at_ms, round(zone.room.coil_celsius * 10), 1)
            yield PastReading(device.id, "status.defrost", at_ms, int(zone.is_defrosting), 0)
            yield PastReading(device.id, "status.door_open", at_ms, int(zone.is_door_open), 0)


def lots(plan: PlantPlan, seed: int, from_ms: int, until_ms: int) -> Iterator[Lot]:
    """Lots that were in the plant in [from_ms, until_ms), oldest first."""
    if plan.flow is None:
        return
    first_ms = from_ms - round(longest_way_s(plan.flow) * 1000)
    for day in days_between(first_ms, until_ms):
        for lot in lots_of_day(plan.flow, seed, day):
            if lot.created_ms < until_ms and lot.stops[-1].at_ms > from_ms:
                yield lot


def moves(plan: PlantPlan, seed: int, from_ms: int, until_ms: int) -> Iterator[PastMove]:
    """In order of time; one per lot and stop before it is loaded, one per carrier afterwards."""
    ways = [_way(lot) for lot in lots(plan, seed, from_ms, until_ms)]
    for move in heapq.merge(*ways):
        if from_ms <= move.at_ms < until_ms:
            yield move


def sightings(plan: PlantPlan, seed: int, from_ms: int, until_ms: int) -> Iterator[PastSighting]:
    """In order of time: each loaded carrier at the reader of the zone it comes into; readers miss none in the past."""
    reader_of = {d.zone: d.id for d in plan.devices() if d.profile == READER_PROFILE}
    chance = random.Random(f"{seed}/sightings")
    for move in moves(plan, seed, from_ms, until_ms):
        device = reader_of.get(move.to)
        if device is not None and move.epc:
            reads, rssi_dbm = chance.randint(20, 60), chance.randint(-52, -42)
            yield PastSighting(device, move.epc, move.at_ms, move.at_ms + VIEW_MS, reads, rssi_dbm)


def scans(plan: PlantPlan, seed: int, from_ms: int, until_ms: int) -> Iterator[PastScan]:
    """In order of time: arrivals of lots that are not loaded yet, or where there is no reader."""
    with_reader = {d.zone for d in plan.devices() if d.profile == READER_PROFILE}
    found = [
        PastScan(lot.number, stop.zone, stop.at_ms)
        for lot in lots(plan, seed, from_ms, until_ms)
        for stop in lot.stops
        if from_ms <= stop.at_ms < until_ms and (stop.zone not in with_reader or stop.at_ms < lot.loaded_ms)
    ]
    yield from sorted(found, key=lambda scan: scan.at_ms)


def _way(lot: Lot) -> list[PastMove]:
    found, before = [], None
    for stop in lot.stops:
        epcs = [carrier.epc for carrier in lot.carriers] if stop.at_ms >= lot.loaded_ms else [""]
        for number, epc in enumerate(epcs):
            found.append(PastMove(stop.at_ms + number * 2000, lot.number, epc, before, stop.zone))
        before = stop.zone
    return sorted(found, key=lambda move: move.at_ms)


def _befall(board: FaultBoard, troubles: list[Incident], at_s: int) -> None:
    for zone, kind, (begin, end) in troubles:
        if begin <= at_s < end:
            board.set(kind, zone, rate=None, ms=None, code=None)
        elif board.is_on(zone, kind):
            board.clear(zone, kind)
