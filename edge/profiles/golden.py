"""Runs the golden frames that a profile carries: recorded bytes must decode to what the file says they mean."""

from __future__ import annotations

from collections.abc import Iterator

from edge.drivers.crc import crc_modbus
from edge.drivers.frames import ReadingFrame, TagFrame
from edge.drivers.registry import make_decoder
from edge.profiles.decode import NamedReading, Raws, decode_points
from edge.profiles.profile_types import Expected, GoldenTest, Profile, Table

_TABLE = {table.read_function: table for table in Table}


def golden_mismatches(profile: Profile) -> list[str]:
    """What decodes otherwise than expected, in words; empty when all is as it should be."""
    return [
        f"tests[{number}].{difference}"
        for number, test in enumerate(profile.tests)
        for difference in _differences(profile, test)
    ]


def _differences(profile: Profile, test: GoldenTest) -> Iterator[str]:
    try:
        found = dict(_modbus_readings(profile, test) if profile.is_modbus else _driver_readings(profile, test))
    except ValueError as error:
        yield f"response: {error}"
        return
    for key, wanted in test.expect.items():
        expected = Expected(value=wanted) if isinstance(wanted, str) else wanted
        if found.get(key) != expected:
            yield f"{key}: expected {expected}, decoded {found.get(key)}"


def _modbus_readings(profile: Profile, test: GoldenTest) -> Iterator[tuple[str, Expected]]:
    raws: Raws = {}
    for exchange in test.more:
        _decode(profile, exchange.request, exchange.response, raws)
    # Points may lean on what was read after them in the recording, so the answer under test is decoded last.
    for reading in _decode(profile, test.request, test.response, raws):
        yield _expected(reading)
    for exchange in test.more:
        for reading in _decode(profile, exchange.request, exchange.response, raws):
            yield _expected(reading)


def _decode(profile: Profile, request: str, response: str, raws: Raws) -> list[NamedReading]:
    asked, answered = _without_crc(request), _without_crc(response)
    unit, function, address, count = asked[0], asked[1], int.from_bytes(asked[2:4]), int.from_bytes(asked[4:6])
    if answered[:2] != bytes([unit, function]) or answered[2] != len(answered) - 3:
        raise ValueError("is not an answer to the request")
    table = _TABLE[function]
    bits = count if table.is_bits else None
    return decode_points(profile.points, table, address, answered[3:], bits=bits, raws=raws)


def _without_crc(frame: str) -> bytes:
    raw = bytes.fromhex(frame)
    if len(raw) < 5 or crc_modbus(raw[:-2]) != int.from_bytes(raw[-2:], "little"):
        raise ValueError(f"{frame!r} has a wrong CRC")
    return raw[:-2]


def _expected(reading: NamedReading) -> tuple[str, Expected]:
    quality = "good" if reading.quality == "good" else "uncertain" if reading.quality == "uncertain" else "bad"
    return reading.point, Expected(value=reading.value, quality=quality, reason=reading.reason)  # type: ignore[arg-type]


def _driver_readings(profile: Profile, test: GoldenTest) -> Iterator[tuple[str, Expected]]:
    decoder, _ = make_decoder(profile.driver or "", profile.params)
    decoder.expect(bytes.fromhex(test.request))
    first = profile.points[0].key
    for frame in decoder.feed(bytes.fromhex(test.response)):
        if isinstance(frame, ReadingFrame):
            yield frame.point or first, Expected(value=frame.value, quality=frame.quality, reason=frame.reason)
        elif isinstance(frame, TagFrame):
            yield first, Expected(value=(frame.epc or frame.id or "").lower())
