"""LLRP over TCP, as far as tags need it: reads tag reports, reader events and refusals; bounded in every dimension.

    header  reserved(3 bits) version(3) type(10)  length(32, header included)  id(32)
    then parameters: TLV (type 10 bits, length 16) or TV (bit 7 set, length known by type)

LLRP has no mark to find a frame by. A length that cannot be means that the stream is out of step: the error says so,
and whoever owns the connection closes it and connects again.
"""

from collections.abc import Iterator

from edge.drivers.frames import AckFrame, Decoder, ErrorFrame, Frame, TagFrame
from edge.drivers.gen2 import epc_text
from edge.drivers.params import Params
from edge.drivers.stream import NOISE, UNFINISHED, Cut, StreamDecoder, find_byte, spoilt

_HEADER = 10
_LONGEST = 1 << 20
_MOST_PARAMETERS = 4096  # in one message, nested ones included
_ERROR_MESSAGE, _REPORT, _EVENT = 100, 61, 63
_KEEPALIVE = 62
_FROM_READER = frozenset(
    (4, *range(11, 14), *range(30, 40), *range(50, 55), _REPORT, _KEEPALIVE, _EVENT, 56, 100, 1023)
)

_TAG_REPORT, _EPC_DATA, _EPC_96, _ANTENNA, _PEAK_RSSI, _PC = 240, 241, 13, 1, 6, 12
_STATUS, _EVENT_FIELDS, _CONNECTION_ATTEMPT = 287, 246, 256
_TV_SIZES = {1: 2, 2: 8, 3: 8, 4: 8, 5: 8, 6: 1, 7: 2, 8: 2, 9: 4, 10: 2, 11: 2, 12: 2, 13: 12, 14: 2, 15: 2, 16: 4}
_TV_SIZES |= {17: 2, 18: 4, 19: 2, 20: 2}

Parameter = tuple[int, bytes]


class _DoesNotAddUpError(ValueError):
    """A parameter reaches beyond what contains it."""


def decoder(params: Params) -> Decoder:
    del params  # the message says all by itself
    return StreamDecoder(find_byte(*range(0x04, 0x0C)), _cut, is_marked=False)  # versions 1 and 2, types to 1023


def _cut(held: bytearray, at: int) -> Cut | None:
    if len(held) - at < 6:
        return UNFINISHED
    size = int.from_bytes(held[at + 2 : at + 6])
    if not _HEADER <= size <= _LONGEST:
        return spoilt(_HEADER, "format", f"message length {size}: out of step, close the connection")
    code = int.from_bytes(held[at : at + 2]) & 0x3FF
    if code not in _FROM_READER:
        return NOISE
    if len(held) < at + size:
        return UNFINISHED
    try:
        frames = _read(code, bytes(held[at + _HEADER : at + size]))
    except _DoesNotAddUpError as error:
        return spoilt(size, "format", str(error))
    return Cut(size, frames)


def _read(code: int, body: bytes) -> list[Frame]:
    if code == _REPORT:
        return [_tag(fields) for kind, fields in _parameters(body) if kind == _TAG_REPORT]
    if code == _EVENT:
        events = [event for kind, fields in _parameters(body) if kind == _EVENT_FIELDS for event in _parameters(fields)]
        refused = [fields for kind, fields in events if kind == _CONNECTION_ATTEMPT and any(fields[:2])]
        if refused:
            return [ErrorFrame("device", "another client holds the reader", int.from_bytes(refused[0][:2]))]
        return [AckFrame("event")]
    if code == _KEEPALIVE:
        return [AckFrame("keep-alive")]
    if code in (56, 1023):  # reader description that nobody asked for, vendor messages
        return [AckFrame(str(code))]
    for kind, fields in _parameters(body):
        if kind == _STATUS and any(fields[:2]):
            words = fields[4 : 4 + int.from_bytes(fields[2:4])].decode("utf-8", "replace")
            return [ErrorFrame("device", words, int.from_bytes(fields[:2]))]
    return [AckFrame(str(code))]


def _tag(report: bytes) -> TagFrame:
    epc, antenna, rssi_dbm, pc = b"", None, None, None
    for kind, fields in _parameters(report):
        if kind == _EPC_96:
            epc = fields
        elif kind == _EPC_DATA:
            size = (int.from_bytes(fields[:2]) + 7) // 8  # given in bits
            if len(fields) < 2 + size:
                raise _DoesNotAddUpError("the EPC is shorter than its bit count")
            epc = fields[2 : 2 + size]
        elif kind == _ANTENNA:
            antenna = int.from_bytes(fields) or None
        elif kind == _PEAK_RSSI:
            rssi_dbm = int.from_bytes(fields, signed=True)
        elif kind == _PC:
            pc = int.from_bytes(fields)
    return TagFrame(epc_text(epc), rssi_dbm=rssi_dbm, antenna=antenna, pc=pc)


def _parameters(body: bytes) -> Iterator[Parameter]:
    at = 0
    for _ in range(_MOST_PARAMETERS):
        if at == len(body):
            return
        start, end = _extent(body, at)
        if end > len(body):
            raise _DoesNotAddUpError("a parameter reaches beyond its message")
        kind = body[at] & 0x7F if start == at + 1 else int.from_bytes(body[at : at + 2]) & 0x3FF
        yield kind, body[start:end]
        at = end
    raise _DoesNotAddUpError("more parameters than any reader sends")


def _extent(body: bytes, at: int) -> tuple[int, int]:
    """Where the fields of the parameter at this place begin and end."""
    if body[at] & 0x80:
        size = _TV_SIZES.get(body[at] & 0x7F)
        if size is None:
            raise _DoesNotAddUpError(f"unknown parameter {body[at] & 0x7F}")
        return at + 1, at + 1 + size
    size = int.from_bytes(body[at + 2 : at + 4])
    if size < 4:
        raise _DoesNotAddUpError("a parameter shorter than its own head")
    return at + 4, at + size
