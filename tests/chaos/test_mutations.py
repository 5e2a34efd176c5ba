"""The suite itself on trial: four promises broken on purpose, each in the real program, and each must be noticed."""

import pytest

from tests.chaos.__main__ import run_one
from tests.chaos.mutations import MUTATIONS
from tests.chaos.scenarios import SCENARIOS
from tests.chaos.trial import Effort

CASES = (
    ("no-fsync", "gateway", "gateway's power cut", "committed"),
    ("forget-on-puback", "fleet", "ingest dies before it commits", "lost"),
    ("no-dedupe", "ingest", "messages spoilt, doubled, forged", "duplicated"),
    ("acknowledge-early", "ingest", "ingest dies before it commits", "acknowledged and not committed"),
)


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize(("mutation", "process", "scenario", "noticed"), CASES, ids=[case[0] for case in CASES])
def test_a_broken_promise_turns_the_suite_red(mutation, process, scenario, noticed, tmp_path):
    entry = next(one for one in SCENARIOS if one.name == scenario)
    row = run_one(entry, tmp_path, 7, Effort.LEAST, (process, mutation))
    if row.skipped:
        pytest.skip(row.skipped)
    assert any(noticed in what for what in row.wrong), row.as_dict()


def test_every_mutation_is_tried():
    assert {case[0] for case in CASES} == set(MUTATIONS)
