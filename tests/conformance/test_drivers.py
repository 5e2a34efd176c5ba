"""One suite for every driver. A new driver is found through the registry; it brings `drivers/<name>.yaml` with good
frames and cases, and passes all of this without being named here."""

import json
import time
import tracemalloc
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.decode_command import decode_lines
from edge.drivers.frames import AckFrame, Decoder, ErrorFrame, Frame, ReadingFrame, TagFrame, WarningFrame
from edge.drivers.registry import DRIVERS, make_decoder

SAMPLES = Path(__file__).parent / "drivers"
NOISE = [b"\x00", b"\xff\x13\x7f", b"\xc3\x00\xfe\x81\x80", bytes(range(0xF0, 0xF8)) * 9]
TICKET = b"TICKET 0042\r\n"


class Sample:
    """What a driver's file says."""

    def __init__(self, driver: str) -> None:
        self.driver = driver
        told = yaml.safe_load((SAMPLES / f"{driver}.yaml").read_text("utf-8"))
        self.params: dict[str, Any] = told.get("params", {})
        self.request = bytes.fromhex(told.get("request") or "")
        self.has_checksum: bool = told.get("checksum", False)
        self.resyncs: bool = told.get("resyncs", True)
        self.good = [(stream(item), [frame(one) for one in item["expect"]]) for item in told["good"]]
        self.cases = told["cases"]

    def decoder(self, case: dict[str, Any] | None = None) -> tuple[Decoder, list[Frame]]:
        case = case or {}
        decoder, warnings = make_decoder(self.driver, case.get("params", self.params))
        request = bytes.fromhex(case.get("request") or "") if "request" in case else self.request
        if request:
            decoder.expect(request)
        return decoder, list(warnings)

    def decode(self, *chunks: bytes, case: dict[str, Any] | None = None) -> tuple[list[Frame], bool]:
        decoder, frames = self.decoder(case)
        for chunk in chunks:
            frames += decoder.feed(chunk)
        return frames, decoder.pending

    def measured(self, *chunks: bytes) -> list[Frame]:
        return measured(self.decode(*chunks)[0])


def stream(item: dict[str, Any]) -> bytes:
    return bytes.fromhex(item["hex"]) if "hex" in item else item["text"].encode("latin-1")


def frame(told: dict[str, Any]) -> Frame:
    told = dict(told)
    if "error" in told:
        return ErrorFrame(told["error"], code=told.get("code"))
    if "warning" in told:
        return WarningFrame(told["warning"])
    if "tag" in told or "id" in told:
        return TagFrame(epc=told.pop("tag", None), **told)
    if "bad" in told:
        return ReadingFrame(None, quality="bad", reason=told.pop("bad"), **told)
    return ReadingFrame(told.pop("reading"), is_stability_derived=told.pop("derived", False), **told)


def comparable(frames: Iterable[Frame]) -> list[Frame]:
    """Without words, which may change, and without what only the agent needs."""
    shown: list[Frame] = []
    for one in frames:
        if isinstance(one, ErrorFrame):
            shown.append(ErrorFrame(one.kind, code=one.code))
        elif isinstance(one, WarningFrame):
            shown.append(WarningFrame(one.kind))
        elif isinstance(one, TagFrame):
            shown.append(TagFrame(one.epc, one.id, one.rssi_dbm, one.antenna))
        elif not isinstance(one, AckFrame):
            shown.append(one)
    return shown


def measured(frames: Iterable[Frame]) -> list[Frame]:
    return [one for one in comparable(frames) if isinstance(one, ReadingFrame | TagFrame)]


def one_by_one(*chunks: bytes) -> list[bytes]:
    return [bytes((byte,)) for chunk in chunks for byte in chunk]


def cut_up(message: bytes, sizes: Sequence[int]) -> list[bytes]:
    chunks = []
    for size in sizes:
        chunks.append(message[:size])
        message = message[size:]
    return [*chunks, message]


each_driver = pytest.mark.parametrize("sample", [Sample(driver) for driver in DRIVERS], ids=list(DRIVERS))


@each_driver
def test_good_frames_decode_and_leave_nothing(sample: Sample) -> None:
    for raw, expected in sample.good:
        frames, pending = sample.decode(raw)
        assert (comparable(frames), pending) == (expected, False)


@each_driver
def test_cases_decode_as_their_file_says(sample: Sample) -> None:
    for case in sample.cases:
        expected = ([frame(one) for one in case["expect"]], case.get("pending", False))
        frames, pending = sample.decode(stream(case), case=case)
        assert (comparable(frames), pending) == expected, case["name"]
        frames, pending = sample.decode(*one_by_one(stream(case)), case=case)
        assert (comparable(frames), pending) == expected, f"{case['name']}, byte by byte"


@each_driver
def test_feeding_byte_by_byte_changes_nothing(sample: Sample) -> None:
    raw = b"".join(raw for raw, _ in sample.good) * 2
    assert sample.decode(*one_by_one(raw)) == sample.decode(raw)


@each_driver
def test_two_frames_in_one_read_are_two(sample: Sample) -> None:
    first, last = sample.good[0], sample.good[-1]
    assert sample.measured(first[0] + last[0] + first[0]) == first[1] + last[1] + first[1]


@each_driver
def test_garbage_before_a_frame_is_skipped(sample: Sample) -> None:
    if not sample.resyncs:
        pytest.skip("nothing in this protocol to find a frame by")
    for raw, expected in sample.good:
        for noise in NOISE:
            assert sample.measured(noise + raw) == expected, noise
        assert sample.measured(TICKET + raw) == expected


@each_driver
def test_every_truncation_is_silent_and_pending(sample: Sample) -> None:
    for raw, expected in sample.good:
        for length in range(1, len(raw)):
            frames, pending = sample.decode(raw[:length])
            assert frames == [], length
            assert pending or not raw[:length].strip(), length
            if sample.decode(raw[:length], raw[length:])[0]:
                assert sample.measured(raw[:length], raw[length:]) == expected


@each_driver
def test_a_good_frame_after_a_truncated_one_is_found(sample: Sample) -> None:
    if not sample.resyncs:
        pytest.skip("nothing in this protocol to find a frame by")
    for torn, _ in sample.good:
        for raw, expected in sample.good:
            for length in range(1, len(torn)):
                count = 6 + 300 // len(raw)  # a torn length field may swallow a few
                found = sample.measured(torn[:length] + raw * count)
                assert found and found == expected * (len(found) // len(expected)), (length, found)


@each_driver
def test_a_spoilt_frame_is_an_error_and_the_next_one_is_good(sample: Sample) -> None:
    if not sample.has_checksum:
        pytest.skip("this protocol has no checksum")
    for spoilt_raw, _ in sample.good:
        raw, expected = sample.good[0]
        for place in range(len(spoilt_raw.removesuffix(b"\r\n"))):  # nothing protects the end of a line
            for flip in (0x01, 0x04, 0x80, 0xFF):
                spoilt = bytearray(spoilt_raw)
                spoilt[place] ^= flip
                after = raw * (4 + 2048 // len(raw))  # as many as a spoilt length field can swallow
                found = sample.measured(bytes(spoilt) + after)
                count = len(found) // len(expected)
                assert found == expected * count, (place, flip, found)
                assert 1 <= count <= len(after) // len(raw), (place, flip)


@each_driver
def test_a_wrong_check_is_called_a_checksum_error(sample: Sample) -> None:
    if not sample.has_checksum:
        pytest.skip("this protocol has no checksum")
    raw, _ = sample.good[0]
    kinds = set()
    for place in range(1, len(raw) - 1):
        spoilt = bytearray(raw)
        spoilt[place] ^= 0x01
        kinds |= {one.kind for one in sample.decode(bytes(spoilt) + raw)[0] if isinstance(one, ErrorFrame)}
    assert "checksum" in kinds


@each_driver
def test_silence_gives_up_on_what_is_unfinished(sample: Sample) -> None:
    raw, expected = sample.good[0]
    decoder, _ = sample.decoder()
    decoder.feed(raw[: len(raw) // 2])
    assert measured(decoder.idle()) == []
    if sample.driver not in ("modbus_rtu", "modbus_tcp"):  # there the bus arms the next request
        assert not decoder.pending
        assert measured(decoder.feed(raw)) == expected


@each_driver
def test_a_frame_hidden_in_an_unfinished_one_comes_out_after_silence(sample: Sample) -> None:
    if not sample.resyncs or sample.driver.startswith("modbus"):
        pytest.skip("nothing in this protocol to find a frame by")
    raw, expected = sample.good[0]
    decoder, _ = sample.decoder()
    found = measured(decoder.feed(raw[: max(3, len(raw) // 2)] + raw))
    found += measured(decoder.idle())
    assert found == expected


def flood(decoder: Decoder, seed: int, size: int) -> tuple[float, int]:
    """CPU seconds, and the most memory that stayed with the decoder."""
    random = Random(seed)
    tracemalloc.start()
    took_s, most = 0.0, 0
    try:
        for _ in range(size // 65536):
            chunk = random.randbytes(65536)
            began = time.process_time()
            frames = decoder.feed(chunk)
            took_s += time.process_time() - began
            del frames, chunk
            most = max(most, tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    return took_s, most


@each_driver
def test_random_bytes_leave_memory_flat(sample: Sample) -> None:
    _, most = flood(sample.decoder()[0], 1, 1 << 19)
    assert most < 3_000_000  # llrp may hold one message of 1 MiB


@pytest.mark.slow
@each_driver
def test_ten_megabytes_of_random_bytes_take_linear_time(sample: Sample) -> None:
    first_s, _ = flood(sample.decoder()[0], 2, 1 << 20)
    decoder, _ = sample.decoder()
    took_s, most = flood(decoder, 3, 10 << 20)
    assert took_s < 10 * first_s * 3 + 1
    assert most < 3_000_000


@each_driver
def test_the_worst_heads_do_not_make_it_slow(sample: Sample) -> None:
    raw = sample.good[0][0]
    for length in (1, 2, 3, 5, len(raw) // 2, len(raw) - 1):
        decoder, _ = sample.decoder()
        began = time.process_time()
        decoder.feed(raw[:length] * (200_000 // length))
        assert time.process_time() - began < 20


@each_driver
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_chunking_never_changes_the_frames(sample: Sample, data: st.DataObject) -> None:
    pieces = st.one_of(
        st.binary(max_size=30),
        st.sampled_from([raw for raw, _ in sample.good]),
        st.sampled_from([raw[: len(raw) // 2] for raw, _ in sample.good]),
        st.sampled_from([raw[3:] for raw, _ in sample.good]),
        st.sampled_from([b"\r", b"\n", b"\r\n", b"\x02", b"\x03", b"=", b" "]),
    )
    message = b"".join(data.draw(st.lists(pieces, max_size=12)))
    sizes = data.draw(st.lists(st.integers(0, 40), max_size=30))
    whole = sample.decode(message)
    assert sample.decode(*cut_up(message, sizes)) == whole
    assert sample.decode(*one_by_one(message)) == whole


@each_driver
def test_options_that_make_no_sense_are_answered(sample: Sample) -> None:
    for params in ({"unit": 5}, {"checksum": "perhaps"}, {"mask_bit7": "yes"}, {"address": -1}, {"nonsense": 1}):
        case = {"id": 1, "driver": sample.driver, "params": params, "chunks": [sample.good[0][0].hex()]}
        (answer,) = decode_lines([json.dumps(case)])
        assert {one["type"] for one in json.loads(answer)["frames"]} & {"error", "warning"}


def test_every_driver_has_its_file_and_no_file_lacks_its_driver() -> None:
    assert {path.stem for path in SAMPLES.glob("*.yaml")} == set(DRIVERS)
