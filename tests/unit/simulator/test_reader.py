"""The UHF reader's frames against published ones, and what it says while tags pass."""

import random

import pytest

from simulator.reader import Reader, TagPass, crc_genibus, notice

EPC = "e20000000000000000000001"
SINGLE, STOP = bytes.fromhex("bb00220000227e"), bytes.fromhex("bb00280000287e")
MULTI = bytes.fromhex("bb00270003222710837e")
NO_TAG = bytes.fromhex("bb01ff000115167e")


@pytest.fixture
def reader():
    return Reader(random.Random(1), read_share=1.0)


def test_a_notice_is_the_published_frame():
    # RSSI -54 dBm, PC 3000, tag CRC 0227: the example of the device papers, CRC recomputed
    published = "bb02220011ca3000e200000000000000000000010227" + "3b7e"
    assert notice(EPC, -54).content.hex() == published
    assert crc_genibus(bytes.fromhex("3000" + EPC)).hex() == "0227"


@pytest.mark.parametrize("size", [4, 12, 16, 62])
def test_the_pc_word_carries_the_length(size):
    frame = notice("ab" * size, -60).content
    assert int.from_bytes(frame[6:8]) >> 11 == size // 2
    assert len(frame) == 12 + size


def test_a_single_inventory_finds_what_is_there(reader):
    assert [frame.content for frame in reader.receive(SINGLE, 0.0)] == [NO_TAG]
    reader.expect(TagPass(EPC, 1.0, 4.0))
    assert [frame.epc for frame in reader.receive(SINGLE, 2.0)] == [EPC]
    assert [frame.epc for frame in reader.receive(SINGLE, 5.0)] == [None]


def test_a_multi_inventory_goes_on_until_it_is_stopped(reader):
    assert reader.receive(MULTI, 0.0) == []
    reader.expect(TagPass(EPC, 1.0, 2.0))
    frames = [frame for n in range(150) for frame in reader.poll(n / 50)]
    seen = [frame for frame in frames if frame.epc]
    assert 20 <= len(seen) <= 26
    assert NO_TAG in [frame.content for frame in frames]
    assert [frame.content.hex() for frame in reader.receive(STOP, 3.0)] == ["bb01280001002a7e"]
    assert reader.poll(9.0) == []


def test_a_multi_inventory_ends_after_its_rounds(reader):
    body = bytes.fromhex("0027000322") + (5).to_bytes(2)
    reader.expect(TagPass(EPC, 0.0, 100.0))
    reader.receive(b"\xbb" + body + bytes((sum(body) & 0xFF, 0x7E)), 0.0)
    assert len([frame for n in range(100) for frame in reader.poll(n / 10)]) == 5
    assert not reader.is_reading


def test_a_plant_that_was_held_up_does_not_flood(reader):
    reader.receive(MULTI, 0.0)
    reader.expect(TagPass(EPC, 0.0, 1e9))
    assert len(reader.poll(3600.0)) < 60


def test_the_signal_is_strongest_in_the_middle():
    tag = TagPass(EPC, 0.0, 4.0)
    assert tag.rssi_dbm(2.0) > tag.rssi_dbm(1.0) > tag.rssi_dbm(0.0)


def test_a_reader_misses_its_share(reader):
    reader = Reader(random.Random(1), read_share=0.5)
    reader.expect(TagPass(EPC, 0.0, 100.0))
    found = sum(bool(reader.receive(SINGLE, 1.0)[0].epc) for _ in range(400))
    assert 150 < found < 250


def test_other_commands(reader):
    version = reader.receive(bytes.fromhex("bb0003000100047e"), 0.0)[0].content
    assert b"M100" in version
    assert reader.receive(bytes.fromhex("bb00b70000b77e"), 0.0)[0].content.hex() == "bb01b700020a28ec7e"
    assert reader.receive(bytes.fromhex("bb00650000657e"), 0.0)[0].content.hex() == "bb01ff000117187e"


def test_commands_are_found_in_pieces_and_after_noise(reader):
    assert [reader.receive(bytes((b,)), 0.0) for b in b"\x00\xbb\x7e" + SINGLE][-1]
    damaged = SINGLE[:-2] + b"\x23\x7e"
    assert len(reader.receive(damaged + SINGLE, 0.0)) == 1
