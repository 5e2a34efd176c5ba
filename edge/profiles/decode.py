"""From register bytes to readings, as a profile says: pure, exact, and compiled once for speed (20,000 readings/s).

The order of evaluation is normative; the first step that fails gives the reason:
unpack -> invalid raw values -> NaN -> scale, offset, resolution -> range -> quality from other points -> flags.
A bad reading carries no number: a broken probe must never become one.

For most points all of this shrinks to "raw lies in [low, high], the value is raw * factor + offset"; `BlockPlan` works
that interval out beforehand and walks the slow road (`PointRules`) only for what falls outside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from edge.profiles.blocks import ReadBlock, plan_blocks, width
from edge.profiles.profile_types import Flag, Period, Point, Profile, QualityFrom, Table, Unit
from edge.profiles.scaling import Scaling, places
from edge.profiles.unpack import bit_unpacker, byte_order, word_unpacker
from wire.entries import Quality, Reading

Raw = int | float
Raws = dict[str, Raw]

_MAX_MANTISSA = (1 << 53) - 1  # what the wire and every JSON reader can carry exactly
_QUALITY = {"good": Quality.GOOD, "uncertain": Quality.UNCERTAIN, "bad": Quality.BAD}


class Value(NamedTuple):
    """One evaluated value: `mantissa` / 10^`decimals`, or None and a reason."""

    mantissa: int | None
    decimals: int
    quality: Quality
    reason: str | None


class OfferedPoint(NamedTuple):
    """What a device with this profile adds to the gateway's point table."""

    key: str
    unit: str
    quantity: str


# The wire speaks UCUM; profiles keep the spelling of the trade, where "%" alone would not say of what.
_UCUM = {Unit.CELSIUS: "Cel", Unit.FAHRENHEIT: "[degF]", Unit.RELATIVE_HUMIDITY: "%"}


def offered_points(profile: Profile) -> list[OfferedPoint]:
    """All points of a profile, flags included; text points (`ascii`) are not measured values and stay out."""
    points: list[OfferedPoint] = []
    for point in profile.points:
        if not point.type.startswith("ascii"):
            points.append(OfferedPoint(point.key, _UCUM.get(point.unit, point.unit.value), point.quantity or ""))
            points += [OfferedPoint(f"{point.key}.{name}", "1", name) for name in _flag_names(point)]
    return points


def device_plans(profile: Profile, index_of: Mapping[str, int]) -> list[BlockPlan]:
    """How to read and decode a device; `index_of` gives the wire's index for each offered point key."""
    leaned_on = {item.point for point in profile.points for item in point.quality_from}
    leaned_on |= {point.scale_from.point for point in profile.points if point.scale_from}
    return [BlockPlan(block, index_of, leaned_on) for block in plan_blocks(profile)]


class BlockPlan:
    """One block read, compiled: `decode` turns its bytes into readings."""

    def __init__(self, block: ReadBlock, index_of: Mapping[str, int], leaned_on: set[str]) -> None:
        points = [point for point in block.points if not point.type.startswith("ascii")]
        rules = [PointRules(point) for point in points]
        self.block = block
        self._unpack = bit_unpacker(block, points) if block.table.is_bits else word_unpacker(block, points)
        self._slots = [_slot(one, index_of.get(one.point.key, -1)) for one in rules]
        self._flags = [flag for n, one in enumerate(rules) for flag in _flag_slots(n, one, index_of)]
        self._leaned_on = [(n, point.key) for n, point in enumerate(points) if point.key in leaned_on]
        self._is_plain = not self._flags and all(slot[0] >= 0 for slot in self._slots)
        self.points = [(slot[0], slot[5]) for slot in self._slots if slot[0] >= 0]
        self.points += [(flag.point, 0) for flag in self._flags]

    def decode(self, registers: bytes, at: int, raws: Raws) -> list[Reading]:
        """Readings of all points in the block, at boot time `at`.

        `raws` is the memory of one cycle of one device: points that others lean on are put there and looked up there.
        Raises struct.error if `registers` is not as long as the block.
        """
        values = self._unpack(registers)
        for position, key in self._leaned_on:
            raws[key] = values[position]
        make, good = tuple.__new__, Quality.GOOD
        readings = [
            make(Reading, (point, at, raw * factor + offset, decimals, good, None))
            if low <= raw <= high
            else Reading(point, at, *rules.evaluate(raw, raws))
            for raw, (point, low, high, factor, offset, decimals, rules) in zip(values, self._slots, strict=True)
        ]
        if self._is_plain:
            return readings
        flags = [flag.read(at, values, raws) for flag in self._flags]
        return [reading for reading in readings if reading.point >= 0] + flags

    def failed(self, at: int, reason: str) -> list[Reading]:
        """One bad reading for each point: the block could not be read."""
        return [Reading(point, at, None, decimals, Quality.BAD, reason) for point, decimals in self.points]


class PointRules:
    """The whole normative evaluation of one point, for raw values that need it."""

    def __init__(self, point: Point) -> None:
        self.point = point
        self._kind = point.value_type
        self._scaling = Scaling(point.scale or "1", point.offset)
        self._by_decimals = (
            {raw: Scaling(scale, point.offset) for raw, scale in point.scale_from.map.items()}
            if point.scale_from
            else {}
        )
        self._invalid = [
            (*_bounds(item.raw, self._kind.size, is_signed=self._kind.is_signed), item.reason)
            for item in point.invalid
            if isinstance(item.raw, int | tuple)
        ]
        self._nan = next((item.reason for item in point.invalid if item.nan), "not_a_number")
        self._range = (
            (Fraction(str(point.range.min)), Fraction(str(point.range.max))) if point.range is not None else None
        )
        self._resolution = Fraction(point.resolution) if point.resolution else None
        self.decimals = (
            places(self._resolution)
            if self._resolution
            else max((one.decimals for one in self._by_decimals.values()), default=self._scaling.decimals)
        )

    def evaluate(self, raw: Raw, raws: Raws) -> Value:
        """One raw value to a value. Never raises: what cannot be told is bad or uncertain, with a reason."""
        for low, high, reason in self._invalid:
            if low <= raw <= high:
                return self._bad(reason)
        if self._kind.name.startswith("bcd") and (raw := _from_bcd(raw)) < 0:
            return self._bad("not_bcd")
        if self._kind.name == "bool":
            raw = 1 if raw else 0
        if raw != raw or raw in (float("inf"), float("-inf")):  # noqa: PLR0124  NaN is what differs from itself
            return self._bad(self._nan)
        scaling = self._scaling if self.point.scale_from is None else self._scaling_now(raws)
        if scaling is None:
            return self._bad("scale_unknown")
        exact, decimals = scaling.apply(raw, self._kind.size, self._resolution)
        mantissa = round(exact * 10**decimals)  # half to even; nothing to round for scaled integers
        if abs(mantissa) > _MAX_MANTISSA:
            return self._bad("out_of_range")
        if self._range and not self._range[0] * 10**decimals <= mantissa <= self._range[1] * 10**decimals:
            return self._bad("out_of_range")
        return self._judged(mantissa, decimals, raws)

    def fast(self) -> tuple[int, int, int, int]:
        """(low, high, factor, offset) of the raw values that are simply good; low > high when there are none."""
        never = (1, 0, 1, 0)
        is_plain = not (self._kind.is_float or self._kind.name.startswith("bcd"))
        if not is_plain or self.point.scale_from or self.point.quality_from or not self._scaling.is_exact:
            return never
        factor, offset = self._scaling.factor, self._scaling.offset
        bits = self._kind.size * 8
        low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if self._kind.is_signed else (0, (1 << bits) - 1)
        high = 1 if self._kind.name == "bool" else high
        least, most = (bound * 10**self._scaling.decimals for bound in self._range or (-_MAX_MANTISSA, _MAX_MANTISSA))
        least, most = max(least, -_MAX_MANTISSA), min(most, _MAX_MANTISSA)
        one, other = Fraction(least - offset) / factor, Fraction(most - offset) / factor
        low, high = max(low, _ceil(min(one, other))), min(high, _floor(max(one, other)))
        for first, last, _ in self._invalid:
            if first <= low <= last:
                low = last + 1
            if first <= high <= last:
                high = first - 1
        if any(low <= last and first <= high for first, last, _ in self._invalid):
            return never
        return low, high, factor, offset

    def _scaling_now(self, raws: Raws) -> Scaling | None:
        assert self.point.scale_from is not None
        raw = raws.get(self.point.scale_from.point)
        return self._by_decimals.get(raw) if isinstance(raw, int) else None

    def _judged(self, mantissa: int, decimals: int, raws: Raws) -> Value:
        for check in self.point.quality_from:
            raw = raws.get(check.point)
            if raw is None:
                return Value(mantissa, decimals, Quality.UNCERTAIN, "status_unknown")
            if check.quality != "good" and _matches(check, raw):
                quality, reason = _QUALITY[check.quality], check.reason or check.flag or check.point
                return Value(None if quality is Quality.BAD else mantissa, decimals, quality, reason)
        return Value(mantissa, decimals, Quality.GOOD, None)

    def _bad(self, reason: str) -> Value:
        return Value(None, self.decimals, Quality.BAD, reason)


class _FlagSlot(NamedTuple):
    """A flag as a point: bits of this block's word, or "one of these conditions holds"."""

    point: int
    position: int
    rules: PointRules
    flag: Flag | None
    checks: tuple[QualityFrom, ...]

    def read(self, at: int, values: Sequence[Any], raws: Raws) -> Reading:
        raw = values[self.position]
        if self.flag is None:
            known = [raws[check.point] for check in self.checks if check.point in raws]
            if len(known) < len(self.checks):
                return Reading(self.point, at, None, 0, Quality.BAD, "status_unknown")
            is_set = any(_matches(check, raws[check.point]) for check in self.checks)
            return Reading(self.point, at, int(is_set), 0, Quality.GOOD, None)
        word = self.rules.evaluate(raw, raws)
        if word.quality is Quality.BAD:
            return Reading(self.point, at, None, 0, word.quality, word.reason)
        return Reading(self.point, at, _bits(raw, self.flag), 0, word.quality, word.reason)


def _bits(raw: int, flag: Flag) -> int:
    low, high = flag.bits or (flag.bit or 0, flag.bit or 0)
    value = raw >> low & (1 << high - low + 1) - 1
    return value ^ 1 if flag.active == 0 and flag.bit is not None else value


def _slot(rules: PointRules, index: int) -> tuple[int, int, int, int, int, int, PointRules]:
    low, high, factor, offset = rules.fast()
    return index, low, high, factor, offset, rules.decimals, rules


def _flag_slots(position: int, rules: PointRules, index_of: Mapping[str, int]) -> Iterator[_FlagSlot]:
    point = rules.point
    for name in _flag_names(point):
        index = index_of.get(f"{point.key}.{name}")
        if index is not None:
            checks = tuple(item for item in point.quality_from if item.flag == name)
            yield _FlagSlot(index, position, rules, point.flags.get(name), checks)


def _flag_names(point: Point) -> list[str]:
    return list(dict.fromkeys([*point.flags, *(item.flag for item in point.quality_from if item.flag)]))


def _matches(check: QualityFrom, raw: Raw) -> bool:
    if not isinstance(raw, int):
        return False
    wanted = check.equals if isinstance(check.equals, tuple) else (check.equals,)
    return (raw if check.mask is None else raw & check.mask) in wanted


def _bounds(raw: int | tuple[int, int], size: int, *, is_signed: bool) -> tuple[int, int]:
    """Inclusive bounds on the typed raw value; 0x8000 and -32768 are the same s16."""
    low, high = raw if isinstance(raw, tuple) else (raw, raw)
    if is_signed and low == high and low >= 1 << size * 8 - 1:
        low = high = low - (1 << size * 8)
    if not is_signed and low == high < 0:
        low = high = low + (1 << size * 8)
    return low, high


def _from_bcd(raw: float) -> int:
    digits = f"{int(raw):x}"
    return int(digits) if digits.isdecimal() else -1


def _ceil(number: Fraction) -> int:
    return -(-number.numerator // number.denominator)


def _floor(number: Fraction) -> int:
    return number.numerator // number.denominator


# ---- for commands and tests


class NamedReading(NamedTuple):
    """A reading for people: point key instead of index, value as decimal text."""

    point: str
    value: str | None
    unit: str
    quality: str
    reason: str | None


def decode_points(
    points: Sequence[Point],
    table: Table,
    address: int,
    registers: bytes,
    *,
    bits: int | None = None,
    raws: Raws | None = None,
) -> list[NamedReading]:
    """Decode one answer by itself: all points that lie wholly in the registers (or `bits`) read from `address`.

    `raws` carries what other answers of the same cycle said (see BlockPlan.decode); it is added to.
    """
    if table.is_bits:
        size = min(bits or len(registers) * 8, len(registers) * 8)
        registers = registers[: (size + 7) // 8]
    else:
        size = len(registers) // 2
        registers = registers[: size * 2]
    inside = tuple(
        point
        for point in points
        if point.table is table and point.address >= address and point.address + width(point) <= address + size
    )
    if not inside:
        return []
    block = ReadBlock(table, address, size, Period.FAST, inside)
    names: list[tuple[str, str]] = []
    for point in inside:
        if point.type.startswith("ascii"):
            continue
        names.append((point.key, point.unit.value))
        names += [(f"{point.key}.{flag}", "1") for flag in _flag_names(point)]
    plan = BlockPlan(block, {key: index for index, (key, _) in enumerate(names)}, {point.key for point in points})
    readings = plan.decode(registers, 0, {} if raws is None else raws)
    return [_named(names, reading) for reading in readings] + list(_texts(block, registers))


def decimal_text(mantissa: int, decimals: int) -> str:
    """-190, 1 -> "-19.0"."""
    return f"{Decimal(mantissa).scaleb(-decimals):f}"


def _named(names: Sequence[tuple[str, str]], reading: Reading) -> NamedReading:
    key, unit = names[reading.point]
    value = None if reading.mantissa is None else decimal_text(reading.mantissa, reading.decimals)
    return NamedReading(key, value, unit, reading.quality.name.lower(), reading.reason)


def _texts(block: ReadBlock, registers: bytes) -> Iterator[NamedReading]:
    for point in block.points:
        if point.type.startswith("ascii"):
            raw = bytes(registers[index] for index in byte_order(point, point.address - block.address))
            yield NamedReading(point.key, raw.decode("ascii", "replace").rstrip("\0 "), "1", "good", None)
