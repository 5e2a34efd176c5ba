"""MT-SICS: each command's answer, byte for byte."""

import pytest

from simulator.scale import Load, Scale

STILL, MOVING, EMPTY = Load(12_340, True), Load(7_005, False), Load(0, True)


class Platform:
    """A load cell with just this on it."""

    def __init__(self, load=STILL):
        self.load = load

    def at(self, now_s):
        return self.load


def answers(scale, command, now_s=0.0):
    return [line.content.decode("ascii") for line in scale.receive(command.encode() + b"\r\n", now_s)]


def scale_with(load=STILL):
    return Scale(Platform(load), "B1234")


@pytest.mark.parametrize(
    ("load", "line"),
    [
        (STILL, "S S     12.340 kg\r\n"),
        (MOVING, "S D      7.005 kg\r\n"),
        (EMPTY, "S S      0.000 kg\r\n"),
        (Load(-50, True), "S S     -0.050 kg\r\n"),
        (Load(60_005, True), "S +\r\n"),
    ],
)
@pytest.mark.parametrize("command", ["SI", "SIU", "SIR"])
def test_the_weight_of_now_begins_with_s_and_takes_ten_places(load, line, command):
    assert answers(scale_with(load), command) == [line]


def test_a_reader_finds_value_and_stability_in_the_line():
    (line,) = scale_with(MOVING).receive(b"SI\r\n", 0.0)
    assert (line.value, line.stable) == ("7.005", False)
    (line,) = scale_with(Load(99_999, True)).receive(b"SI\r\n", 0.0)
    assert line.value is None


def test_s_waits_for_stability():
    scale = scale_with(MOVING)
    assert answers(scale, "S") == []
    assert scale.poll(1.0) == []
    scale._cell.load = STILL
    assert [line.content for line in scale.poll(1.1)] == [b"S S     12.340 kg\r\n"]
    assert scale.poll(1.2) == []


def test_s_gives_up_in_the_end():
    scale = scale_with(MOVING)
    answers(scale, "S")
    assert [line.content for line in scale.poll(6.0)] == [b"S I\r\n"]


def test_sir_repeats_until_another_command():
    scale = scale_with()
    answers(scale, "SIR")
    assert len([line for t in range(1, 21) for line in scale.poll(t / 10 + 0.001)]) >= 10
    answers(scale, "@")
    assert scale.poll(9.0) == []


def test_tare_makes_it_net_and_tac_gross_again():
    scale = scale_with()
    assert answers(scale, "T") == ["T S     12.340 kg\r\n"]
    assert answers(scale, "SI") == ["S S      0.000 kg\r\n"]
    assert answers(scale, "TA") == ["TA A     12.340 kg\r\n"]
    assert answers(scale, "TAC") == ["TAC A\r\n"]
    assert answers(scale, "SI") == ["S S     12.340 kg\r\n"]


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("@", 'I4 A "B1234"\r\n'),
        ("I4", 'I4 A "B1234"\r\n'),
        ("T", "T I\r\n"),
        ("TI", "TI D      7.005 kg\r\n"),
        ("Z", "Z I\r\n"),
        ("ZI", "ZI +\r\n"),
        ("TA 1.500 kg", "TA A      1.500 kg\r\n"),
        ("TA heavy kg", "TA L\r\n"),
        ("TA 1 lb", "TA L\r\n"),
        ("XX", "ES\r\n"),
        ("si", "ES\r\n"),
    ],
)
def test_the_other_commands(command, line):
    assert answers(scale_with(MOVING), command) == [line]


def test_commands_arrive_in_any_pieces():
    scale = scale_with()
    assert [scale.receive(bytes((byte,)), 0.0) for byte in b"SI\r\n"][-1][0].value == "12.340"
    assert len(scale.receive(b"SI\r\nSI\r\nS", 0.0)) == 2


def test_noise_without_a_line_end_is_a_transmission_error():
    assert [line.content for line in scale_with().receive(b"x" * 100, 0.0)] == [b"ET\r\n"]


def test_a_frozen_scale_and_a_torn_load_cell():
    scale = scale_with(MOVING)
    scale.freeze(True, 0.0)
    scale._cell.load = STILL
    assert answers(scale, "SI") == ["S D      7.005 kg\r\n"]
    scale.freeze(False, 0.0)
    assert answers(scale, "SI") == ["S S     12.340 kg\r\n"]
    scale.is_overloaded = True
    assert answers(scale, "SI") == ["S +\r\n"]
