"""Modbus answers as readings of profile points, for `coldlink device decode` and recordings.

The agent does not come this way: its bus hands raw registers to compiled plans.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from edge.drivers.errors import BadParameter
from edge.drivers.frames import AckFrame, Decoder, ErrorFrame, Frame, ReadingFrame
from edge.drivers.modbus import (
    EXCEPTION_NAMES,
    Fault,
    Request,
    Response,
    RtuScan,
    TcpMatcher,
    parse_rtu_request,
    parse_tcp_request,
)
from edge.drivers.params import Params
from edge.profiles.decode import decode_points
from edge.profiles.profile import find_profile, load_profile
from edge.profiles.profile_types import Point, Table
from ground.configfile import ConfigError

_TABLES = {table.read_function: table for table in Table}


def rtu_decoder(params: Params) -> Decoder:
    return _Answers(params, _rtu_scan)


def tcp_decoder(params: Params) -> Decoder:
    return _Answers(params, _tcp_scan)


class _Scan:
    """What both framings offer here: chunks in, responses and faults out."""

    def __init__(
        self, request: Request, feed: Callable[[bytes], Iterable[Response | Fault]], pending: Callable[[], bool]
    ) -> None:
        self.request = request
        self.feed = feed
        self.pending = pending


class _Answers:
    poll_request = b""  # a bus asks, not the decoder

    def __init__(self, params: Params, open_scan: Callable[[bytes, bool], _Scan]) -> None:
        self._points = _points(params)
        self._is_echoing = params.flag("echo")
        self._open_scan = open_scan
        self._scan: _Scan | None = None
        self._why = "the request is missing: an answer does not say what was asked"
        self._has_complained = False

    @property
    def pending(self) -> bool:
        return self._scan is not None and self._scan.pending()

    def expect(self, request: bytes) -> None:
        try:
            self._scan = self._open_scan(request, self._is_echoing)
        except ValueError as error:
            self._scan, self._why = None, f"request: {error}"
        self._has_complained = False

    def feed(self, chunk: bytes) -> list[Frame]:
        if self._scan is None:
            if self._has_complained or not chunk:
                return []
            self._has_complained = True
            return [ErrorFrame("format", self._why)]
        return [frame for found in self._scan.feed(chunk) for frame in self._frames(self._scan.request, found)]

    def idle(self) -> list[Frame]:
        return [ErrorFrame("truncated", "an answer without its end, then silence")] if self.pending else []

    def _frames(self, request: Request, found: Response | Fault) -> Sequence[Frame]:
        if isinstance(found, Fault):
            return [] if found is Fault.ECHO else [ErrorFrame(found.value)]
        if found.exception:
            name = EXCEPTION_NAMES.get(found.exception, "unknown")
            return [ErrorFrame("device", f"exception {found.exception}: {name}", found.exception)]
        if not request.is_read:
            return [AckFrame("written")]
        table = _TABLES[request.function]
        readings = decode_points(self._points, table, request.address, found.payload, bits=request.count)
        return [
            ReadingFrame(
                reading.value,
                reading.unit,
                "good" if reading.quality == "good" else "uncertain" if reading.quality == "uncertain" else "bad",
                reading.reason,
                point=reading.point,
            )
            for reading in readings
        ]


def _rtu_scan(raw: bytes, is_echoing: bool) -> _Scan:
    request = parse_rtu_request(raw)
    scan = RtuScan(request, is_echoing=is_echoing)
    return _Scan(request, scan.feed, lambda: scan.is_inside_answer)


def _tcp_scan(raw: bytes, is_echoing: bool) -> _Scan:
    del is_echoing  # a socket has none
    request, transaction = parse_tcp_request(raw)
    matcher = TcpMatcher()
    matcher.arm(request, transaction)
    return _Scan(request, matcher.scan, lambda: matcher.is_inside_answer)


def _points(params: Params) -> Sequence[Point]:
    inline, profile = params.given("points"), params.text("profile")
    if inline is not None:
        try:
            return msgspec.convert(inline, tuple[Point, ...])
        except msgspec.ValidationError as error:
            raise BadParameter("points", inline, f"points as in a profile: {error}") from error
    if profile is None:
        return ()
    try:
        is_file = profile.endswith((".yaml", ".yml"))
        return load_profile(Path(profile) if is_file else find_profile(profile)).points
    except (ConfigError, KeyError, OSError) as error:
        raise BadParameter("profile", profile, f"a profile's id or file: {error}") from error
