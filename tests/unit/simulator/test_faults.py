"""Faults: who may have which, what each does to an answer, and that all of them can be taken back."""

import random

import pytest

from simulator.errors import UnknownFault, UnknownTarget
from simulator.faults import DEVICE_FAULTS, HEALTHY, SOUND, ZONE_FAULTS, FaultBoard, treat


@pytest.fixture
def board():
    return FaultBoard(["a-probe", "b-probe"], ["a"])


def put(board, kind, target, *, rate=None, ms=None, code=None):
    board.set(kind, target, rate=rate, ms=ms, code=code)


def test_health_leaves_every_answer_alone():
    assert treat(HEALTHY, random.Random(1)) is SOUND


@pytest.mark.parametrize(
    ("kind", "why", "delivered"),
    [
        ("dead", "dead", False),
        ("crc", "crc", False),
        ("truncated", "truncated", False),
        ("wrong-unit", "wrong_unit", False),
        ("late", "late", True),
        ("noise", "noise", True),
        ("exception", None, True),
        ("frozen", None, True),
        ("probe-broken", None, True),
    ],
)
def test_each_fault_has_its_way_with_an_answer(board, kind, why, delivered):
    put(board, kind, "a-probe")
    treatment = treat(board.of("a-probe"), random.Random(1))
    assert (treatment.why, treatment.delivered) == (why, delivered)
    assert treat(board.of("b-probe"), random.Random(1)) is SOUND


def test_a_rate_is_a_share_of_the_answers(board):
    put(board, "crc", "a-probe", rate=0.3)
    chance = random.Random(1)
    spoilt = sum(treat(board.of("a-probe"), chance).why == "crc" for _ in range(2000))
    assert 500 < spoilt < 700


def test_faults_of_one_device_add_up_and_clear_one_by_one(board):
    put(board, "late", "a-probe", ms=400)
    put(board, "frozen", "a-probe")
    assert board.of("a-probe").late == 400 and board.of("a-probe").frozen
    board.clear("a-probe", "late")
    assert board.of("a-probe").late == 0 and board.of("a-probe").frozen
    board.clear("a-probe")
    assert board.of("a-probe") is HEALTHY


def test_zone_faults_are_for_zones_and_device_faults_for_devices(board):
    put(board, "door-open", "a")
    assert board.is_on("a", "door-open")
    with pytest.raises(UnknownFault):
        put(board, "door-open", "a-probe")
    with pytest.raises(UnknownFault):
        put(board, "dead", "a")
    with pytest.raises(UnknownTarget):
        put(board, "dead", "c")
    with pytest.raises(UnknownTarget):
        board.clear("c")


def test_all_can_be_listed_and_cleared_at_once(board):
    for kind in DEVICE_FAULTS:
        put(board, kind, "b-probe")
    for kind in ZONE_FAULTS:
        put(board, kind, "a")
    assert len(board.listed()) == len(DEVICE_FAULTS) + len(ZONE_FAULTS)
    board.clear()
    assert board.listed() == []
