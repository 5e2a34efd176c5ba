"""Finds what hangs on a line: at which settings, under which ids, probably which models. It only asks.

sweep    ids 1 to 32 at every setting, then the rest: a short question, a short wait, the next id.
         Who thinks longer answers into a later wait; its answer says who it is.
look     each one found is read twenty times (two devices on one id?), asked who it is, and recognised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from edge.commissioning.asking import Asker, Outcome, sound_answers
from edge.commissioning.line import Line
from edge.commissioning.recognise import Candidate, Recogniser
from edge.commissioning.self_description import SelfDescription, ask_who
from edge.commissioning.twins import Tries, Verdict, try_often
from edge.drivers.modbus import Request, read_request
from edge.lines.bus import LineSettings
from edge.profiles.profile_types import Profile

BAUDS = (9600, 19200, 115200)
FORMATS = ("8N1", "8E1", "8N2")
FIRST_IDS = range(1, 33)
OTHER_IDS = range(33, 248)
SWEEP_WAIT_S = 0.03
LOOK_WAIT_S = 0.3
_LATE_S = 0.3  # a slow device may still answer so long after its question
_NETWORK_WAIT_S = 0.5
_GATEWAY_SILENT = (10, 11)  # Modbus exceptions by which a TCP gateway says that nobody is there
_READ_HOLDING, _READ_INPUT = 3, 4

Report = Callable[["Progress"], None]


class Progress(NamedTuple):
    """How far a scan is."""

    phase: str
    settings: LineSettings | None
    unit: int
    done: int
    total: int
    found: int


@dataclass(frozen=True)
class ScanPlan:
    """What to try: settings in order, and ids, the likely ones first. `known`: ids not to ask for at `home`."""

    settings: Sequence[LineSettings | None]
    first_ids: Sequence[int] = FIRST_IDS
    other_ids: Sequence[int] = OTHER_IDS
    home: LineSettings | None = None
    known: frozenset[int] = frozenset()
    sweep_wait_s: float = SWEEP_WAIT_S

    def questions(self) -> Iterator[tuple[LineSettings | None, list[Request]]]:
        """Passes at one setting each. The likely ids are asked twice: some devices know only one of two functions."""
        for settings in self.settings:
            ids = self._ids(self.first_ids, settings)
            yield settings, [read_request(unit, one, 0, 1) for one in (_READ_HOLDING, _READ_INPUT) for unit in ids]
        for settings in self.settings:
            ids = self._ids(self.other_ids, settings)
            yield settings, [read_request(unit, _READ_HOLDING, 0, 1) for unit in ids]

    def _ids(self, ids: Iterable[int], settings: LineSettings | None) -> list[int]:
        known = self.known if settings == self.home else frozenset()
        return [unit for unit in ids if unit not in known]


@dataclass(frozen=True)
class Found:
    """One device, or several that share an id."""

    settings: LineSettings | None
    unit: int
    tries: Tries
    described: SelfDescription
    candidates: Sequence[Candidate]

    @property
    def verdict(self) -> Verdict:
        return self.tries.verdict


@dataclass
class Scan:
    """One scan of one line."""

    line: Line
    profiles: Sequence[Profile]
    plan: ScanPlan
    report: Report = lambda _: None
    found: list[Found] = field(default_factory=list)
    _done: int = 0
    _total: int = 0

    async def run(self) -> list[Found]:
        """Everything that answered, in the order of settings and ids. Raises BusError when the line goes down."""
        passes = [(settings, requests) for settings, requests in self.plan.questions() if requests]
        self._total = sum(len(requests) for _, requests in passes)
        heard: dict[tuple[LineSettings | None, int], Request] = {}
        for settings, requests in passes:
            left = [one for one in requests if (settings, one.unit) not in heard]
            self._done += len(requests) - len(left)
            heard |= await self._sweep(settings, left, len(heard))
        order = {settings: number for number, settings in enumerate(self.plan.settings)}
        for number, (settings, unit) in enumerate(sorted(heard, key=lambda key: (order[key[0]], key[1]))):
            self.report(Progress("look", settings, unit, number, len(heard), len(heard)))
            one = await self._look(settings, unit, heard[settings, unit])
            if one is not None:
                self.found.append(one)
        return self.found

    # ---- sweep

    async def _sweep(
        self, settings: LineSettings | None, requests: Sequence[Request], already: int
    ) -> dict[tuple[LineSettings | None, int], Request]:
        asker = Asker(self.line, settings)
        wait_s = _NETWORK_WAIT_S if self.line.place.is_tcp else self.plan.sweep_wait_s
        asked = {request.unit: request for request in reversed(requests)}
        heard: dict[tuple[LineSettings | None, int], Request] = {}
        for request in requests:
            self.report(Progress("sweep", settings, request.unit, self._done, self._total, already + len(heard)))
            self._done += 1
            if (settings, request.unit) in heard:
                continue
            outcome = await asker.ask(request, wait_s=wait_s)
            for unit in self._who_spoke(outcome, request.unit):
                if unit in asked:
                    heard[settings, unit] = asked[unit]
        if requests and not self.line.place.is_tcp:  # the last ones may be slow as well
            late = await asker.ask(requests[-1], wait_s=_LATE_S, listens_on=True)
            heard |= {(settings, unit): asked[unit] for unit in self._who_spoke(late, 0) if unit in asked}
        return heard

    def _who_spoke(self, outcome: Outcome, asked: int) -> Iterator[int]:
        """The unit asked, one asked before that is slow, or somebody who cannot be understood: looked at later."""
        if outcome.is_alive:
            if outcome.exception not in _GATEWAY_SILENT and asked:
                yield asked
        elif outcome.reason in ("crc", "garbled") and asked:
            yield asked
        if not self.line.place.is_tcp:
            for frame in sound_answers(outcome.raw):
                yield frame[0]

    # ---- look

    async def _look(self, settings: LineSettings | None, unit: int, request: Request) -> Found | None:
        asker = Asker(self.line, settings, wait_s=LOOK_WAIT_S)
        first = await asker.ask(request, listens_on=True)
        if first.reason == "timeout":
            first = await asker.ask(request, listens_on=True)
        if first.reason == "timeout":  # noise, or a neighbour's late answer
            return None
        described = await ask_who(asker, unit)
        recogniser = Recogniser(self.profiles, asker, unit)
        candidates = await recogniser.candidates(settings, described)
        tries = await try_often(asker, recogniser.telling_request() or request)
        return Found(settings, unit, tries, described, candidates) if tries.good or tries.spoilt else None


def settings_to_try(
    home: LineSettings | None, bauds: Sequence[int] = BAUDS, formats: Sequence[str] = FORMATS
) -> list[LineSettings | None]:
    """The line's own setting first; a network has none."""
    if home is None:
        return [None]
    others = [LineSettings(baud, form) for form in formats for baud in bauds]
    return [home, *(one for one in others if one != home)]
