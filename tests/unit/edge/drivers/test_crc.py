import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.drivers.crc import crc_genibus, crc_mcrf4xx, crc_modbus, crc_thingmagic, xor_of

CHECK = b"123456789"


def test_the_usual_check_values() -> None:
    assert crc_modbus(CHECK) == 0x4B37
    assert crc_genibus(CHECK) == 0xD64E
    assert crc_mcrf4xx(CHECK) == 0x6F91


def test_frames_seen_in_the_field() -> None:
    assert crc_mcrf4xx(bytes.fromhex("040001")) == 0x4BDB  # inventory, UHFReader18
    assert crc_thingmagic(bytes.fromhex("0003")) == 0x1D0C  # version, ThingMagic
    assert crc_thingmagic(bytes.fromhex("0A2403E80000000000 0300EE")) == 0x589D  # write tag
    assert crc_genibus(bytes.fromhex("3000E20000000000000000000001")) == 0x0227  # a Gen2 tag


@given(st.binary(max_size=40))
def test_thingmagic_equals_its_definition(message: bytes) -> None:
    """Bits shifted in at the low end, polynomial 0x1021, nothing appended."""
    crc = 0xFFFF
    for byte in message:
        for place in range(7, -1, -1):
            crc = (crc << 1 | byte >> place & 1) ^ (0x11021 if crc & 0x8000 else 0)
    if len(message) >= 2:
        assert crc_thingmagic(message) == crc & 0xFFFF


@given(st.binary(max_size=60))
def test_a_message_with_its_own_check_comes_to_nothing(message: bytes) -> None:
    assert crc_modbus(message + crc_modbus(message).to_bytes(2, "little")) == 0
    assert crc_mcrf4xx(message + crc_mcrf4xx(message).to_bytes(2, "little")) == 0
    assert xor_of(message + bytes((xor_of(message),))) == 0


@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_any_bytes_will_do(kind: type) -> None:
    assert crc_modbus(kind(CHECK)) == 0x4B37 and crc_mcrf4xx(kind(CHECK)) == 0x6F91
