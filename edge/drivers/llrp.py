"""What an LLRP reader says, as frames: tag reports, events, refusals. The conversation itself is in llrp_session.py.

LLRP has no mark to find a frame by. A length that cannot be means that the stream is out of step: the error says so,
and whoever owns the connection closes it and connects again.
"""

from collections.abc import Callable

from edge.drivers.frames import AckFrame, ErrorFrame, Frame, TagFrame, WarningFrame
from edge.drivers.gen2 import epc_text
from edge.drivers.llrp_messages import (
    HEADER,
    LONGEST,
    DoesNotAddUpError,
    Kind,
    Message,
    events_of,
    parameters,
    refusal,
)
from edge.drivers.stream import NOISE, UNFINISHED, Cut, StreamDecoder, find_byte, spoilt

_FROM_READER = frozenset((4, *range(11, 14), *range(30, 40), *range(50, 55), 56, *range(61, 64), 100, 1023))
_NOT_ASKED = (56, 1023)  # versions spoken, vendor messages
_NOT_CONNECTED = {
    1: "the reader itself called someone else",
    2: "another client holds the reader",
    3: "the reader refuses",
}

Heed = Callable[[int, int, bytes], list[Frame]]


def message_decoder(heed: Heed) -> StreamDecoder:
    """Frames as `heed` makes them of type, id and body of each whole message; it may raise DoesNotAddUpError."""

    def cut(held: bytearray, at: int) -> Cut | None:
        if len(held) - at < 6:
            return UNFINISHED
        size = int.from_bytes(held[at + 2 : at + 6])
        if not HEADER <= size <= LONGEST:
            return spoilt(HEADER, "format", f"message length {size}: out of step, close the connection")
        code = int.from_bytes(held[at : at + 2]) & 0x3FF
        if code not in _FROM_READER:
            return NOISE
        if len(held) < at + size:
            return UNFINISHED
        number = int.from_bytes(held[at + 6 : at + HEADER])
        try:
            return Cut(size, heed(code, number, bytes(held[at + HEADER : at + size])))
        except DoesNotAddUpError as error:
            return spoilt(size, "format", str(error))

    return StreamDecoder(find_byte(*range(0x04, 0x0C)), cut, is_marked=False)  # versions 1 and 2, types to 1023


def frames_of(code: int, body: bytes) -> list[Frame]:
    """Raises DoesNotAddUpError."""
    if code == Message.REPORT:
        return [_tag(fields) for kind, fields in parameters(body) if kind == Kind.TAG_REPORT]
    if code == Message.EVENT:
        return [_event(kind, fields) for kind, fields in events_of(body)] or [AckFrame("event")]
    if code == Message.KEEPALIVE:
        return [AckFrame("keep-alive")]
    if code not in _NOT_ASKED and (refused := refusal(body)) is not None:
        return [ErrorFrame("device", refused[1], refused[0])]
    return [AckFrame(str(code))]


def _tag(report: bytes) -> TagFrame:
    epc, antenna, rssi_dbm, pc = b"", None, None, None
    for kind, fields in parameters(report):
        if kind == Kind.EPC_96:
            epc = fields
        elif kind == Kind.EPC:
            size = (int.from_bytes(fields[:2]) + 7) // 8  # given in bits
            if len(fields) < 2 + size:
                raise DoesNotAddUpError("the EPC is shorter than its bit count")
            epc = fields[2 : 2 + size]
        elif kind == Kind.ANTENNA_ID:
            antenna = int.from_bytes(fields) or None
        elif kind == Kind.PEAK_RSSI:
            rssi_dbm = int.from_bytes(fields, signed=True)
        elif kind == Kind.PC_BITS:
            pc = int.from_bytes(fields)
    return TagFrame(epc_text(epc), rssi_dbm=rssi_dbm, antenna=antenna, pc=pc)


def _event(kind: int, fields: bytes) -> Frame:
    if kind == Kind.CONNECTION_ATTEMPT and (status := int.from_bytes(fields[:2])):
        if status == 4:  # told to the one who has the connection
            return WarningFrame("another_client", "another client tried to connect")
        return ErrorFrame("device", _NOT_CONNECTED.get(status, "not connected"), status)
    if kind == Kind.READER_EXCEPTION:
        return ErrorFrame("device", fields[2 : 2 + int.from_bytes(fields[:2])].decode("utf-8", "replace"))
    if kind == Kind.ANTENNA_EVENT and len(fields) >= 3 and fields[0] == 0:
        return WarningFrame("antenna_disconnected", f"antenna {int.from_bytes(fields[1:3])}")
    return AckFrame("event")
