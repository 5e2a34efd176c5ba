"""Whether frames carry a checksum is found out from the stream, whatever the checksum bytes look like."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.drivers.frames import ReadingFrame
from edge.drivers.registry import make_decoder


def frame(digits: int, *, swb: int, has_checksum: bool) -> bytes:
    body = b"\x02\x2b" + bytes((swb, 0x20)) + b"%06d" % digits + b"000000\r"
    return body + (bytes((-sum(body) & 0x7F,)) if has_checksum else b"")


@given(
    st.lists(st.tuples(st.integers(0, 999_999), st.sampled_from([0x30, 0x31, 0x33, 0x20])), min_size=3, max_size=12),
    st.booleans(),
)
def test_auto_reads_every_frame_but_perhaps_the_last(weights: list[tuple[int, int]], has_checksum: bool) -> None:
    decoder, _ = make_decoder("toledo_continuous", {"checksum": "auto"})
    sent = b"".join(frame(digits, swb=swb, has_checksum=has_checksum) for digits, swb in weights)
    expected = [f"{'-' if swb & 2 and digits else ''}{digits // 10}.{digits % 10}" for digits, swb in weights]
    found = [one.value for one in decoder.feed(sent) if isinstance(one, ReadingFrame)]
    assert found in (expected, expected[:-1])


@pytest.mark.parametrize("checksum", [0x02, 0x0D])
def test_a_checksum_byte_may_look_like_stx_or_cr(checksum: int) -> None:
    sent = next(
        raw
        for digits in range(100_000, 1_000_000, 7)
        for swb in (0x30, 0x31, 0x20, 0x38)
        if (raw := frame(digits, swb=swb, has_checksum=True))[-1] == checksum
    )
    for option in ("auto", "on"):
        decoder, _ = make_decoder("toledo_continuous", {"checksum": option})
        frames = decoder.feed(sent * 4)
        assert len(frames) == 4 and all(isinstance(one, ReadingFrame) for one in frames)
