"""Modbus RTU and TCP without I/O: builds requests and finds, in whatever arrives, the answer to the one in flight.

    arm(request) -> bytes to send          feed(chunk) -> None, keep waiting | Response

An answer counts only if unit, function, length and checksum (TCP: transaction too) are those of the request in flight;
everything else on the line is named in `faults` and dropped. The end of a frame comes from its expected length: user
space cannot measure 1.5 characters of silence.
"""

import heapq
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from struct import Struct
from typing import NamedTuple

from edge.drivers.crc import crc_modbus

READ_COILS = 1
READ_DISCRETE_INPUTS = 2
READ_HOLDING_REGISTERS = 3
READ_INPUT_REGISTERS = 4
WRITE_COIL = 5
WRITE_REGISTER = 6
WRITE_COILS = 15
WRITE_REGISTERS = 16

MAX_READ_REGISTERS = 125  # Modbus application protocol V1.1b3, 6.3
MAX_READ_BITS = 2000
MAX_WRITE_REGISTERS = 123
MAX_WRITE_BITS = 1968

EXCEPTION_NAMES = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledge",
    6: "device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target did not respond",
}

_BIT_READS = (READ_COILS, READ_DISCRETE_INPUTS)
_READS = (READ_COILS, READ_DISCRETE_INPUTS, READ_HOLDING_REGISTERS, READ_INPUT_REGISTERS)
_WRITES = (WRITE_COIL, WRITE_REGISTER, WRITE_COILS, WRITE_REGISTERS)
_LONGEST_FRAME = 300  # no frame is longer, ours (function 16) included
_HELD_MOST = 512  # bytes taken in at once

# What the first three bytes of any answer can be, to whatever request: unit, function, and byte count, high byte of
# the address or exception code.
_HEAD = re.compile(
    rb"(?s)(?=.(?:[\x01\x02][\x01-\xfa]|[\x03\x04]["
    + b"".join(re.escape(bytes((count,))) for count in range(2, 251, 2))
    + rb"]|[\x05\x06\x0f\x10].|[\x81-\x86\x8f\x90][\x01-\x0b]))"
)

_FIELDS = Struct(">BHH")
_MBAP = Struct(">HHHB")


class Fault(StrEnum):
    """What was on the line and was not the answer."""

    CHECKSUM = "checksum"
    FORMAT = "format"
    ECHO = "echo"  # our own request, come back through the adapter
    WRONG_UNIT = "wrong_unit"
    WRONG_FUNCTION = "wrong_function"
    LATE = "late"  # a right answer to an earlier request
    NOISE = "noise"  # bytes behind the answer


class Response(NamedTuple):
    """The answer to the request in flight: register or bit bytes of a read, nothing for a write."""

    payload: bytes
    exception: int = 0

    @property
    def reason(self) -> str | None:
        return f"exception_{self.exception}" if self.exception else None


@dataclass(frozen=True, slots=True)
class Request:
    """One request and what its answer must look like; made once, sent at every poll."""

    unit: int
    function: int
    address: int
    count: int
    pdu: bytes
    head: bytes = field(init=False)  # how a good answer's PDU begins
    size: int = field(init=False)  # how long it is
    rtu: bytes = field(init=False)

    def __post_init__(self) -> None:
        set_field = object.__setattr__  # the frozen dataclass way to derive a field
        if self.function in _READS:
            is_bits = self.function in _BIT_READS
            byte_count = (self.count + 7) // 8 if is_bits else 2 * self.count
            set_field(self, "head", bytes((self.function, byte_count)))
            set_field(self, "size", 2 + byte_count)
        else:
            set_field(self, "head", self.pdu[:5])
            set_field(self, "size", 5)
        set_field(self, "rtu", with_crc(bytes((self.unit,)) + self.pdu))

    @property
    def is_read(self) -> bool:
        return self.function in _READS


def read_request(unit: int, function: int, address: int, count: int) -> Request:
    """Function 1 to 4. Raises ValueError for what no device can answer."""
    most = MAX_READ_BITS if function in _BIT_READS else MAX_READ_REGISTERS
    if function not in _READS or not 1 <= count <= most or not 0 <= address <= 0x10000 - count:
        raise ValueError(f"cannot read {count} from {address} with function {function}")
    return Request(unit, function, address, count, _FIELDS.pack(function, address, count))


def write_coil_request(unit: int, address: int, *, on: bool) -> Request:
    return Request(unit, WRITE_COIL, address, 1, _FIELDS.pack(WRITE_COIL, address, 0xFF00 if on else 0))


def write_register_request(unit: int, address: int, value: int) -> Request:
    return Request(unit, WRITE_REGISTER, address, 1, _FIELDS.pack(WRITE_REGISTER, address, value & 0xFFFF))


def write_coils_request(unit: int, address: int, states: Sequence[bool]) -> Request:
    if not 1 <= len(states) <= MAX_WRITE_BITS:
        raise ValueError(f"cannot write {len(states)} coils at once")
    packed = sum(1 << place for place, state in enumerate(states) if state)
    bits = packed.to_bytes((len(states) + 7) // 8, "little")
    pdu = _FIELDS.pack(WRITE_COILS, address, len(states)) + bytes((len(bits),)) + bits
    return Request(unit, WRITE_COILS, address, len(states), pdu)


def write_registers_request(unit: int, address: int, values: Sequence[int]) -> Request:
    if not 1 <= len(values) <= MAX_WRITE_REGISTERS:
        raise ValueError(f"cannot write {len(values)} registers at once")
    words = b"".join((value & 0xFFFF).to_bytes(2) for value in values)
    pdu = _FIELDS.pack(WRITE_REGISTERS, address, len(values)) + bytes((len(words),)) + words
    return Request(unit, WRITE_REGISTERS, address, len(values), pdu)


def parse_rtu_request(raw: bytes) -> Request:
    """A request as it went over the line. Raises ValueError when it is none."""
    if len(raw) < 8 or with_crc(raw[:-2]) != raw:
        raise ValueError("not a Modbus RTU request: too short or wrong checksum")
    return _parse_pdu(raw[0], raw[1:-2])


def parse_tcp_request(raw: bytes) -> tuple[Request, int]:
    """A request as it went over the wire, and its transaction id. Raises ValueError when it is none."""
    if len(raw) < 12:
        raise ValueError("not a Modbus TCP request: too short")
    transaction, protocol, length, unit = _MBAP.unpack_from(raw)
    if protocol or length != len(raw) - 6:
        raise ValueError("not a Modbus TCP request: protocol or length field is wrong")
    return _parse_pdu(unit, raw[7:]), transaction


def _parse_pdu(unit: int, pdu: bytes) -> Request:
    function, address, count = _FIELDS.unpack_from(pdu)
    if function in _READS and len(pdu) == 5:
        return read_request(unit, function, address, count)
    if function in (WRITE_COIL, WRITE_REGISTER) and len(pdu) == 5:
        return Request(unit, function, address, 1, pdu)
    if function in (WRITE_COILS, WRITE_REGISTERS) and len(pdu) >= 7 and len(pdu) == 6 + pdu[5]:
        return Request(unit, function, address, count, pdu)
    raise ValueError(f"not a Modbus request that we know: function {function}, {len(pdu)} bytes")


def with_crc(frame: bytes) -> bytes:
    return frame + crc_modbus(frame).to_bytes(2, "little")


class RtuMatcher:
    """Finds the answer to one request at a time on a serial line.

    `is_echoing`: the adapter returns what we send, so that the first copy of a write's answer is our own request.
    """

    def __init__(self, *, is_echoing: bool = False) -> None:
        self.faults: list[Fault] = []
        self.is_echoing = is_echoing
        self.rest = b""  # what came behind the answer
        self._scan: RtuScan | None = None

    def arm(self, request: Request) -> bytes:
        self._scan = RtuScan(request, is_echoing=self.is_echoing)
        self.faults = []
        self.rest = b""
        return request.rtu

    def feed(self, chunk: bytes) -> Response | None:
        if self._scan is None:
            self.faults.append(Fault.NOISE)
            return None
        for found in self._scan.feed(chunk):
            if isinstance(found, Response):
                self.rest = self._scan.rest
                if self.rest:
                    self.faults.append(Fault.NOISE)
                self._scan = None
                return found
            self.faults.append(found)
        return None


class RtuScan:
    """Every frame in a byte stream, in the order in which they end, seen from one request.

    Each byte that could begin a frame makes a candidate, judged when its last byte is there. So noise that looks like
    the head of a long frame never hides a good frame behind it, and how the bytes arrive in chunks changes nothing.
    Places are counted from the first byte ever fed.
    """

    def __init__(self, request: Request, *, is_echoing: bool = False) -> None:
        self._request = request
        self._answer_head = bytes((request.unit,)) + request.head
        self._answer_size = request.size + 3
        self._is_echo_due = is_echoing
        self._held = bytearray()
        self._base = 0  # place of the first byte held
        self._due = 0  # place where the next frame should begin: behind the last one
        self._noted = 0  # heads before this place are noted
        self._candidates: list[tuple[int, int]] = []  # heap of (end, start)

    @property
    def rest(self) -> bytes:
        """What came behind the last frame."""
        return bytes(self._held[max(0, self._due - self._base) :])

    @property
    def is_inside_answer(self) -> bool:
        """Whether the bytes end in the middle of what could be the answer."""
        if any(start >= self._due and self._is_ours(start) for _, start in self._candidates):
            return True
        unit, function = self._request.unit, self._request.function
        tail = self._held[max(self._due, self._end - 2) - self._base :]
        return tail[-1:] == bytes((unit,)) or tail in (bytes((unit, function)), bytes((unit, function | 0x80)))

    def feed(self, chunk: bytes) -> Iterable[Response | Fault]:
        """The good answer alone takes the short way; anything else is searched."""
        if (
            not self._held
            and len(chunk) == self._answer_size
            and chunk.startswith(self._answer_head)
            and not self._is_echo_due
            and crc_modbus(chunk) == 0
        ):
            return (Response(self._payload(chunk)),)
        return self._search(chunk)

    @property
    def _end(self) -> int:
        return self._base + len(self._held)

    def _search(self, chunk: bytes) -> Iterable[Response | Fault]:
        for at in range(0, len(chunk), _HELD_MOST):
            self._held += chunk[at : at + _HELD_MOST]
            self._note_candidates()
            yield from self._judge_complete()
            self._forget()

    def _note_candidates(self) -> None:
        echo = self._request.rtu[:3]
        for head in _HEAD.finditer(self._held, self._noted - self._base):
            start = self._base + head.start()
            function, third = self._held[head.start() + 1 : head.start() + 3]
            size = 5 if function & 0x80 else 8 if function in _WRITES else 5 + third
            heapq.heappush(self._candidates, (start + size, start))
        found = self._held.find(echo, self._noted - self._base)
        while found >= 0:
            if echo_size := self._echo_size(self._base + found):
                heapq.heappush(self._candidates, (self._base + found + echo_size, self._base + found))
            found = self._held.find(echo, found + 1)
        self._noted = max(self._noted, self._end - 2)

    def _judge_complete(self) -> Iterable[Response | Fault]:
        while self._candidates and self._candidates[0][0] <= self._end:
            end, start = heapq.heappop(self._candidates)
            if start < self._due:  # inside a frame that was good
                continue
            frame = bytes(self._held[start - self._base : end - self._base])
            if crc_modbus(frame) == 0:
                self._due = end
                yield self._judge(frame)
            elif (start == self._due or self._is_ours(start)) and not self._is_undecided(start):
                yield Fault.CHECKSUM

    def _is_undecided(self, start: int) -> bool:
        return any(start == other for _, other in self._candidates)

    def _echo_size(self, start: int) -> int:
        """Length of our request if it may begin here and cannot be taken for an answer."""
        rtu = self._request.rtu
        is_answer_alike = len(rtu) == self._answer_size and not self._request.is_read
        return len(rtu) if self._held.startswith(rtu[:3], start - self._base) and not is_answer_alike else 0

    def _is_ours(self, start: int) -> bool:
        unit, function, third = self._held[start - self._base : start - self._base + 3]
        request = self._request
        if unit != request.unit or function & 0x7F != request.function:
            return False
        return bool(function & 0x80) or third == request.head[1]

    def _judge(self, frame: bytes) -> Response | Fault:
        request = self._request
        if frame == request.rtu and (request.is_read or self._is_echo_due or len(frame) != self._answer_size):
            self._is_echo_due = False
            return Fault.ECHO
        if frame[0] != request.unit:
            return Fault.WRONG_UNIT
        if frame[1] == request.function | 0x80:
            return Response(b"", frame[2])
        if frame[1] != request.function:
            return Fault.WRONG_FUNCTION
        if len(frame) != self._answer_size or not frame.startswith(self._answer_head):
            return Fault.LATE
        return Response(self._payload(frame))

    def _payload(self, frame: bytes) -> bytes:
        return frame[3:-2] if self._request.is_read else b""

    def _forget(self) -> None:
        """Bounds the memory: no candidate that still waits began further back."""
        kept_from = max(self._due, self._end - _LONGEST_FRAME)
        del self._held[: kept_from - self._base]
        self._base = kept_from
        self._noted = max(self._noted, kept_from)


class TcpMatcher:
    """Finds the answer to one request at a time on a Modbus TCP connection."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._transaction = 0
        self._request: Request | None = None
        self._head = b""
        self._size = 0
        self._held = bytearray()
        self._is_lost = False  # looking for the next frame head

    def arm(self, request: Request, transaction: int | None = None) -> bytes:
        """`transaction` is given only to match a recorded exchange."""
        self._transaction = (self._transaction + 1) & 0xFFFF if transaction is None else transaction
        self._request = request
        self._size = request.size + 7
        self._head = _MBAP.pack(self._transaction, 0, request.size + 1, request.unit) + request.head
        self._held.clear()
        self._is_lost = False
        if self.faults:
            self.faults = []
        return _MBAP.pack(self._transaction, 0, len(request.pdu) + 1, request.unit) + request.pdu

    @property
    def is_inside_answer(self) -> bool:
        return bool(self._held)

    def feed(self, chunk: bytes) -> Response | None:
        request = self._request
        if request is None:
            self.faults.append(Fault.NOISE)
            return None
        if not self._held and len(chunk) == self._size and chunk.startswith(self._head):
            self._request = None
            return Response(chunk[9:] if request.is_read else b"")
        self._held += chunk
        for found in self._walk():
            if isinstance(found, Response):
                if self._held:
                    self.faults.append(Fault.NOISE)
                self._request = None
                return found
            self.faults.append(found)
        return None

    def scan(self, chunk: bytes) -> Iterable[Response | Fault]:
        """For recordings: everything in the stream, seen from the one request."""
        self._held += chunk
        return self._walk()

    def _walk(self) -> Iterable[Response | Fault]:
        """All frames in what is held; a byte that cannot begin one is dropped, and only the first of a row named."""
        held = self._held
        while (verdict := _mbap_size(held)) is not None:
            if verdict == 0:
                del held[:1]
                if not self._is_lost:
                    yield Fault.FORMAT
                self._is_lost = True
                continue
            if len(held) < verdict:
                return
            frame = bytes(held[:verdict])
            del held[:verdict]
            self._is_lost = False
            yield self._judge(frame)

    def _judge(self, frame: bytes) -> Response | Fault:
        request = self._request
        assert request is not None
        if frame[:2] != self._head[:2]:
            return Fault.LATE
        if frame[6] != request.unit:
            return Fault.WRONG_UNIT
        if frame[7] == request.function | 0x80 and len(frame) == 9:
            return Response(b"", frame[8])
        if frame[7] != request.function:
            return Fault.WRONG_FUNCTION
        if len(frame) != self._size or not frame.startswith(self._head):
            return Fault.FORMAT
        return Response(frame[9:] if request.is_read else b"")


def _mbap_size(held: bytearray) -> int | None:
    """Size of the frame that begins here; 0 if none can, None if it takes more bytes to tell."""
    if any(held[2:4]) or any(held[4:5]):  # protocol is 0, and no length needs its high byte
        return 0
    if len(held) >= 6 and not 3 <= held[5] <= 254:
        return 0
    if len(held) >= 8 and held[7] & 0x7F not in (*_READS, *_WRITES):
        return 0
    return 6 + held[5] if len(held) >= 8 else None
