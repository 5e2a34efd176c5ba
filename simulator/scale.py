"""An MT-SICS scale with goods put on and taken off: commands in, lines out; time is told, no I/O.

Commands as the maker's reference has them: S SI SIR SU SIU SIRU Z ZI T TI TA TAC @ I0-I5; others are answered ES.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import NamedTuple

from simulator.registers import decimal_text

_PERIOD_S = 20.0  # one item after the other on the scale
_PUT_ON_S, _RESTS_S, _TAKEN_OFF_S = 1.5, 9.0, 1.0
_GIVE_UP_S = 5.0  # how long S waits for stability
_STREAM_EVERY_S = 0.1
_MAX_HELD = 64  # a line of commands is a few bytes; more is noise
_DIVISION_G = 5
_CAPACITY_G = 60_000


class Load(NamedTuple):
    grams: int
    is_stable: bool


class LoadCell:
    """The weight at a moment: rest at zero, up, a stable time, down; another item each period."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def at(self, now_s: float) -> Load:
        number, phase = divmod(now_s, _PERIOD_S)
        item = self.item(int(number))
        empty_s = _PERIOD_S - _PUT_ON_S - _RESTS_S - _TAKEN_OFF_S
        if phase < empty_s:
            return Load(0, is_stable=True)
        phase -= empty_s
        if phase < _PUT_ON_S:
            swing = 1 + 0.08 * random.Random(f"{self._seed}/{now_s}").uniform(-1, 1)
            return Load(_rounded(item * phase / _PUT_ON_S * swing), is_stable=False)
        phase -= _PUT_ON_S
        if phase < _RESTS_S:
            return Load(item, is_stable=True)
        return Load(_rounded(item * (1 - (phase - _RESTS_S) / _TAKEN_OFF_S)), is_stable=False)

    def item(self, number: int) -> int:
        """Grams of the item that lies on the scale in period `number`."""
        return _rounded(random.Random(f"{self._seed}/item/{number}").uniform(12_000, 24_000))


def _rounded(grams: float) -> int:
    return round(grams / _DIVISION_G) * _DIVISION_G


class ScaleLine(NamedTuple):
    """One line to send; `value` is what a right reader finds in it (None: not a weight)."""

    content: bytes
    value: str | None = None
    stable: bool | None = None


@dataclass(slots=True)
class _Waiting:
    until_s: float
    prefix: str


class Scale:
    """The instrument. `receive` gives the lines it answers at once, `poll` those that fall due as time goes by."""

    def __init__(self, cell: LoadCell, serial_number: str) -> None:
        self._cell, self._serial_number = cell, serial_number
        self._held = bytearray()
        self._tare_g = 0
        self._zero_g = 0
        self._waiting: _Waiting | None = None
        self._next_stream_s: float | None = None
        self._frozen: Load | None = None
        self.is_overloaded = False

    def freeze(self, frozen: bool, now_s: float) -> None:
        if not frozen:
            self._frozen = None
        elif self._frozen is None:
            self._frozen = self._load(now_s)

    def receive(self, chunk: bytes, now_s: float) -> list[ScaleLine]:
        self._held += chunk
        lines = []
        while (end := self._held.find(b"\n")) >= 0:
            command = bytes(self._held[:end]).strip().decode("ascii", "replace")
            del self._held[: end + 1]
            lines += self._execute(command, now_s)
        if len(self._held) > _MAX_HELD:
            self._held.clear()
            lines.append(ScaleLine(b"ET\r\n"))
        return lines

    def poll(self, now_s: float) -> list[ScaleLine]:
        lines = []
        if self._waiting is not None:
            load = self._load(now_s)
            if load.is_stable:
                self._waiting = None
                lines.append(self._weight(load))
            elif now_s >= self._waiting.until_s:
                lines.append(ScaleLine(f"{self._waiting.prefix} I\r\n".encode()))
                self._waiting = None
        if self._next_stream_s is not None and now_s >= self._next_stream_s:
            self._next_stream_s = now_s + _STREAM_EVERY_S
            lines.append(self._weight(self._load(now_s)))
        return lines

    def _execute(self, command: str, now_s: float) -> list[ScaleLine]:
        if not command:
            return []
        word, *rest = command.split()
        if word in {"@", "S", "SI", "SIR", "SU", "SIU", "SIRU"}:  # each of these ends what was going on
            self._waiting = self._next_stream_s = None
        load = self._load(now_s)
        match word:
            case "SI" | "SIU":
                return [self._weight(load)]
            case "S" | "SU":
                if load.is_stable:
                    return [self._weight(load)]
                self._waiting = _Waiting(now_s + _GIVE_UP_S, "S")
                return []
            case "SIR" | "SIRU":
                self._next_stream_s = now_s + _STREAM_EVERY_S
                return [self._weight(load)]
            case "Z" | "ZI" | "T" | "TI" | "TA" | "TAC":
                return [ScaleLine(f"{self._zero_or_tare(word, rest, load)}\r\n".encode())]
            case "@" | "I4":
                return [ScaleLine(f'I4 A "{self._serial_number}"\r\n'.encode())]
            case "I0" | "I1" | "I2" | "I3" | "I5":
                return [ScaleLine(f"{text}\r\n".encode()) for text in _IDENTITY[word]]
            case _:
                return [ScaleLine(b"ES\r\n")]

    def _zero_or_tare(self, word: str, rest: list[str], load: Load) -> str:
        if word == "TAC":
            self._tare_g = 0
            return "TAC A"
        if word == "TA":
            if rest:
                return "TA L" if len(rest) != 2 or rest[1] != "kg" else self._preset(rest[0])
            return f"TA A {_kg(self._tare_g):>10} kg"
        if not load.is_stable and word in {"Z", "T"}:
            return f"{word} I"
        status = "S" if load.is_stable else "D"
        if word in {"Z", "ZI"}:
            if abs(load.grams) > _CAPACITY_G // 50:  # the zero range of a legal-for-trade scale, 2 %
                return f"{word} +"
            self._zero_g += load.grams
            self._tare_g = 0
            return "Z A" if word == "Z" else f"ZI {status}"
        self._tare_g = load.grams
        return f"{word} {status} {_kg(self._tare_g):>10} kg"

    def _preset(self, text: str) -> str:
        try:
            self._tare_g = _rounded(float(text) * 1000)
        except (ValueError, OverflowError):
            return "TA L"
        return f"TA A {_kg(self._tare_g):>10} kg"

    def _load(self, now_s: float) -> Load:
        if self._frozen is not None:
            return self._frozen
        load = self._cell.at(now_s)
        return Load(load.grams - self._zero_g, load.is_stable)

    def _weight(self, load: Load) -> ScaleLine:
        """The answer to SI, SIR and S alike begins with S; the weight takes ten places."""
        if self.is_overloaded or load.grams > _CAPACITY_G:
            return ScaleLine(b"S +\r\n")
        value = _kg(load.grams - self._tare_g)
        status = "S" if load.is_stable else "D"
        return ScaleLine(f"S {status} {value:>10} kg\r\n".encode(), value, load.is_stable)


def _kg(grams: int) -> str:
    return decimal_text(grams, 3)


_IDENTITY = {
    "I0": [
        *(f'I0 B 0 "{name}"' for name in ("I0", "I1", "I2", "I3", "I4", "I5", "S", "SI", "SIR", "Z", "ZI")),
        'I0 A 0 "@"',
    ],
    "I1": ['I1 A "01" "2.30" "2.22" "" ""'],
    "I2": ['I2 A "Plant in a box 60.000 kg"'],
    "I3": ['I3 A "1.00"'],
    "I5": ['I5 A "00000000A"'],
}
