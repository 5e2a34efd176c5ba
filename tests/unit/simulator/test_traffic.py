"""Carriers on the move: truth, readers and announcements tell one story."""

import json
import random
from pathlib import Path

import pytest

from simulator.faults import FaultBoard
from simulator.flow import lots_of_day
from simulator.operations import site_day
from simulator.plan import load_plan
from simulator.reader import Reader
from simulator.traffic import DoorReader, Traffic, TruthLog
from simulator.zone_life import ZoneLife

PLANTS = Path(__file__).parents[3] / "firmware-config" / "plants"
BEGIN = 1_795_246_320_000
HOUR = 3_600_000


class Heard:
    def __init__(self):
        self.lots, self.cuts, self.loads, self.moves = [], [], [], []

    def lot(self, lot):
        self.lots.append(lot.number)

    def cut(self, lot):
        assert lot.number in self.lots
        self.cuts.append(lot.number)

    def load(self, lot, carrier):
        assert lot.number in self.cuts
        self.loads.append((lot.number, carrier.epc))

    def move(self, lot, zone, at_ms):
        assert lot.number in self.lots
        self.moves.append((lot.number, zone, at_ms))


class Watched(Reader):
    """Keeps what came into view."""

    def __init__(self):
        super().__init__(random.Random(1), 1.0)
        self.seen = []

    def expect(self, tag_pass):
        self.seen.append((tag_pass.epc, tag_pass.from_s))


@pytest.fixture
def story(tmp_path):
    plan = load_plan(PLANTS / "binh-minh.yaml")
    zones = {zone.id: ZoneLife(zone, 1, 28, 20) for zone in plan.zones}
    readers = [DoorReader(d, Watched()) for d in plan.devices() if d.profile == "generic-m100-uhf"]
    heard, truth = Heard(), TruthLog(tmp_path / "moves.jsonl")
    traffic = Traffic(plan.flow, 1, zones, readers, heard, truth, lambda: BEGIN)
    traffic.start(BEGIN)
    told_at_start = len(heard.moves)
    traffic.advance(BEGIN + 3 * HOUR)
    truth.close()
    moves = [json.loads(line) for line in (tmp_path / "moves.jsonl").read_text().splitlines()]
    return plan, zones, readers, heard, told_at_start, moves


def test_the_plant_is_not_empty_when_it_starts(story):
    *_, told_at_start, _ = story
    assert told_at_start > 10


def test_every_carrier_leaves_where_it_was_and_moves_in_order_of_time(story):
    *_, moves = story
    assert len(moves) > 100
    assert [move["t"] for move in moves] == sorted(move["t"] for move in moves)
    where = {}
    for move in moves:
        assert where.get(move["epc"], move["from"]) == move["from"]
        where[move["epc"]] = move["to"]


def test_readers_see_those_that_come_in_but_for_the_share_they_miss(story):
    _, _, readers, _, _, moves = story
    for device, reader in readers:
        at = {(epc, round(from_s * 1000)) for epc, from_s in reader.seen}
        arrivals = [(move["epc"], move["t"]) for move in moves if move["to"] == device.zone]
        seen = sum(arrival in at for arrival in arrivals)
        assert len(arrivals) > 20
        assert 0.9 * len(arrivals) <= seen <= len(arrivals)


def test_zones_without_a_reader_learn_of_arrivals_by_a_scan(story):
    _, _, readers, heard, told_at_start, moves = story
    with_reader = {one.plan.zone for one in readers}
    scanned = {(number, zone) for number, zone, _ in heard.moves[told_at_start:]}
    assert not {zone for _, zone in scanned} & with_reader
    first_carriers = {(move["lot"], move["to"]) for move in moves if move["to"] not in with_reader}
    assert first_carriers == scanned


def test_lots_are_loaded_before_a_reader_can_see_them(story):
    _, _, readers, heard, _, _ = story
    loaded = {epc for _, epc in heard.loads}
    assert {epc for one in readers for epc, _ in one.reader.seen} <= loaded


def test_a_passage_opens_doors_and_brings_goods(story):
    _, zones, *_ = story
    assert zones["kho-lanh-b"].room.goods_celsius != zones["kho-lanh-b"].climate.setpoint_celsius
    assert zones["kho-lanh-b"]._passage_until_s > BEGIN / 1000
    zones["kho-lanh-b"].advance(BEGIN / 1000, 1.0, FaultBoard([], list(zones)))
    assert zones["kho-lanh-b"].is_door_open


def test_a_second_start_tells_of_the_same_lots(story, tmp_path):
    plan, zones, readers, heard, told_at_start, _ = story
    again, truth = Heard(), TruthLog(tmp_path / "again.jsonl")
    Traffic(plan.flow, 1, zones, readers, again, truth, lambda: BEGIN).start(BEGIN)
    truth.close()
    assert again.moves == heard.moves[:told_at_start]
    today = {lot.number for lot in lots_of_day(plan.flow, 1, site_day(BEGIN / 1000))}
    assert today & set(again.lots)
