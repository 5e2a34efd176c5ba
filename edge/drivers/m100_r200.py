"""M100, QM100, YRM100 and R200 UHF modules; newer clone firmware sends the same body between AA and DD.

    BB  type  command  length(2)  parameters  sum  7E

BB and 7E occur inside EPCs, so the length rules; then sum and end byte must fit. The tag's own CRC over PC and EPC
travels along and is checked: it removes the ghosts that an 8-bit sum lets through.
"""

from edge.drivers.frames import AckFrame, Decoder, ErrorFrame, Frame, TagFrame
from edge.drivers.gen2 import checked, epc_size, epc_text, tag_crc_option
from edge.drivers.params import Params
from edge.drivers.stream import NOISE, UNFINISHED, Cut, CutOne, Find, StreamDecoder, find_byte, spoilt

MODULE_INFO = 0x03
SINGLE_INVENTORY = 0x22
MULTI_INVENTORY = 0x27
STOP_INVENTORY = 0x28
_READ_BANK = 0x39
_ERROR = 0xFF
_ENDS = {0xBB: 0x7E, 0xAA: 0xDD}
_LONGEST = 80  # parameters: an EPC has 62 bytes at most
_LONGEST_READ = 512
_NO_TAG = 0x15

_ERROR_NAMES = {
    0x09: "read failed",
    0x10: "write failed",
    0x12: "kill failed",
    0x13: "lock failed",
    0x16: "access failed, wrong password?",
    0x17: "command or parameter error",
    0x20: "frequency hopping time-out",
}


def decoder(params: Params) -> Decoder:
    tags = _Tags(tag_crc_option(params))
    head = int(params.choice("head", ("BB", "AA"), "BB"), 16)
    return _M100(
        find_byte(*_ENDS),
        tags.cut,
        poll_request=command(
            MULTI_INVENTORY, b"\x22" + params.whole("count", 1, 0xFFFF, 0xFFFF).to_bytes(2), head=head
        ),
        probe_request=command(MODULE_INFO, b"\0", head=head),
    )


def command(code: int, parameters: bytes = b"", *, head: int = 0xBB) -> bytes:
    body = bytes((0, code)) + len(parameters).to_bytes(2) + parameters
    return bytes((head,)) + body + bytes((sum(body) & 0xFF, _ENDS[head]))


class _M100(StreamDecoder):
    """Some firmware says nothing while there is no tag; asked for its version it always answers."""

    def __init__(self, find: Find, cut: CutOne, *, poll_request: bytes, probe_request: bytes) -> None:
        super().__init__(find, cut, poll_request=poll_request)
        self.probe_request = probe_request


class _Tags:
    def __init__(self, tag_crc: str) -> None:
        self._tag_crc = tag_crc

    def cut(self, held: bytearray, at: int) -> Cut | None:
        head = held[at : at + 5]
        if len(head) > 1 and head[1] > 2:
            return NOISE
        if len(head) < 5:
            return UNFINISHED
        length = int.from_bytes(head[3:5])
        if length > (_LONGEST_READ if head[2] == _READ_BANK else _LONGEST):
            return NOISE
        size = length + 7
        if len(held) < at + size:
            return UNFINISHED
        frame = bytes(held[at : at + size])
        if frame[-1] != _ENDS[frame[0]]:
            return spoilt(size, "truncated" if frame[0] in frame[1:] else "format", "no end byte where the length says")
        if sum(frame[1:-2]) & 0xFF != frame[-2]:
            return spoilt(size, "checksum")
        return Cut(size, self._read(frame[1], frame[2], frame[5:-2]))

    def _read(self, kind: int, code: int, parameters: bytes) -> list[Frame]:
        if kind == 0:
            return [AckFrame("echo", f"{code:02X}")]
        if code == _ERROR:
            return [_error(parameters)]
        if code in (SINGLE_INVENTORY, MULTI_INVENTORY) and (kind == 2 or len(parameters) >= 5):
            return self._tag(parameters)
        return [AckFrame(f"{code:02X}", parameters.decode("latin-1"))]

    def _tag(self, parameters: bytes) -> list[Frame]:
        pc = int.from_bytes(parameters[1:3])
        end = 3 + epc_size(pc)
        if len(parameters) < 5 or end + 2 > len(parameters):
            return [ErrorFrame("format", f"PC {pc:04X} says more EPC than the frame carries")]
        rssi_dbm = int.from_bytes(parameters[:1], signed=True)
        tag = TagFrame(epc=epc_text(parameters[3:end]), rssi_dbm=rssi_dbm, pc=pc)
        return checked(tag, parameters[1:end], parameters[-2:], self._tag_crc)


def _error(parameters: bytes) -> Frame:
    code = parameters[0] if parameters else 0
    if code == _NO_TAG:  # normal between tags
        return AckFrame("no_tag")
    tag = f", tag PC+EPC {parameters[2:].hex().upper()}" if len(parameters) > 4 else ""
    return ErrorFrame("device", _ERROR_NAMES.get(code, "unknown error") + tag, code)
