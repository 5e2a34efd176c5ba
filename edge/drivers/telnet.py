"""Telnet with the COM port option (RFC 2217), as far as a client needs it; no I/O."""

_IAC, _SB, _SE = 255, 250, 240
_WILL, _WONT, _DO, _DONT = 251, 252, 253, 254
_BINARY, _SUPPRESS_GO_AHEAD, _COM_PORT = 0, 3, 44
_WELCOME = (_BINARY, _SUPPRESS_GO_AHEAD, _COM_PORT)

_SET_BAUD, _SET_DATA_SIZE, _SET_PARITY, _SET_STOP_SIZE, _SET_CONTROL = 1, 2, 3, 4, 5
_PARITIES = {"N": 1, "O": 2, "E": 3}
_NO_FLOW_CONTROL = 1


class TelnetFilter:
    """Takes commands out of what arrives, and keeps the answers that are owed."""

    def __init__(self) -> None:
        self.replies = bytearray()
        self._held = bytearray()  # an unfinished command
        self._agreed: set[tuple[int, int]] = set()

    def open_port(self, baud: int, bits: int, parity: str, stop: int) -> bytes:
        """What to send first: the options, then the line settings."""
        offers = [(_WILL, _COM_PORT), (_WILL, _BINARY), (_DO, _BINARY), (_DO, _SUPPRESS_GO_AHEAD)]
        self._agreed |= set(offers)
        settings = [
            (_SET_BAUD, baud.to_bytes(4)),
            (_SET_DATA_SIZE, bytes((bits,))),
            (_SET_PARITY, bytes((_PARITIES[parity],))),
            (_SET_STOP_SIZE, bytes((stop,))),
            (_SET_CONTROL, bytes((_NO_FLOW_CONTROL,))),
        ]
        opening = b"".join(bytes((_IAC, *offer)) for offer in offers)
        for code, value in settings:
            opening += bytes((_IAC, _SB, _COM_PORT, code)) + self.escape(value) + bytes((_IAC, _SE))
        return opening

    def escape(self, message: bytes) -> bytes:
        return message.replace(b"\xff", b"\xff\xff")

    def take_replies(self) -> bytes:
        replies = bytes(self.replies)
        self.replies.clear()
        return replies

    def feed(self, chunk: bytes) -> bytes:
        """The plain bytes of the instrument."""
        if not self._held and _IAC not in chunk:
            return chunk
        stream, plain, at = bytes(self._held) + chunk, bytearray(), 0
        self._held.clear()
        while at < len(stream):
            escape = stream.find(_IAC, at)
            if escape < 0:
                plain += stream[at:]
                break
            plain += stream[at:escape]
            size = self._command(stream[escape : escape + 64], plain)
            if size == 0:
                self._held += stream[escape:]
                break
            at = escape + size
        return bytes(plain)

    def _command(self, command: bytes, plain: bytearray) -> int:
        """Length of the command that begins here; 0 while it is unfinished."""
        if len(command) < 2:
            return 0
        verb = command[1]
        if verb == _IAC:
            plain.append(_IAC)
            return 2
        if verb == _SB:
            end = command.find(bytes((_IAC, _SE)))
            if end < 0:
                return 2 if len(command) == 64 else 0  # longer than any answer to us: not a command
            return end + 2
        if verb in (_WILL, _WONT, _DO, _DONT):
            if len(command) < 3:
                return 0
            self._negotiate(verb, command[2])
            return 3
        return 2

    def _negotiate(self, verb: int, option: int) -> None:
        """Agrees to what it needs, declines the rest, and never answers an answer."""
        if verb not in (_WILL, _DO):
            return
        ours = {_WILL: _DO, _DO: _WILL}[verb]
        if (ours, option) in self._agreed:
            return
        if option in _WELCOME:
            self._agreed.add((ours, option))
        else:
            ours = {_DO: _DONT, _WILL: _WONT}[ours]
        self.replies += bytes((_IAC, ours, option))
