"""Which model is it? Each profile predicts what its registers say; what fits, and how surprising that would be by
chance, is its evidence.

Evidence is counted in bits: a temperature between -60 and 90 degrees in tenths leaves 1 in 44 of all words, 5.5 bits;
a telltale register that equals one value, 16; a read that is answered by a device which refuses seven of eight, 3, and
as much against a profile that does not know the register. An answer that the profile rules out excludes it. Bits become
confidence against the other candidates and against "a model we do not know", which starts with 6.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from edge.commissioning.asking import Asker, Outcome
from edge.commissioning.self_description import SelfDescription
from edge.drivers.modbus import Request, read_request
from edge.lines.bus import LineSettings
from edge.lines.identity_check import is_telltale
from edge.profiles.blocks import ReadBlock, plan_blocks, width
from edge.profiles.decode import PointRules, Raws, decode_points
from edge.profiles.profile_types import Identify, Point, Profile

_UNKNOWN_MODEL_BITS = 6.0
_NAMED_BITS = 12.0  # the device says maker or model in words
_FACTORY_BITS = 1.0  # it still has the maker's line settings or unit id
_FLOAT_BITS = 8.0  # a random word pair is rarely a number of everyday size
_ZERO_BITS = 0.5  # registers that mean nothing often read 0
_DIM_BITS = -3.0  # a point that reads as bad: possible, but then the rest must speak for it
_EXTRA_BITS = -1.0  # it answers a function that the profile says it lacks
_STRANGE_MOST = 3  # so many answers that a profile does not explain count against it
_BLOCKS_MOST = 4
_SILENCES_MOST = 3


class Ask(NamedTuple):
    """One read, whoever wants it: profiles share the answers."""

    function: int
    address: int
    size: int


class Candidate(NamedTuple):
    profile: Profile
    confidence: float  # 0 to 1
    bits: float
    values: tuple[tuple[str, str], ...]  # what it would say: point and value with unit


class Recogniser:
    """Finds the probable models of one unit, with as few reads as the candidates need."""

    def __init__(self, profiles: Iterable[Profile], asker: Asker, unit: int) -> None:
        self._profiles = [profile for profile in profiles if profile.is_modbus]
        self._asker, self._unit = asker, unit
        self._answers: dict[Ask, Outcome] = {}
        self._silences = 0
        self._answer_s = 0.0

    async def candidates(self, settings: LineSettings | None, described: SelfDescription) -> list[Candidate]:
        """The best first; at most three that are worth a word. Raises BusError."""
        left = [profile for profile in self._profiles if _may_be(profile, settings, self._unit)]
        left = [profile for profile in left if await self._passes_first_read(profile)]
        for profile in left:
            for ask in asks_of(profile)[1:]:
                await self._answer(ask)
        bits = {profile.meta.id: evidence(profile, self._answers, settings, described, self._unit) for profile in left}
        return ranked([(profile, bits[profile.meta.id]) for profile in left], self._answers)

    def telling_request(self) -> Request | None:
        """The read in which two devices would differ most: one that came spoilt, else the longest that was answered.

        Two that say the same at the same time are heard as one.
        """
        spoilt = [ask for ask, outcome in self._answers.items() if outcome.reason in ("crc", "garbled")]
        answered = [ask for ask, outcome in self._answers.items() if outcome.payload is not None]
        best = spoilt[0] if spoilt else max(answered, key=lambda ask: ask.size, default=None)
        return None if best is None else read_request(self._unit, *best)

    async def _passes_first_read(self, profile: Profile) -> bool:
        first = asks_of(profile)[0]
        outcome = await self._answer(first)
        if outcome.payload is None:
            return False
        return not profile.identify or is_telltale(profile.identify[0], outcome.payload)

    async def _answer(self, ask: Ask) -> Outcome:
        if ask not in self._answers:
            request = read_request(self._unit, *ask)
            outcome = await self._asker.ask(request, wait_s=self._wait_s())
            if outcome.reason == "crc":
                outcome = await self._asker.ask(request, wait_s=self._wait_s())
            self._answers[ask] = outcome
            self._silences += outcome.reason == "timeout"
            self._answer_s = max(self._answer_s, outcome.answer_s or 0.0)
        return self._answers[ask]

    def _wait_s(self) -> float:
        """A device that is often silent leaves out what it does not know: no need to wait long for it."""
        if self._silences < _SILENCES_MOST or not self._answer_s:
            return self._asker.wait_s
        return min(self._asker.wait_s, 3 * self._answer_s + 0.03)


def asks_of(profile: Profile) -> list[Ask]:
    """Telltales first, then the blocks that the agent would read."""
    telltales = [_telltale_ask(one) for one in profile.identify]
    return telltales + [_ask(block) for block in plan_blocks(profile)[:_BLOCKS_MOST]]


def evidence(
    profile: Profile,
    answers: Mapping[Ask, Outcome],
    settings: LineSettings | None,
    described: SelfDescription,
    unit: int,
) -> float | None:
    """Bits that speak for the profile; None when an answer rules it out."""
    bits = _named(profile, described) + _factory(profile, settings, unit)
    for telltale in profile.identify:
        outcome = answers.get(_telltale_ask(telltale))
        if outcome is None or outcome.payload is None or not is_telltale(telltale, outcome.payload):
            return None
        bits += 16 - math.log2(len(telltale.equals))
    raws: Raws = {}
    for block in plan_blocks(profile)[:_BLOCKS_MOST]:
        outcome = answers.get(_ask(block))
        if outcome is None or outcome.payload is None:
            return None
        bits += _rarity(answers) + _block_bits(block, outcome.payload, raws)
    bits -= _rarity(answers) * min(_STRANGE_MOST, len(_unexplained(profile, answers)))
    return bits + sum(
        _EXTRA_BITS
        for function in {ask.function for ask, outcome in answers.items() if outcome.payload is not None}
        if function not in profile.link.functions.read
    )


def ranked(scored: Sequence[tuple[Profile, float | None]], answers: Mapping[Ask, Outcome]) -> list[Candidate]:
    """Confidence by the weight of evidence, against each other and against an unknown model."""
    left = [(profile, bits) for profile, bits in scored if bits is not None and bits > 0]
    if not left:
        return []
    total = 2**_UNKNOWN_MODEL_BITS + sum(2**bits for _, bits in left)
    candidates = [
        Candidate(profile, 2**bits / total, bits, tuple(_values(profile, answers)))
        for profile, bits in sorted(left, key=lambda pair: -pair[1])
    ]
    return [one for one in candidates[:3] if one.confidence >= 0.01] or candidates[:1]


def _may_be(profile: Profile, settings: LineSettings | None, unit: int) -> bool:
    link = profile.link
    if not link.unit.min <= unit <= link.unit.max:
        return False
    if settings is None:
        return True
    serial = link.serial
    return (not serial.allowed_baud or settings.baud in serial.allowed_baud) and (
        not serial.allowed_formats or settings.format in serial.allowed_formats
    )


def _named(profile: Profile, described: SelfDescription) -> float:
    """Generic boards bear no name; two letters prove nothing."""
    text = described.text.casefold()
    words = {profile.meta.vendor, profile.meta.model, *profile.meta.aliases} - {"generic"}
    return _NAMED_BITS if any(len(word) > 2 and word.casefold() in text for word in words) else 0.0


def _factory(profile: Profile, settings: LineSettings | None, unit: int) -> float:
    serial = profile.link.serial
    is_factory_line = settings == LineSettings(serial.baud, f"8{serial.parity}{serial.stop}")
    is_factory_id = unit == profile.link.unit.default and unit != 1
    return _FACTORY_BITS * is_factory_line + _FACTORY_BITS * is_factory_id


def _rarity(answers: Mapping[Ask, Outcome]) -> float:
    """How seldom this device answers a read at all."""
    answered = sum(outcome.payload is not None for outcome in answers.values())
    return -math.log2((answered + 1) / (len(answers) + 2))


def _unexplained(profile: Profile, answers: Mapping[Ask, Outcome]) -> list[Ask]:
    """Reads that the device answered and that touch registers of which the profile knows nothing."""
    known = {(ask.function, ask.address + n) for ask in asks_of(profile) for n in range(ask.size)}
    known |= {(item.table.read_function, item.address + n) for item in profile.setup for n in range(2)}
    for point in profile.points:
        if point.table is not None:
            known |= {(point.table.read_function, point.address + n) for n in range(width(point))}
    return [
        ask
        for ask, outcome in answers.items()
        if outcome.payload is not None and any((ask.function, ask.address + n) not in known for n in range(ask.size))
    ]


def _block_bits(block: ReadBlock, payload: bytes, raws: Raws) -> float:
    told = decode_points(
        block.points, block.table, block.address, payload, bits=block.size if block.table.is_bits else None, raws=raws
    )
    quality = {reading.point: reading for reading in told}
    bits = 0.0
    for point in block.points:
        reading = quality.get(point.key)
        if reading is None or point.type.startswith("ascii"):
            continue
        if reading.quality == "bad":
            bits += _DIM_BITS
        elif reading.value is not None and float(reading.value) == 0:
            bits += _ZERO_BITS
        else:
            bits += information(point)
    return bits


def information(point: Point) -> float:
    """How few of all raw values would be good: bits by which a good one says more than chance."""
    kind = point.value_type
    if kind.is_float:
        return _FLOAT_BITS
    if kind.name == "bool":
        return 0.0
    low, high, _, _ = PointRules(point).fast()
    if low > high:
        return 2.0 if point.range is not None else 0.0
    return 8 * kind.size - math.log2(high - low + 1)


def _values(profile: Profile, answers: Mapping[Ask, Outcome]) -> Iterable[tuple[str, str]]:
    raws: Raws = {}
    for block in plan_blocks(profile)[:_BLOCKS_MOST]:
        outcome = answers.get(_ask(block))
        if outcome is None or outcome.payload is None:
            continue
        bits = block.size if block.table.is_bits else None
        for one in decode_points(block.points, block.table, block.address, outcome.payload, bits=bits, raws=raws):
            unit = "" if one.unit == "1" else f" {one.unit}"
            yield one.point, f"{one.value}{unit}" if one.value is not None else f"bad ({one.reason})"


def _ask(block: ReadBlock) -> Ask:
    return Ask(block.table.read_function, block.address, block.size)


def _telltale_ask(one: Identify) -> Ask:
    return Ask(one.table.read_function, one.address, width(Point(key="telltale", table=one.table, type=one.type)))
