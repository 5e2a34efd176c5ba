"""What statistics give reason to suspect: a row is a line and what is said of it."""

import pytest

from edge.lines.bus import Statistics
from edge.lines.suspicion import ADVICE, Suspicion, suspicions


def device(spoilt_share=0.0, requests=100, answers=90, second=0, late=0) -> Statistics:
    return Statistics(
        requests=requests, answers=answers, second_answers=second, late_answers=late, spoilt_share=spoilt_share
    )


CLEAN = device()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ({"a": CLEAN, "b": CLEAN}, {}),
        ({"a": device(0.5), "b": CLEAN}, {"a": Suspicion.DUPLICATE_UNIT_ID}),
        ({"a": device(0.5), "b": device(0.3), "c": CLEAN}, {"a": Suspicion.NOISY_LINE, "b": Suspicion.NOISY_LINE}),
        ({"a": device(0.5), "b": device(0.05)}, {"a": Suspicion.NOISY_LINE}),
        ({"a": device(0.5)}, {"a": Suspicion.NOISY_LINE}),
        ({"a": device(0.5, answers=0), "b": CLEAN}, {}),
        ({"a": device(0.5, requests=5), "b": CLEAN}, {}),
        ({"a": device(second=1), "b": CLEAN}, {}),
        ({"a": device(second=2), "b": CLEAN}, {"a": Suspicion.DUPLICATE_UNIT_ID}),
        ({"a": device(late=2), "b": CLEAN}, {"a": Suspicion.TOO_SHORT_TIMEOUT}),
    ],
)
def test_a_device_alone_among_clean_neighbours_has_a_twin_and_a_line_that_spoils_all_is_noisy(line, expected):
    assert suspicions(line) == expected


def test_every_suspicion_comes_with_advice():
    assert set(ADVICE) == set(Suspicion)


def test_the_spoilt_share_forgets_and_remembers():
    one = Statistics()
    for _ in range(20):
        one.note_spoilt()
    assert one.spoilt_share > 0.6
    for _ in range(60):
        one.note_answer(0.01)
    assert one.spoilt_share < 0.05
