"""Orders to the running plant: each gets an answer, a wrong one says what is wrong."""

import json

import pytest

from simulator.control import execute
from simulator.faults import FaultBoard


@pytest.fixture
def board():
    return FaultBoard(["a-probe"], ["a"])


def order(board, **words):
    return execute(board, json.dumps(words).encode())


def test_a_fault_is_set_listed_and_cleared(board):
    assert order(board, do="fault", kind="late", target="a-probe", ms=400) == {"ok": True}
    assert order(board, do="list") == {"ok": True, "faults": [{"target": "a-probe", "fault": "late", "value": 400}]}
    assert order(board, do="clear") == {"ok": True}
    assert order(board, do="list") == {"ok": True, "faults": []}


@pytest.mark.parametrize(
    ("line", "word"),
    [
        (b"not json", "JSON"),
        (b'{"do":"fault","kind":"dead","target":"nobody"}', "a-probe"),
        (b'{"do":"fault","kind":"tired","target":"a-probe"}', "probe-broken"),
        (b'{"do":"fault","kind":"dead"}', "target"),
        (b'{"do":"dance"}', "dance"),
        (b'{"do":"list","extra":1}', "extra"),
        (b'{"do":"fault","kind":"crc","target":"a-probe","rate":2}', "rate"),
    ],
)
def test_a_wrong_order_says_what_is_wrong(board, line, word):
    answer = execute(board, line)
    assert not answer["ok"]
    assert word in answer["problem"]
    assert board.listed() == []
