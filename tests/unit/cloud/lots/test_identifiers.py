"""GTINs and EPCs, checked once at the border."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.lots.errors import BadEpcError, BadGtinError
from cloud.lots.identifiers import check_digit, epc_hex, gtin_14


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("09521234543213", "09521234543213"),
        ("9521234543213", "09521234543213"),
        ("80614141123458", "80614141123458"),
        ("96385074", "00000096385074"),
    ],
)
def test_every_length_of_gtin_becomes_fourteen_digits(text, whole):
    assert gtin_14(text) == whole


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("09521234543214", "the check digit should be 3"),
        ("12345", "it has 5 digits"),
        ("0952123454321x", "other than digits"),
        ("٠٩٥٢١٢٣٤٥٤٣٢١٣", "other than digits"),
        ("", "other than digits"),
    ],
)
def test_a_wrong_gtin_is_told_why(text, why):
    with pytest.raises(BadGtinError, match=why):
        gtin_14(text)


@given(st.text("0123456789", min_size=13, max_size=13), st.integers(0, 13), st.integers(1, 9))
def test_one_wrong_digit_never_passes(digits, place, shift):
    right = digits + str(check_digit(digits))
    wrong = right[:place] + str((int(right[place]) + shift) % 10) + right[place + 1 :]
    with pytest.raises(BadGtinError):
        gtin_14(wrong)


def test_an_epc_is_lower_case_hex():
    assert epc_hex("3074257BF7194E4000001A85") == "3074257bf7194e4000001a85"


@pytest.mark.parametrize("text", ["", "30", "3074257bf7194e4000001a8", "not hex at all!!", "30 74 25 7b f7 19 4e 40"])
def test_what_is_no_epc_is_refused(text):
    with pytest.raises(BadEpcError):
        epc_hex(text)
