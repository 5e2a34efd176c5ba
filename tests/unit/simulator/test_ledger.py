"""The ledger: what is written can be read again, row by row, and nothing is ever taken back."""

import json

import pytest

from simulator.ledger import Ledger, read_ledger


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.jsonl"


def test_one_answer_is_one_line_and_one_row_per_point(path):
    ledger = Ledger(path)
    ledger.write("a-probe", "temperature humidity", "-19.4 87.0")
    ledger.write("a-scale", "weight", "0.485", unit="kg", stable=False)
    ledger.close()
    assert len(path.read_text().splitlines()) == 2
    rows = list(read_ledger(path))
    assert [(row.n, row.point, row.value) for row in rows] == [
        (1, "temperature", "-19.4"),
        (2, "humidity", "87.0"),
        (3, "weight", "0.485"),
    ]
    assert (rows[2].unit, rows[2].stable) == ("kg", False)
    assert all(row.delivered and row.why is None for row in rows)


def test_what_was_withheld_says_so_and_why(path):
    ledger = Ledger(path)
    ledger.write("a", "t", "1", why="crc", delivered=False)
    ledger.write("a", "t", "-")
    ledger.close()
    spoilt, fault_code = read_ledger(path)
    assert (spoilt.delivered, spoilt.why, spoilt.value) == (False, "crc", "1")
    assert (fault_code.delivered, fault_code.why, fault_code.value) == (True, None, None)


def test_a_row_is_in_the_file_when_write_returns(path):
    ledger = Ledger(path)
    ledger.write("a", "t", "1")
    assert len(list(read_ledger(path))) == 1
    ledger.close()


def test_a_ledger_that_is_continued_goes_on_counting(path):
    for value in ("1 2", "3 4"):
        ledger = Ledger(path)
        ledger.write("a", "x y", value)
        ledger.close()
    assert [(row.n, row.value) for row in read_ledger(path)] == [(1, "1"), (2, "2"), (3, "3"), (4, "4")]


def test_a_torn_last_line_is_left_out_and_cut_off(path):
    ledger = Ledger(path)
    ledger.write("a", "t", "1")
    ledger.close()
    with path.open("a") as file:
        file.write('{"n":2,"t":17')
    assert [row.n for row in read_ledger(path)] == [1]
    ledger = Ledger(path)
    ledger.write("a", "t", "2")
    ledger.close()
    assert [row.n for row in read_ledger(path)] == [1, 2]


def test_each_line_is_plain_json(path):
    ledger = Ledger(path)
    ledger.write("a", "t u", "1 -", why="late", delivered=True, unit="kg", stable=True)
    ledger.close()
    row = json.loads(path.read_text())
    del row["t"]
    assert row == {
        "n": 1, "device": "a", "points": "t u", "values": "1 -", "why": "late", "unit": "kg", "stable": True,
    }  # fmt: skip


def test_a_plant_without_a_ledger_only_counts():
    ledger = Ledger(None)
    ledger.write("a", "t u", "1 2")
    ledger.close()
    assert ledger.rows == 2
