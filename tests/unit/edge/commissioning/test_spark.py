"""A curve in one line keeps its shape, and a gap stays a gap."""

import pytest

from edge.commissioning.spark import spark


@pytest.mark.parametrize(
    ("values", "drawn"),
    [
        ([], ""),
        ([1.0], "▅"),
        ([2.0, 2.0], "▅▅"),
        ([0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█"),
        ([-20.0, None, -19.0], "▁·█"),
        ([None, None], "··"),
    ],
)
def test_a_curve_in_one_line(values, drawn):
    assert spark(values) == drawn
