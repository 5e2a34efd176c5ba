"""Tag contents against values taken apart by hand."""

import pytest

from simulator.epc import grai_96, gtin_14, sscc_96


def bits(epc, begin, length):
    return int(epc, 16) >> 96 - begin - length & (1 << length) - 1


def test_a_crate_is_a_grai():
    epc = grai_96(10, 123)
    assert len(epc) == 24
    fields = [
        bits(epc, 0, 8),
        bits(epc, 8, 3),
        bits(epc, 11, 3),
        bits(epc, 14, 24),
        bits(epc, 38, 20),
        bits(epc, 58, 38),
    ]
    assert fields == [0x33, 0, 5, 9521234, 10, 123]


def test_a_pallet_is_an_sscc():
    epc = sscc_96(123)
    fields = [
        bits(epc, 0, 8),
        bits(epc, 8, 3),
        bits(epc, 11, 3),
        bits(epc, 14, 24),
        bits(epc, 38, 34),
        bits(epc, 72, 24),
    ]
    assert fields == [0x31, 2, 5, 9521234, 123, 0]


@pytest.mark.parametrize(("digits", "gtin"), [("0952123454321", "09521234543213"), ("0893456789001", "08934567890014")])
def test_a_gtin_ends_in_its_check_digit(digits, gtin):
    assert gtin_14(digits) == gtin
