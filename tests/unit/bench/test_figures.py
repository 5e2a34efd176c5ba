import json

import pytest

from bench.bus import least_cycle_s
from bench.figures import Figure, as_table, percentile, plain, write_results

FAST = Figure("a", "rate", 23_456.7, "1/s", aim=20_000, better="higher", note="ten gateways")
SLOW = Figure("a", "wait", 1.234, "s", aim=1)
PLAIN = Figure("b", "memory", 41.96, "MiB")


def test_an_aim_is_met_from_its_own_side():
    assert (FAST.is_met, SLOW.is_met, PLAIN.is_met) == (True, False, None)
    assert (FAST.verdict, SLOW.verdict, PLAIN.verdict) == ("met", "SHORT", "")


def test_the_table_shows_value_aim_and_verdict_in_columns():
    head, rate, wait, memory = as_table([FAST, SLOW, PLAIN]).splitlines()
    assert head.split() == ["bench", "figure", "value", "unit", "aim", "note"]
    assert rate.split() == ["a", "rate", "23,457", "1/s", ">=", "20,000", "met", "ten", "gateways"]
    assert wait.split() == ["a", "wait", "1.23", "s", "<=", "1", "SHORT"]
    assert memory.split() == ["b", "memory", "41.96", "MiB"]


def test_a_result_is_json_with_one_figure_a_line(tmp_path):
    path = tmp_path / "results" / "one.json"
    write_results(path, {"commit": "abc", "cores": 2}, [FAST, SLOW, PLAIN])
    written = json.loads(path.read_text())
    assert (written["commit"], written["cores"]) == ("abc", 2)
    assert [one.get("is_met") for one in written["figures"]] == [True, False, None]
    assert sum('"bench"' in line for line in path.read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.0312, "0.031"), (2.336, "2.34"), (137.46, "137.5"), (2e6, "2,000,000")]
)
def test_numbers_are_written_with_the_digits_that_matter(value, text):
    assert plain(value) == text


@pytest.mark.parametrize(("share", "found"), [(0.5, 5), (0.9, 9), (0.99, 10), (1.0, 10)])
def test_a_percentile_is_a_value_that_was_seen(share, found):
    assert percentile(range(1, 11), share) == found


def test_the_least_cycle_is_what_the_characters_and_the_devices_need():
    assert least_cycle_s(9600) == pytest.approx(20 * (30 * 10 / 9600 + 0.010))
