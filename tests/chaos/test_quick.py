"""The faults that every CI run makes: each scenario with a few blows, ledger against database."""

import pytest

from tests.chaos.__main__ import run_one
from tests.chaos.kills import kill_in_turn_and_together
from tests.chaos.scenarios import SCENARIOS
from tests.chaos.trial import Effort

SEED = 7


@pytest.mark.slow
@pytest.mark.timeout(420)
@pytest.mark.parametrize("entry", [one for one in SCENARIOS if one.is_quick], ids=lambda entry: entry.title)
def test_nothing_is_lost_and_nothing_doubled(entry, tmp_path):
    effort = Effort.FULL if entry.scenario is kill_in_turn_and_together else Effort.QUICK
    row = run_one(entry, tmp_path, SEED, effort)
    if row.skipped:
        pytest.skip(row.skipped)
    assert row.is_clean, row.as_dict()
