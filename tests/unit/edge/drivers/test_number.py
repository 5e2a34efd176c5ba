from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.drivers.number import decimal_text, scaled_text


@pytest.mark.parametrize(
    ("shown", "value"),
    [
        ("+00045.60", "45.60"),
        ("12.50", "12.50"),
        ("12.5", "12.5"),
        ("-0.000", "0.000"),
        ("-000.05", "-0.05"),
        ("-      7.25", "-7.25"),
        (".5", "0.5"),
        ("000125.", "125"),
        ("", None),
        (" ", None),
        (".", None),
        ("-", None),
        ("1.2.3", None),
        ("1 2", None),
        ("1,5", None),
        ("1e5", None),
        ("٣", None),
        ("9" * 21, None),
    ],
)
def test_numbers_keep_the_digits_received(shown: str, value: str | None) -> None:
    assert decimal_text(shown) == value


@given(st.integers(0, 999_999), st.integers(-2, 5), st.booleans())
def test_scaled_digits_are_exact(number: int, decimals: int, is_negative: bool) -> None:
    text = scaled_text(f"{number:06d}", decimals, is_negative=is_negative)
    assert text is not None
    assert Decimal(text) == Decimal(number).scaleb(-decimals) * (-1 if is_negative else 1)
    assert len(text.partition(".")[2]) == max(0, decimals)


@given(st.text(max_size=12))
def test_no_text_makes_it_raise(shown: str) -> None:
    value = decimal_text(shown)
    assert value is None or Decimal(value) is not None
