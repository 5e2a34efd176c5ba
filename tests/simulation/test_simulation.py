"""Two thousand lives of a site; a bad seed is named with the command that replays it."""

import logging

import pytest

from tests.simulation.site import clean_up, live

CHUNK = 100
QUICK, ALL = 200, 2000


@pytest.fixture(scope="module", autouse=True)
def _quiet_and_tidy():
    logging.disable(logging.CRITICAL)  # thousands of lives that go wrong on purpose
    yield
    logging.disable(logging.NOTSET)
    clean_up()


@pytest.mark.parametrize(
    "first",
    [*range(0, QUICK, CHUNK), *(pytest.param(one, marks=pytest.mark.slow) for one in range(QUICK, ALL, CHUNK))],
)
def test_every_life_keeps_the_promises(first):
    bad = {seed: verdict.faults for seed in range(first, first + CHUNK) if (verdict := live(seed)).faults}
    told = [f"python -m tests.simulation --trace --seed {seed}: {faults[0]}" for seed, faults in bad.items()]
    assert not bad, "\n".join(told)


def test_a_seed_lives_the_same_life_every_time():
    assert [live(seed).counts for seed in (3, 17, 193)] == [live(seed).counts for seed in (3, 17, 193)]
