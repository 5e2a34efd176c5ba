import pytest

from edge.drivers.errors import BadParameter
from edge.drivers.frames import ReadingFrame
from edge.drivers.registry import make_decoder

A9 = {
    "12.50": bytes.fromhex("022B30303132353032314603"),
    "12.51": bytes.fromhex("022B30303132353132314503"),
}


def stable(values: list[str], rule: dict[str, int], step_ms: int = 100) -> list[bool | None]:
    now = iter(range(0, 100_000, step_ms))
    decoder, _ = make_decoder("yaohua_a9", {"derive_stability": rule}, lambda: next(now))
    frames = decoder.feed(b"".join(A9[value] for value in values))
    assert all(isinstance(one, ReadingFrame) and one.is_stability_derived for one in frames)
    return [one.stable for one in frames if isinstance(one, ReadingFrame)]


def test_enough_equal_frames_are_stable() -> None:
    assert stable(["12.51", "12.50", "12.50", "12.50"], {"frames": 3}) == [False, False, False, True]


def test_a_tolerance_counts_last_digits() -> None:
    assert stable(["12.50", "12.51", "12.50"], {"frames": 3, "tolerance_digits": 1})[-1] is True


def test_equal_frames_too_far_apart_prove_nothing() -> None:
    assert stable(["12.50"] * 4, {"frames": 3, "within_ms": 150})[-1] is False


def test_silence_begins_anew() -> None:
    decoder, _ = make_decoder("yaohua_a9", {"derive_stability": {"frames": 2}})
    decoder.feed(A9["12.50"])
    decoder.idle()
    (frame,) = decoder.feed(A9["12.50"])
    assert isinstance(frame, ReadingFrame) and frame.stable is False


def test_what_the_scale_says_itself_is_left_alone() -> None:
    decoder, _ = make_decoder("mt_sics", {"derive_stability": {"frames": 2}})
    (frame,) = decoder.feed(b"S D     100.00 g\r\n")
    assert frame == ReadingFrame("100.00", "g", stable=False)


@pytest.mark.parametrize("rule", [5, {"frames": 1}, {"samples": 5}])
def test_a_rule_that_makes_no_sense_is_refused(rule: object) -> None:
    with pytest.raises(BadParameter, match=r"derive_stability|frames"):
        make_decoder("yaohua_a9", {"derive_stability": rule})
