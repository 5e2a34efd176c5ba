"""Frames out of lines of text: capped in length, found behind noise, and never read with the wrong parity."""

import re
from collections.abc import Callable, Sequence

from edge.drivers.frames import ErrorFrame, Frame

LONGEST = 64  # no indicator prints a longer line; what is longer is noise

_END = re.compile(rb"\n|\r\x8a")  # the second is what 7 bits with odd parity make of CR LF
_UNPRINTED = b"\x00\x11\x13"  # NUL, and XON / XOFF of a line discipline
_BIT7 = bytes(range(0x80, 0x100))
_MASK = bytes(byte & 0x7F for byte in range(256))

ParseLine = Callable[[bytes], Sequence[Frame] | None]  # None: not a line of this format


class LineDecoder:
    """Decoder for a format with one frame per line.

    `head` finds where a frame may begin behind noise in the same line; for formats without a head, `width` gives the
    length of the whole line instead. `mask_bit7` is for a port that had to be opened 8N1 on a 7E1 instrument.
    """

    def __init__(
        self,
        parse: ParseLine,
        *,
        head: re.Pattern[bytes] | None = None,
        width: int = 0,
        mask_bit7: bool = False,
        poll_request: bytes = b"",
        on_request: Callable[[bytes], None] | None = None,
    ) -> None:
        self.poll_request = poll_request
        self._parse = parse
        self._head = head
        self._width = width
        self._mask_bit7 = mask_bit7
        self._on_request = on_request
        self._held = b""
        self._is_overlong = False

    @property
    def pending(self) -> bool:
        return bool(self._held.strip(b"\r" + _UNPRINTED))

    def expect(self, request: bytes) -> None:
        if self._on_request is not None:
            self._on_request(request)

    def feed(self, chunk: bytes) -> list[Frame]:
        if self._mask_bit7:
            chunk = chunk.translate(_MASK)
        frames: list[Frame] = []
        *lines, rest = _END.split(self._held + chunk)
        for ended in lines:
            line = ended.removesuffix(b"\r")
            frames += self._check_length(line)
            frames += self._read(line[-LONGEST:].translate(None, _UNPRINTED))
            self._is_overlong = False
        frames += self._check_length(rest.removesuffix(b"\r"))
        self._held = rest[-LONGEST - 1 :]
        return frames

    def idle(self) -> list[Frame]:
        was_pending, self._held = self.pending, b""
        is_news = was_pending and not self._is_overlong
        self._is_overlong = False
        return [ErrorFrame("truncated", "a line without an end, then silence")] if is_news else []

    def _check_length(self, line: bytes) -> list[Frame]:
        if len(line) <= LONGEST or self._is_overlong:
            return []
        self._is_overlong = True
        return [ErrorFrame("format", f"no end of line in {LONGEST} bytes" + _parity_hint(line[:LONGEST]))]

    def _read(self, line: bytes) -> Sequence[Frame]:
        if not line.strip():
            return ()
        if (frames := self._parse(line)) is not None:
            return frames
        for start in self._starts_behind_noise(line):
            if (frames := self._parse(line[start:])) is not None:
                is_cut_short = self._head is not None and self._head.match(line) is not None
                torn = [ErrorFrame("truncated", _shown(line[:start]))] if is_cut_short else []
                return [*torn, *frames]
        if self._is_overlong:
            return ()
        return (ErrorFrame("format", f"cannot read {_shown(line)}" + _parity_hint(line)),)

    def _starts_behind_noise(self, line: bytes) -> list[int]:
        if self._head is None:
            return [len(line) - self._width] if 0 < self._width < len(line) else []
        return [match.start() for match in self._head.finditer(line, 1)]


def _parity_hint(line: bytes) -> str:
    count = len(line) - len(line.translate(None, _BIT7))
    return f"; bit 7 is set in {count} of {len(line)} bytes: wrong parity setting?" if count else ""


def _shown(line: bytes) -> str:
    return repr(line.decode("latin-1"))
