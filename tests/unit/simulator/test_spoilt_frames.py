"""What a bad line makes of an answer: never something that a checking reader could take for a value."""

import random

from hypothesis import given
from hypothesis import strategies as st

from simulator.modbus import crc16, rtu_frame
from simulator.modbus_rtu import LineTiming, spoil
from simulator.reader import notice
from simulator.serial_instrument import garble

FRAME = rtu_frame(7, bytes.fromhex("0404ff420366"))
NOTICE = notice("e20000000000000000000001", -54).content
WEIGHT = b"S S     12.340 kg\r\n"
seeds = st.integers(0, 10_000).map(random.Random)


def is_sound(frame):
    return crc16(frame[:-2]) == frame[-2:]


@given(seeds)
def test_a_damaged_frame_fails_its_crc(chance):
    assert not is_sound(spoil(FRAME, "crc", chance))


@given(seeds)
def test_a_truncated_frame_is_a_true_beginning(chance):
    short = spoil(FRAME, "truncated", chance)
    assert 0 < len(short) < len(FRAME) and FRAME.startswith(short)


def test_a_frame_in_anothers_name_is_sound_but_for_the_name():
    other = spoil(FRAME, "wrong_unit", random.Random(1))
    assert is_sound(other) and other[0] != FRAME[0] and other[1:-2] == FRAME[1:-2]


@given(seeds)
def test_noise_stands_before_a_sound_frame(chance):
    noisy = spoil(FRAME, "noise", chance)
    assert noisy.endswith(FRAME) and 1 <= len(noisy) - len(FRAME) <= 3


def test_a_sound_or_late_frame_is_left_alone():
    assert spoil(FRAME, None, random.Random(1)) == spoil(FRAME, "late", random.Random(1)) == FRAME


@given(seeds)
def test_a_garbled_notice_fails_its_sum_or_its_frame(chance):
    spoilt = garble(NOTICE, "crc", chance)
    assert len(spoilt) == len(NOTICE)
    length = int.from_bytes(spoilt[3:5])
    assert length != 0x11 or sum(spoilt[1:-2]) & 0xFF != spoilt[-2]


def test_a_garbled_weight_holds_no_number():
    assert garble(WEIGHT, "crc", random.Random(1)) == b"S S     1\x7f.340 kg\r\n"


def test_silence_and_half_a_line():
    assert garble(WEIGHT, "dead", random.Random(1)) == b""
    assert WEIGHT.startswith(garble(WEIGHT, "truncated", random.Random(1)))


def test_silence_between_frames_is_fixed_above_19200_baud():
    assert LineTiming(0).silence_s == 0
    assert LineTiming(10 / 9600).silence_s == 3.5 * 10 / 9600
    assert LineTiming(10 / 115_200).silence_s == 0.00175
