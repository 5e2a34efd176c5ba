from hypothesis import given
from hypothesis import strategies as st

from edge.drivers.telnet import TelnetFilter


def test_opening_sends_options_and_line_settings() -> None:
    opening = TelnetFilter().open_port(9600, 7, "E", 1)
    assert bytes.fromhex("FFFB2C") in opening
    assert bytes.fromhex("FFFA2C0100002580FFF0") in opening  # 9600
    assert bytes.fromhex("FFFA2C0207FFF0") in opening
    assert bytes.fromhex("FFFA2C0303FFF0") in opening


def test_commands_are_taken_out_and_answered_once() -> None:
    telnet = TelnetFilter()
    assert telnet.feed(bytes.fromhex("31FFFD00FFFD0032FFFD01FFFA2C6500002580FFF033")) == b"123"
    assert telnet.take_replies() == bytes.fromhex("FFFB00FFFC01")
    assert telnet.take_replies() == b""


@given(st.binary(max_size=80), st.integers(1, 5))
def test_escaped_bytes_come_back_however_they_are_cut(message: bytes, size: int) -> None:
    telnet = TelnetFilter()
    wire = telnet.escape(message)
    assert b"".join(telnet.feed(wire[n : n + size]) for n in range(0, len(wire), size)) == message


@given(st.lists(st.binary(max_size=100)))
def test_no_bytes_make_it_raise(chunks: list[bytes]) -> None:
    telnet = TelnetFilter()
    for chunk in chunks:
        telnet.feed(chunk)
