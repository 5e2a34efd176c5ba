"""Times on a serial line, against the table of Modbus over Serial Line worked out by hand."""

import pytest

from edge.lines.line import bits_per_character, serial_pace


@pytest.mark.parametrize(
    ("baud", "form", "character_ms", "silence_ms", "two_registers_ms", "fifty_registers_ms"),
    [
        (9600, "8N1", 1.042, 3.65, 45.0, 145.0),
        (9600, "8E1", 1.146, 4.01, 47.5, 157.5),
        (19200, "8N1", 0.521, 1.82, 32.5, 82.5),
        (19200, "8E1", 0.573, 2.01, 33.8, 88.7),
        (115200, "8N1", 0.087, 1.75, 25.0, 33.3),
    ],
)
def test_characters_silence_and_transactions(
    baud, form, character_ms, silence_ms, two_registers_ms, fifty_registers_ms
):
    pace = serial_pace(baud, form)
    device_s = 0.02
    assert pace.character_s * 1000 == pytest.approx(character_ms, abs=0.001)
    assert pace.silence_s * 1000 == pytest.approx(silence_ms, abs=0.01)
    assert (pace.transaction_s(5 + 4) + device_s) * 1000 == pytest.approx(two_registers_ms, abs=0.1)
    assert (pace.transaction_s(5 + 100) + device_s) * 1000 == pytest.approx(fifty_registers_ms, abs=0.1)


def test_a_character_has_ten_or_eleven_bits():
    assert [bits_per_character(form) for form in ("8N1", "8E1", "8N2", "7E1")] == [10, 11, 11, 10]
