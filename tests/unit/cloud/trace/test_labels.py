import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.trace.keys import BadKeyError
from cloud.trace.labels.gs1_128 import _WIDTHS, FNC1, element_data, modules
from cloud.trace.labels.label import Label, as_pdf, as_svg, as_zpl, lot_elements, lot_link

ELEMENTS = lot_elements("09521234543213", "BM261118-07", produced="261118", expires="271118", net_g=1248600)


def read(pattern: str) -> str:
    """An independent reader: bars and spaces back to data, the check symbol verified (ISO/IEC 15417)."""
    widths = "".join(str(len(run.group(0))) for run in re.finditer("1+|0+", pattern))
    assert widths.endswith("2331112")
    symbols = [_WIDTHS.index(widths[place : place + 6]) for place in range(0, len(widths) - 7, 6)]
    *values, check = symbols
    assert check == (values[0] + sum(place * value for place, value in enumerate(values))) % 103
    assert values[1] == 102, "GS1-128 begins with FNC1"
    code_set, data = {104: "B", 105: "C"}[values[0]], ""
    for value in values[2:]:
        if value == 102:
            data += FNC1
        elif code_set == "C" and value < 100:
            data += f"{value:02}"
        elif code_set == "B" and value < 96:
            data += chr(value + 32)
        else:
            code_set = {99: "C", 100: "B"}[value]
    return data


def test_every_symbol_is_eleven_modules_wide_has_even_bars_and_is_alone():
    assert len(set(_WIDTHS)) == 107
    for widths in _WIDTHS[:-1]:
        numbers = [int(width) for width in widths]
        assert sum(numbers) == 11 and sum(numbers[::2]) % 2 == 0


def test_a_lot_is_read_back_from_its_bars():
    assert read(modules(ELEMENTS)) == "0109521234543213" + "11261118" + "17271118" + "10BM261118-07"


@given(st.text("ABCxyz0123456789-/", min_size=1, max_size=20), st.text("0123456789", min_size=1, max_size=20))
def test_any_data_is_read_back(lot, serial):
    elements = [("01", "09521234543213"), ("10", lot), ("21", serial)]
    assert read(modules(elements)) == element_data(elements) == f"010952123454321310{lot}{FNC1}21{serial}"


def test_a_link_has_key_and_lot_in_its_path_and_the_rest_behind():
    elements = lot_elements("9521234543213", "BM/7", produced="261118", net_g=1000)
    assert (
        lot_link("https://id.firm.vn", elements)
        == "https://id.firm.vn/01/09521234543213/10/BM%2F7?11=261118&3103=001000"
    )


@pytest.mark.parametrize(
    ("gtin", "lot"), [("09521234543214", "A"), ("09521234543213", "x" * 21), ("09521234543213", "Lô 7")]
)
def test_what_cannot_stand_in_a_gs1_code_is_refused(gtin, lot):
    with pytest.raises(BadKeyError):
        lot_elements(gtin, lot)


LABEL = Label(
    lot_link("https://id.firm.vn", ELEMENTS), "Cánh gà <đông lạnh> & co", ELEMENTS, ["Lô BM261118-07", "NSX ^18~11"]
)


def test_a_label_is_drawn_with_words_escaped():
    svg = as_svg(LABEL)
    assert "Cánh gà &lt;đông lạnh&gt; &amp; co" in svg
    assert "(01)09521234543213(11)261118(17)271118(10)BM261118-07" in svg
    assert svg.count("<path") == 2


def test_a_label_printer_gets_no_commands_from_words():
    zpl = as_zpl(LABEL)
    assert "NSX _5e18_7e11" in zpl and zpl.startswith("^XA") and zpl.endswith("^XZ\n")
    assert "^BCN,80,Y,N,N,D^FH^FD(01)09521234543213" in zpl


def test_a_label_becomes_a_pdf_of_its_size():
    pytest.importorskip("typst")
    pdf = as_pdf(LABEL)
    assert pdf.startswith(b"%PDF")
    assert re.search(rb"/MediaBox ?\[0 0 283\.\d+ 170\.\d+\]", pdf)
