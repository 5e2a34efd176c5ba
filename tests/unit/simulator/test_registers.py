"""The register maps give out what the makers' papers say, with the exact decimals a right reader finds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.modbus import ReadRequest, Refusal
from simulator.registers import CounterRegisters, controller, decimal_text, probe


def test_the_probe_gives_the_published_answer():
    registers = probe(7)
    registers.set("temperature", -190)
    registers.set("humidity", 870)
    block = registers.read(ReadRequest(4, 1, 2))
    assert block.payload == bytes.fromhex("ff420366")
    assert (block.points, block.values) == ("temperature humidity", "-19.0 87.0")


def test_the_probe_refuses_a_block_from_zero_as_some_clones_do():
    with pytest.raises(Refusal):
        probe(7).read(ReadRequest(4, 0, 3))


def test_settings_are_readable_and_are_no_points():
    block = probe(7).read(ReadRequest(3, 0x0101, 2))
    assert block.payload == bytes.fromhex("00072580")
    assert block.points == block.values == ""


def test_a_broken_probe_shows_its_fault_code_and_no_number():
    registers = probe(7)
    registers.set("temperature", None)
    block = registers.read(ReadRequest(4, 1, 1))
    assert block.payload == bytes.fromhex("8000")
    assert block.values == "-"


def test_a_frozen_instrument_keeps_its_last_value():
    registers = probe(7)
    registers.set("temperature", 31)
    registers.frozen = True
    registers.set("temperature", 32)
    assert registers.read(ReadRequest(4, 1, 1)).values == "3.1"


def test_values_stay_inside_their_register():
    registers = probe(7)
    registers.set("temperature", -99_999)
    assert registers.read(ReadRequest(4, 1, 1)).values == "-3276.7"


def test_the_status_word_is_told_with_its_bits():
    registers = controller(21)
    registers.set("room_temperature", -185)
    registers.set("evaporator_temperature", -263)
    registers.set("status", 0b00101)
    block = registers.read(ReadRequest(3, 0, 17))
    assert block.payload == bytes.fromhex("ff47fef9" + "0000" * 14 + "0005")
    assert dict(zip(block.points.split(), block.values.split(), strict=True)) == {
        "room_temperature": "-18.5",
        "evaporator_temperature": "-26.3",
        "status": "5",
        "status.compressor": "1",
        "status.defrost": "0",
        "status.door_open": "1",
        "status.alarm": "0",
        "status.probe_fault": "0",
    }


@given(st.lists(st.integers(0, 9).flatmap(lambda a: st.tuples(st.just(a), st.integers(1, 10 - a))), max_size=60))
def test_no_counter_gives_a_value_twice(reads):
    registers, seen = CounterRegisters(), set()
    for address, count in reads:
        block = registers.read(ReadRequest(4, address, count))
        words = [int.from_bytes(block.payload[i : i + 2]) for i in range(0, 2 * count, 2)]
        assert block.values == " ".join(map(str, words))
        given_out = list(zip(block.points.split(), words, strict=True))
        assert not seen & set(given_out)
        seen |= set(given_out)


def test_there_are_ten_counters():
    with pytest.raises(Refusal):
        CounterRegisters().read(ReadRequest(4, 1, 10))
    with pytest.raises(Refusal):
        CounterRegisters().read(ReadRequest(3, 0, 1))


@pytest.mark.parametrize(
    ("mantissa", "decimals", "text"),
    [(-4, 1, "-0.4"), (0, 3, "0.000"), (12_340, 3, "12.340"), (7, 0, "7"), (-190, 1, "-19.0"), (-5, 2, "-0.05")],
)
def test_decimals_are_exact(mantissa, decimals, text):
    assert decimal_text(mantissa, decimals) == text
