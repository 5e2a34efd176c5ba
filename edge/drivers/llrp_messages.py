"""LLRP's messages and parameters, taken apart and put together; bounded in every dimension. (EPCglobal LLRP 1.0.1)

message    reserved(3 bits) version(3) type(10)  length(32, header included)  id(32)  then parameters
parameter  TLV: reserved(6 bits) type(10) length(16)   or TV: bit 7 set, type(7), its length known by type
"""

from collections.abc import Iterator
from enum import IntEnum

HEADER = 10
LONGEST = 1 << 20
_MOST_PARAMETERS = 4096  # in one message, nested ones included
_VERSION_1 = 1 << 10

Parameter = tuple[int, bytes]


class Message(IntEnum):
    """Clause 16.1. An answer's type is its request's plus 10."""

    SET_READER_CONFIG = 3
    ADD_ROSPEC = 20
    DELETE_ROSPEC = 21
    START_ROSPEC = 22
    ENABLE_ROSPEC = 24
    REPORT = 61
    KEEPALIVE = 62
    EVENT = 63
    KEEPALIVE_ACK = 72
    ERROR = 100


class Kind(IntEnum):
    """Types of parameters, clause 16.2."""

    ANTENNA_ID = 1
    PEAK_RSSI = 6
    PC_BITS = 12
    EPC_96 = 13
    ROSPEC = 177
    BOUNDARY = 178
    START_TRIGGER = 179
    STOP_TRIGGER = 182
    ANTENNA_INVENTORY = 183
    ANTENNA_STOP_TRIGGER = 184
    INVENTORY_PARAMETERS = 186
    KEEPALIVE_SPEC = 220
    EVENTS_AND_REPORTS = 226
    REPORT_SPEC = 237
    REPORT_CONTENT = 238
    TAG_REPORT = 240
    EPC = 241
    EVENT_SPEC = 244
    EVENT_STATE = 245
    EVENT_FIELDS = 246
    ROSPEC_EVENT = 249
    READER_EXCEPTION = 252
    ANTENNA_EVENT = 255
    CONNECTION_ATTEMPT = 256
    CONNECTION_CLOSE = 257
    STATUS = 287
    GEN2_CONTENT = 348


_TV_SIZES = {1: 2, 2: 8, 3: 8, 4: 8, 5: 8, 6: 1, 7: 2, 8: 2, 9: 4, 10: 2, 11: 2, 12: 2, 13: 12, 14: 2, 15: 2, 16: 4}
_TV_SIZES |= {17: 2, 18: 4, 19: 2, 20: 2}


class DoesNotAddUpError(ValueError):
    """A parameter reaches beyond what contains it."""


def message(code: int, number: int, body: bytes = b"") -> bytes:
    return (_VERSION_1 | code).to_bytes(2) + (HEADER + len(body)).to_bytes(4) + number.to_bytes(4) + body


def parameter(kind: Kind, *fields: bytes) -> bytes:
    """A TLV parameter; what is put into it may be parameters."""
    content = b"".join(fields)
    return kind.to_bytes(2) + (4 + len(content)).to_bytes(2) + content


def parameters(body: bytes) -> Iterator[Parameter]:
    """Raises DoesNotAddUpError."""
    at = 0
    for _ in range(_MOST_PARAMETERS):
        if at == len(body):
            return
        start, end = _extent(body, at)
        if end > len(body):
            raise DoesNotAddUpError("a parameter reaches beyond its message")
        kind = body[at] & 0x7F if start == at + 1 else int.from_bytes(body[at : at + 2]) & 0x3FF
        yield kind, body[start:end]
        at = end
    raise DoesNotAddUpError("more parameters than any reader sends")


def events_of(body: bytes) -> Iterator[Parameter]:
    """What a READER_EVENT_NOTIFICATION tells of. Raises DoesNotAddUpError."""
    for kind, fields in parameters(body):
        if kind == Kind.EVENT_FIELDS:
            yield from parameters(fields)


def refusal(body: bytes) -> tuple[int, str] | None:
    """Error code and words of an answer; None when the reader did as told. Raises DoesNotAddUpError."""
    for kind, fields in parameters(body):
        if kind == Kind.STATUS and any(fields[:2]):
            words = fields[4 : 4 + int.from_bytes(fields[2:4])].decode("utf-8", "replace")
            return int.from_bytes(fields[:2]), words
    return None


def _extent(body: bytes, at: int) -> tuple[int, int]:
    """Where the fields of the parameter at this place begin and end."""
    if body[at] & 0x80:
        size = _TV_SIZES.get(body[at] & 0x7F)
        if size is None:
            raise DoesNotAddUpError(f"unknown parameter {body[at] & 0x7F}")
        return at + 1, at + 1 + size
    size = int.from_bytes(body[at + 2 : at + 4])
    if size < 4:
        raise DoesNotAddUpError("a parameter shorter than its own head")
    return at + 4, at + size
