"""Carriers on the move in the running plant: doors open for them, readers see them, the truth is written down.

A carrier leaves one zone and enters the next a few seconds later; each reader at a zone it leaves or enters has it in
view for a moment. Zones without a reader learn of it by a person's scan (the announcer).
"""

from __future__ import annotations

import asyncio
import heapq
import json
import os
import random
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import NamedTuple

from simulator.announce import Announcer
from simulator.flow import Carrier, Lot, days_between, live_lots, longest_way_s, lots_of_day
from simulator.plan import DevicePlan, FlowPlan
from simulator.reader import Reader, TagPass
from simulator.zone_life import ZoneLife

_LEAVES_BEFORE_S = 8.0  # out of one door before it is through the next
_VIEW_S = 3.0  # how long a walking pace keeps a tag in the field
_APART_S = 2.0  # one carrier after the other
_AGAIN_AFTER_S = 20.0


class DoorReader(NamedTuple):
    plan: DevicePlan
    reader: Reader


class TruthLog:
    """`moves.jsonl`: where each carrier really went; one line per arrival, written at once."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def write(self, at_ms: int, lot: str, carrier: Carrier, from_zone: str | None, to_zone: str | None) -> None:
        row = {"t": at_ms, "lot": lot, "epc": carrier.epc, "from": from_zone, "to": to_zone}
        os.write(self._fd, (json.dumps(row) + "\n").encode())

    def close(self) -> None:
        os.fsync(self._fd)
        os.close(self._fd)


class Traffic:
    """`run` until cancelled. What begins before the start is taken up where it stands."""

    def __init__(  # noqa: PLR0917  built in one place
        self,
        flow: FlowPlan,
        seed: int,
        zones: dict[str, ZoneLife],
        readers: list[DoorReader],
        announcer: Announcer,
        truth: TruthLog,
        now_ms: Callable[[], int],
    ) -> None:
        self._flow, self._seed, self._zones, self._readers = flow, seed, zones, readers
        self._announcer, self._truth, self._now_ms = announcer, truth, now_ms
        self._chance = random.Random(f"{seed}/traffic")
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._order = count()
        self._inside: dict[str, list[str]] = {zone: [] for zone in zones}  # loaded carriers

    async def run(self) -> None:
        self.start(self._now_ms())
        while (due_ms := self.next_ms) is not None:
            await asyncio.sleep(max(due_ms - self._now_ms(), 0) / 1000)
            self.advance(due_ms)

    def start(self, now_ms: int) -> None:
        self._take_up(now_ms)
        for one in self._readers:
            if one.plan.linger_every_s is not None:
                self._linger(one, one.plan.linger_every_s, now_ms)

    @property
    def next_ms(self) -> int | None:
        """When `advance` has something to do again."""
        return self._due[0][0] if self._due else None

    def advance(self, until_ms: int) -> None:
        """All that happens until then."""
        while self._due and self._due[0][0] <= until_ms:
            _, _, act = heapq.heappop(self._due)
            act()

    def _take_up(self, now_ms: int) -> None:
        """Lots that are already here are told again where they are, and sent on when it is time."""
        flow, way_ms = self._flow, longest_way_s(self._flow) * 1000
        for day in days_between(round(now_ms - way_ms), now_ms):
            for lot in lots_of_day(flow, self._seed, day):
                self._follow(lot, now_ms)
        self._follow_live(live_lots(flow, self._seed, (now_ms - way_ms / flow.live_speed) / 1000), now_ms)

    def _follow_live(self, lots: Iterator[Lot], now_ms: int) -> None:
        """Takes up those that have begun, then one after the other as each begins."""
        lot = next(lots)
        while lot.created_ms <= now_ms:
            self._follow(lot, now_ms)
            lot = next(lots)
        self._plan(lot, after_ms=now_ms)
        self._at(lot.created_ms, lambda: self._follow_live(lots, lot.created_ms))

    def _follow(self, lot: Lot, now_ms: int) -> None:
        if lot.created_ms > now_ms:
            self._plan(lot, after_ms=now_ms)
        elif lot.stops[-1].at_ms > now_ms:
            self._resume(lot, now_ms)

    def _resume(self, lot: Lot, now_ms: int) -> None:
        self._announcer.lot(lot)
        if lot.cut_ms is not None and lot.cut_ms <= now_ms:
            self._announcer.cut(lot)
        if lot.loaded_ms <= now_ms:
            self._load(lot)
        here = [stop for stop in lot.stops if stop.at_ms <= now_ms][-1]
        self._announcer.move(lot, here.zone, here.at_ms)
        if here.zone is not None and lot.loaded_ms <= now_ms:
            self._inside[here.zone] += [carrier.epc for carrier in lot.carriers]
        self._plan(lot, after_ms=now_ms)

    def _plan(self, lot: Lot, after_ms: int) -> None:
        if lot.created_ms > after_ms:
            self._at(lot.created_ms, lambda: self._announcer.lot(lot))
        if lot.cut_ms is not None and lot.cut_ms > after_ms:
            self._at(lot.cut_ms, lambda: self._announcer.cut(lot))
        if lot.loaded_ms > after_ms:
            self._at(lot.loaded_ms, lambda: self._load(lot))
        before = None
        for stop in lot.stops:
            if stop.at_ms > after_ms:
                leaves_ms = stop.at_ms - int(_LEAVES_BEFORE_S * 1000)
                self._at(leaves_ms, self._passage(lot, before, stop.zone, stop.at_ms))
            before = stop.zone

    def _passage(self, lot: Lot, before: str | None, to: str | None, at_ms: int) -> Callable[[], None]:
        return lambda: self._pass(lot, before, to, at_ms)

    def _at(self, at_ms: int, act: Callable[[], None]) -> None:
        heapq.heappush(self._due, (at_ms, next(self._order), act))

    def _load(self, lot: Lot) -> None:
        for carrier in lot.carriers:
            self._announcer.load(lot, carrier)

    def _pass(self, lot: Lot, before: str | None, to: str | None, at_ms: int) -> None:
        """Called as the first carrier leaves; it arrives at `at_ms`."""
        is_loaded = lot.loaded_ms <= at_ms
        for number, carrier in enumerate(lot.carriers):
            arrives_s = at_ms / 1000 + number * _APART_S
            if is_loaded:
                self._in_view(carrier.epc, before, arrives_s - _LEAVES_BEFORE_S)
                self._in_view(carrier.epc, to, arrives_s)
            arrives_ms = round(arrives_s * 1000)
            self._at(arrives_ms, self._arrival(lot, carrier, before, to, arrives_ms))
            self._open_doors(before, to, arrives_s + _VIEW_S)
        if not is_loaded or not any(one.plan.zone == to for one in self._readers):
            self._at(at_ms, lambda: self._announcer.move(lot, to, at_ms))

    def _arrival(
        self, lot: Lot, carrier: Carrier, before: str | None, to: str | None, at_ms: int
    ) -> Callable[[], None]:
        def arrive() -> None:
            self._truth.write(at_ms, lot.number, carrier, before, to)
            if before is not None and carrier.epc in self._inside[before]:
                self._inside[before].remove(carrier.epc)
            if to is not None and lot.loaded_ms <= at_ms:
                self._inside[to].append(carrier.epc)
            if to is not None and before is not None:
                self._zones[to].take_in(self._zones[before].room.goods_celsius)

        return arrive

    def _in_view(self, epc: str, zone: str | None, from_s: float) -> None:
        for plan, reader in self._readers:
            if plan.zone != zone or self._chance.random() < plan.miss_share:
                continue
            reader.expect(TagPass(epc, from_s, from_s + _VIEW_S))
            if self._chance.random() < plan.repeat_share:
                reader.expect(TagPass(epc, from_s + _AGAIN_AFTER_S, from_s + _AGAIN_AFTER_S + _VIEW_S / 2))

    def _linger(self, one: DoorReader, every_s: float, now_ms: int) -> None:
        inside = self._inside[one.plan.zone or ""]
        if inside:
            one.reader.expect(TagPass(self._chance.choice(inside), now_ms / 1000, now_ms / 1000 + _VIEW_S / 2))
        next_ms = now_ms + round(every_s * 1000 * self._chance.uniform(0.6, 1.4))
        self._at(next_ms, lambda: self._linger(one, every_s, next_ms))

    def _open_doors(self, before: str | None, to: str | None, until_s: float) -> None:
        for zone in (before, to):
            if zone is not None:
                self._zones[zone].open_door_until(until_s)
