"""An RS-485 line on a pty with instruments of many makes, each answering only at its own line settings.

The line settings are real: before each answer the responder reads the termios of the pty as the program under test has
set them. Linux keeps baud rate, stop bits and odd parity there, but a pty has no parity bit and its driver drops PARENB
(drivers/tty/pty.c, pty_set_termios); so PARENB alone is taken from the program's own tcsetattr calls, which `Parity`
listens to. Answers of two units that overlap in time spoil each other, as they do on a wire.
"""

import asyncio
import os
import termios
import tty
from dataclasses import dataclass, field
from itertools import pairwise

from edge.drivers.crc import crc_modbus
from edge.profiles.blocks import plan_blocks
from edge.profiles.profile_types import Profile

_BAUDS = {getattr(termios, name): int(name[1:]) for name in dir(termios) if name[0] == "B" and name[1:].isdigit()}
_CFLAG = 2


def framed(body: bytes) -> bytes:
    return body + crc_modbus(body).to_bytes(2, "little")


class Parity:
    """What programs ask of a terminal, before its driver forgets half of it. `monkeypatch` belongs to the test."""

    def __init__(self, monkeypatch) -> None:
        self.enabled: dict[str, bool] = {}
        set_attributes = termios.tcsetattr

        def listening(fd, when, attributes):
            self.enabled[os.ttyname(fd)] = bool(attributes[_CFLAG] & termios.PARENB)
            set_attributes(fd, when, attributes)

        monkeypatch.setattr(termios, "tcsetattr", listening)


@dataclass
class Make:
    """One instrument: what it has at (function, address), how it speaks, and how long it thinks."""

    unit: int
    baud: int = 9600
    format: str = "8N1"
    words: dict[tuple[int, int], int] = field(default_factory=dict)
    turnround_s: float = 0.003
    most: int = 125
    is_silent_on_errors: bool = False
    server_id: bytes = b""
    identification: tuple[bytes, ...] = ()
    written: list[bytes] = field(default_factory=list)

    def answer(self, pdu: bytes) -> bytes | None:
        function = pdu[0]
        if function == 17 and self.server_id:
            return bytes((17, len(self.server_id))) + self.server_id
        if function == 43 and self.identification:
            objects = b"".join(bytes((n, len(text))) + text for n, text in enumerate(self.identification))
            return bytes((43, 14, 1, 1, 0, 0, len(self.identification))) + objects
        if function == 6:
            self.written.append(pdu)
            self.words[3, int.from_bytes(pdu[1:3])] = int.from_bytes(pdu[3:5])
            return pdu
        if function not in {function for function, _ in self.words}:
            return self._refuse(function, 1)
        address, count = int.from_bytes(pdu[1:3]), int.from_bytes(pdu[3:5])
        cells = [(function, at) for at in range(address, address + count)]
        if not 1 <= count <= self.most or any(cell not in self.words for cell in cells):
            return self._refuse(function, 2)
        if function in (1, 2):
            bits = sum(self.words[cell] << place for place, cell in enumerate(cells))
            return bytes((function, (count + 7) // 8)) + bits.to_bytes((count + 7) // 8, "little")
        return bytes((function, 2 * count)) + b"".join(self.words[cell].to_bytes(2) for cell in cells)

    def _refuse(self, function: int, code: int) -> bytes | None:
        return None if self.is_silent_on_errors else bytes((function | 0x80, code))


def words_of(profile: Profile) -> dict[tuple[int, int], int]:
    """What such a device would say: the registers of a profile's golden frames, its telltales, and 0 elsewhere."""
    words: dict[tuple[int, int], int] = {}
    for test in reversed(profile.tests):
        for exchange in (*test.more, test):
            if not exchange.request:
                continue
            request, response = bytes.fromhex(exchange.request), bytes.fromhex(exchange.response)
            function, address, count = request[1], int.from_bytes(request[2:4]), int.from_bytes(request[4:6])
            for number in range(count):
                at = (function, address + number)
                if function in (1, 2):
                    words[at] = response[3 + number // 8] >> number % 8 & 1
                else:
                    words[at] = int.from_bytes(response[3 + 2 * number : 5 + 2 * number])
    for block in plan_blocks(profile):
        for number in range(block.size):
            words.setdefault((block.table.read_function, block.address + number), 0)
    for telltale in profile.identify:
        words[telltale.table.read_function, telltale.address] = telltale.equals[0]
    return words


class Rs485Line:
    """Use inside a running loop; `close` it. `requests` are all frames that any unit understood, with their settings."""

    def __init__(self, makes: list[Make], parity: Parity | None = None, *, echo: bool = False) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self.makes, self.requests = makes, []
        self._parity, self._echo = parity, echo
        self._loop = asyncio.get_running_loop()
        self._pending: set[asyncio.TimerHandle] = set()
        self._loop.add_reader(self._master, self._receive)

    def settings(self) -> tuple[int, str]:
        attributes = termios.tcgetattr(self._master)
        cflag = attributes[_CFLAG]
        parity = "N"
        if self._parity is not None and self._parity.enabled.get(self.path):
            parity = "O" if cflag & termios.PARODD else "E"
        return _BAUDS[attributes[5]], f"8{parity}{2 if cflag & termios.CSTOPB else 1}"

    @property
    def functions(self) -> set[int]:
        """Of all that was sent."""
        return {frame[1] for _, frame in self.requests}

    def close(self) -> None:
        for timer in self._pending:
            timer.cancel()
        self._loop.remove_reader(self._master)
        os.close(self._master)
        os.close(self._slave)

    def _receive(self) -> None:
        frame = os.read(self._master, 256)
        settings = self.settings()
        assert len(frame) >= 4 and crc_modbus(frame) == 0, frame.hex()
        self.requests.append((settings, frame))
        if self._echo:
            os.write(self._master, frame)
        answers = []
        for make in self.makes:
            if make.unit == frame[0] and (make.baud, make.format) == settings:
                pdu = make.answer(frame[1:-2])
                if pdu is not None:
                    answers.append((make.turnround_s, framed(bytes((make.unit,)) + pdu)))
        self._say(answers, settings[0])

    def _say(self, answers: list[tuple[float, bytes]], baud: int) -> None:
        """What two units say at once is neither's."""
        answers.sort()
        for (at, frame), (next_at, other) in pairwise(answers):
            if next_at - at < 11 * len(frame) / baud:
                self._later(at, bytes(one & two for one, two in zip(frame, other, strict=False)))
                return
        for at, frame in answers:
            self._later(at, frame)

    def _later(self, after_s: float, frame: bytes) -> None:
        def write() -> None:
            self._pending.discard(timer)
            os.write(self._master, frame)

        timer = self._loop.call_later(after_s, write)
        self._pending.add(timer)
