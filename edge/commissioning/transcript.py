"""What went over a line, written down so that it can be replayed: bytes, times, and what they meant.

    {"transcript": 1, "kind": "modbus_rtu", "baud": 9600, "format": "8N1", "units": {"7": "generic-xy-md02"}}
    {"at_ms": 12.5, "frame": "0704...", "chunks": [[31.2, "0704..."]], "expect": {"temperature": "-19.0"}}
    {"at_ms": 88.1, "frame": "0904...", "chunks": [], "failure": "timeout"}

It names no site, gateway, device or port, tells no time of day, and texts that a device gives (serial numbers) are
crossed out with their checksums made good. A transcript in tests/recordings/bus is a test from then on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise

import msgspec

from edge.commissioning.asking import Outcome, judged
from edge.drivers.crc import crc_modbus
from edge.drivers.modbus import Request, RtuMatcher, TcpMatcher, parse_rtu_request, parse_tcp_request
from edge.lines.bus import Chunk
from edge.profiles.decode import Raws, decode_points
from edge.profiles.profile_types import Profile, Table

_TABLE = {table.read_function: table for table in Table}
_CROSSED_OUT = 0x78  # x


class Head(msgspec.Struct, frozen=True, kw_only=True):
    transcript: int
    kind: str
    baud: int | None = None
    format: str | None = None
    units: dict[int, str]  # unit id -> profile


class Spoken(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One exchange; `expect` holds point -> value, or the reason why there is none."""

    at_ms: float
    frame: str
    chunks: tuple[tuple[float, str], ...]
    expect: dict[str, str] = {}
    failure: str = ""


class NotATranscript(ValueError):
    """The file is something else."""


class Scribe:
    """Writes exchanges down in their order: what one answer means may lean on one before it (decimals, status)."""

    def __init__(self, head: Head, profiles: Mapping[str, Profile]) -> None:
        self._head, self._profiles = head, profiles
        self._raws: dict[int, Raws] = {unit: {} for unit in head.units}

    def note(self, at_ms: float, frame: bytes, chunks: Sequence[Chunk]) -> Spoken | None:
        """One exchange, redacted and with its meaning; None for what is no plain read of a known device."""
        request, transaction = _parsed(frame, self._head)
        if request is None or request.unit not in self._head.units or not request.is_read:
            return None
        profile = self._profiles[self._head.units[request.unit]]
        told = [chunk for chunk in chunks if chunk.after_s >= 0]
        if self._head.kind == "modbus_rtu":
            told = _redacted(told, request, profile)
        spoken = Spoken(
            at_ms=round(at_ms, 1),
            frame=frame.hex(),
            chunks=tuple((round(chunk.after_s * 1000, 1), chunk.raw.hex()) for chunk in told),
        )
        outcome = _outcome(request, transaction, told, self._head)
        if outcome.payload is None:
            return msgspec.structs.replace(spoken, failure=outcome.reason or "")
        meaning = _meaning(request, outcome.payload, profile, self._raws[request.unit])
        return msgspec.structs.replace(spoken, expect=meaning)


def differences(lines: Iterable[str], profiles: Mapping[str, Profile]) -> Iterator[str]:
    """What a transcript would mean otherwise today, in words; nothing when all is as it was. Raises NotATranscript."""
    scribe: Scribe | None = None
    for number, line in enumerate(lines, 1):
        try:
            if scribe is None:
                scribe = Scribe(msgspec.json.decode(line, type=Head), profiles)
                continue
            spoken = msgspec.json.decode(line, type=Spoken)
        except msgspec.DecodeError as error:
            raise NotATranscript(f"line {number}: {error}") from error
        chunks = [Chunk(after_ms / 1000, bytes.fromhex(raw)) for after_ms, raw in spoken.chunks]
        again = scribe.note(spoken.at_ms, bytes.fromhex(spoken.frame), chunks)
        if again is None or (again.expect, again.failure) != (spoken.expect, spoken.failure):
            found = "nothing" if again is None else again.failure or again.expect
            yield f"line {number}: expected {spoken.failure or spoken.expect}, found {found}"


def _parsed(frame: bytes, head: Head) -> tuple[Request | None, int]:
    try:
        return parse_tcp_request(frame) if head.kind == "modbus_tcp" else (parse_rtu_request(frame), 0)
    except ValueError:
        return None, 0


def _outcome(request: Request, transaction: int, chunks: Sequence[Chunk], head: Head) -> Outcome:
    if head.kind == "modbus_tcp":
        tcp = TcpMatcher()
        tcp.arm(request, transaction)
        return judged(tcp, request, chunks)
    rtu = RtuMatcher()
    rtu.arm(request)
    return judged(rtu, request, chunks)


def _meaning(request: Request, payload: bytes, profile: Profile, raws: Raws) -> dict[str, str]:
    table = _TABLE[request.function]
    bits = request.count if table.is_bits else None
    readings = decode_points(profile.points, table, request.address, payload, bits=bits, raws=raws)
    return {one.point: one.value if one.value is not None else one.reason or "" for one in readings}


def _redacted(chunks: Sequence[Chunk], request: Request, profile: Profile) -> list[Chunk]:
    raw = bytearray(b"".join(chunk.raw for chunk in chunks))
    head = bytes((request.unit,)) + request.head
    at = raw.find(head)
    end = at + request.size + 3
    if at < 0 or end > len(raw) or crc_modbus(bytes(raw[at:end])) != 0:
        return list(chunks)
    for point in profile.points:
        if point.table is None or not point.type.startswith("ascii") or point.table.read_function != request.function:
            continue
        first = at + 3 + 2 * (point.address - request.address)
        last = first + 2 * point.value_type.registers
        if at + 3 <= first and last <= end - 2:
            raw[first:last] = bytes((_CROSSED_OUT,)) * (last - first)
    raw[end - 2 : end] = crc_modbus(bytes(raw[at : end - 2])).to_bytes(2, "little")
    borders = pairwise([0, *accumulate(len(chunk.raw) for chunk in chunks)])
    return [Chunk(chunk.after_s, bytes(raw[begin:stop])) for chunk, (begin, stop) in zip(chunks, borders, strict=True)]
