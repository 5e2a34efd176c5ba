"""What a profile must keep beyond its types: the validation rules of the profile schema, one function each."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from msgspec import UNSET

from edge.profiles.blocks import plan_blocks
from edge.profiles.profile_types import TYPE_NAMES, Link, Period, Point, Profile, Status, Table, Unit, parse_type


class Problem(NamedTuple):
    key: str
    text: str
    hint: str = ""


def problems(profile: Profile) -> Iterator[Problem]:
    """Everything wrong with it; nothing when it may be used."""
    yield from _sources(profile)
    yield from _link(profile.link)
    yield from _keys(profile)
    shape_is_right = True
    for number, point in enumerate(profile.points):
        for problem in _point(profile, point, f"points[{number}]"):
            shape_is_right = False
            yield problem
    if not shape_is_right:
        return
    yield from _references(profile)
    yield from _reading_plan(profile)
    yield from _setup(profile)
    yield from _golden_tests(profile)


def _sources(profile: Profile) -> Iterator[Problem]:
    sources = {source.id for source in profile.meta.sources}
    if not sources:
        yield Problem("meta.sources", "no source given", "name the manual, repository or capture the facts come from")
    for number, point in enumerate(profile.points):
        where = f"points[{number}].source"
        if point.source is not None and point.source not in sources:
            yield Problem(where, f"{point.source!r} is not a source here", _near(point.source, sources))
        if point.source is None and profile.meta.status is not Status.DRAFT:
            yield Problem(where, "no source given", "name one of meta.sources, or say `status: draft`")


def _link(link: Link) -> Iterator[Problem]:
    unit = link.unit
    if not unit.min <= unit.default <= unit.max:
        yield Problem("link.unit", f"default {unit.default} is outside {unit.min} to {unit.max}")
    if link.serial.allowed_baud and link.serial.baud not in link.serial.allowed_baud:
        yield Problem("link.serial.baud", f"{link.serial.baud} is not among allowed_baud")


def _keys(profile: Profile) -> Iterator[Problem]:
    seen: set[str] = set()
    for number, point in enumerate(profile.points):
        if point.key in seen:
            yield Problem(f"points[{number}].key", f"{point.key!r} stands twice", "point keys are unique")
        seen.add(point.key)
    if not profile.points:
        yield Problem("points", "no points", "a device offers at least one point")
    if profile.is_modbus and profile.driver is not None:
        yield Problem("driver", f"{profile.driver!r} on a Modbus device", "leave it out, or say `transport: serial`")
    if not profile.is_modbus and profile.driver is None:
        yield Problem("driver", "missing", "a serial device names the driver that speaks its protocol")


def _point(profile: Profile, point: Point, where: str) -> Iterator[Problem]:
    if not profile.is_modbus:
        if point.table is not None or point.type:
            yield Problem(where, "a driver's point has no table, address or type", "the driver decides what it reads")
        return
    if point.table is None:
        yield Problem(f"{where}.table", "missing", f"one of {', '.join(Table)}")
        return
    try:
        kind = parse_type(point.type)
    except ValueError:
        yield Problem(f"{where}.type", f"{point.type!r} is not a type", f"one of {', '.join(TYPE_NAMES)}")
        return
    if point.table.is_bits and kind.name != "bool":
        yield Problem(f"{where}.type", f"{point.type!r} in a table of bits", "coils and discrete inputs are `bool`")
    if point.table.read_function not in profile.link.functions.read:
        yield Problem(
            f"{where}.table", f"needs function {point.table.read_function}", "which link.functions.read does not list"
        )
    yield from _orders(point, kind.registers, where)
    yield from _scaling(point, kind.is_float, where)
    yield from _faults(point, where)
    yield from _flags(point, kind.size * 8, where)
    if point.address + kind.registers > 0x10000:
        yield Problem(f"{where}.address", f"{point.address} + {kind.registers} registers ends beyond 65535")
    if point.access == "rw":
        yield from _write(profile, point, where)


def _orders(point: Point, registers: int, where: str) -> Iterator[Problem]:
    is_text = point.type.startswith("ascii")
    if registers > 1 and not is_text and point.word_order is None:
        yield Problem(f"{where}.word_order", "missing", f"`big` or `little`: {point.type} spans {registers} registers")
    if (registers == 1 or is_text) and point.word_order is not None:
        yield Problem(f"{where}.word_order", f"{point.word_order.value!r} for {point.type}", "only above 16 bits")


def _scaling(point: Point, is_float: bool, where: str) -> Iterator[Problem]:
    scales = (point.scale,) if point.scale_from is None else tuple(point.scale_from.map.values())
    if any(scale is not None and not Fraction(scale) for scale in scales):
        yield Problem(f"{where}.scale", "is zero", "a value would not depend on what was measured")
    if point.scale is not None and point.scale_from is not None:
        yield Problem(f"{where}.scale_from", "stands beside scale", "one of the two")
    if point.resolution is not None and not is_float:
        yield Problem(f"{where}.resolution", f"given for {point.type}", "whole numbers keep the resolution of scale")
    plain = point.scale in (None, "1") and point.scale_from is None and point.offset == "0"
    if (point.type == "bool" or point.type.startswith("ascii")) and not plain:
        yield Problem(f"{where}.scale", f"{point.type} cannot be scaled")
    if point.range is not None and point.range.min > point.range.max:
        yield Problem(f"{where}.range", f"min {point.range.min} is above max {point.range.max}")
    for number, item in enumerate(point.invalid):
        if item.raw is UNSET and not item.nan:
            yield Problem(f"{where}.invalid[{number}]", "says neither raw nor nan")
        if item.nan and not is_float:
            yield Problem(f"{where}.invalid[{number}].nan", f"given for {point.type}", "only floats can be NaN")
        if isinstance(item.raw, tuple) and item.raw[0] > item.raw[1]:
            yield Problem(f"{where}.invalid[{number}].raw", f"{list(item.raw)} is upside down", "[lowest, highest]")


def _faults(point: Point, where: str) -> Iterator[Problem]:
    """A broken probe must never become a number (rule 6)."""
    if point.unit not in (Unit.CELSIUS, Unit.FAHRENHEIT, Unit.KELVIN):
        return
    if (point.quantity or "").startswith(("setpoint", "correction")):
        return
    if point.range is None:
        yield Problem(f"{where}.range", "missing", "a temperature has engineering limits, e.g. {min: -60, max: 90}")
    if not (point.invalid or point.quality_from or point.no_fault_indication):
        yield Problem(
            where,
            "nothing says when the probe is broken",
            'give `invalid` or `quality_from`, or say `no_fault_indication: "why"`',
        )


def _flags(point: Point, width: int, where: str) -> Iterator[Problem]:
    for name, flag in point.flags.items():
        at = f"{where}.flags.{name}"
        if (flag.bit is None) == (flag.bits is None):
            yield Problem(at, "needs either bit or bits")
        elif flag.bit is not None and flag.active is None:
            yield Problem(f"{at}.active", "missing", "say which level is true: 0 or 1")
        elif flag.bits is not None and flag.bits[0] > flag.bits[1]:
            yield Problem(f"{at}.bits", f"{list(flag.bits)} is upside down", "[lowest, highest]")
        if max(flag.bits or (flag.bit or 0,)) >= width:
            yield Problem(at, f"lies outside the {width} bits of {point.type}")


def _write(profile: Profile, point: Point, where: str) -> Iterator[Problem]:
    if point.write is None:
        yield Problem(f"{where}.write", "missing", "access: rw says how it is written")
        return
    if point.write.function not in profile.link.functions.write:
        yield Problem(f"{where}.write.function", f"{point.write.function} is not in link.functions.write")
    if point.table is Table.COIL and point.write.safe_state is None:
        yield Problem(f"{where}.write.safe_state", "missing", "an output says which state is safe")


def _references(profile: Profile) -> Iterator[Problem]:
    keys = {point.key: point for point in profile.points}
    named = {f"{point.key}.{flag}" for point in profile.points for flag in point.flags} | set(keys)
    for number, point in enumerate(profile.points):
        for what, other in _links_of(point):
            where = f"points[{number}].{what}"
            if other not in keys:
                yield Problem(where, f"{other!r} is not a point here", _near(other, set(keys)))
            elif _rank(keys[other].period) > _rank(point.period):
                yield Problem(where, f"{other!r} is read more rarely than {point.key!r}", "give both the same period")
            elif _reaches(keys, other, point.key):
                yield Problem(where, f"{point.key!r} and {other!r} refer to each other")
    for number, alarm in enumerate(profile.alarms):
        if alarm.point not in named:
            yield Problem(f"alarms[{number}].point", f"{alarm.point!r} is not a point here", _near(alarm.point, named))


def _links_of(point: Point) -> Iterator[tuple[str, str]]:
    for number, item in enumerate(point.quality_from):
        yield f"quality_from[{number}].point", item.point
    if point.scale_from is not None:
        yield "scale_from.point", point.scale_from.point


def _reaches(points: dict[str, Point], start: str, goal: str) -> bool:
    waiting, seen = [start], set[str]()
    while waiting:
        key = waiting.pop()
        if key == goal:
            return True
        if key in points and key not in seen:
            seen.add(key)
            waiting += [other for _, other in _links_of(points[key])]
    return False


def _rank(period: Period) -> float:
    return period.at_least_s


def _reading_plan(profile: Profile) -> Iterator[Problem]:
    if not profile.is_modbus:
        if profile.blocks:
            yield Problem("blocks", "a driver's device has no blocks")
        return
    link = profile.link
    for number, block in enumerate(profile.blocks):
        most = link.max_read_bits if block.table.is_bits else link.max_read_registers
        if block.count > most:
            yield Problem(f"blocks[{number}].count", f"{block.count} is more than the {most} that link allows at once")
        if block.address + block.count > 0x10000:
            yield Problem(f"blocks[{number}]", "ends beyond 65535")
        for point in profile.points:
            if _straddles(point, block.table, block.address, block.address + block.count):
                yield Problem(f"blocks[{number}]", f"cuts point {point.key!r} in two")
    for number, point in enumerate(profile.points):
        if point.value_type.registers > link.max_read_registers:
            yield Problem(f"points[{number}].type", f"is longer than max_read_registers {link.max_read_registers}")
    for group in {point.atomic_group for point in profile.points} - {None}:
        inside = [block for block in plan_blocks(profile) if any(p.atomic_group == group for p in block.points)]
        if len(inside) > 1:
            yield Problem(
                "points", f"atomic_group {group!r} needs {len(inside)} reads", "its points must fit one block"
            )


def _straddles(point: Point, table: Table, start: int, end: int) -> bool:
    first, last = point.address, point.address + (1 if table.is_bits else point.value_type.registers)
    return point.table is table and first < end and last > start and not (first >= start and last <= end)


def _setup(profile: Profile) -> Iterator[Problem]:
    for number, item in enumerate(profile.setup):
        where = f"setup[{number}]"
        if item.function not in profile.link.functions.write:
            yield Problem(f"{where}.function", f"{item.function} is not in link.functions.write")
        if item.key in ("address", "unit_id", "baud", "parity") and item.effect == "none":
            yield Problem(f"{where}.effect", "'none' for a setting of the line", "`reconnect` or `power_cycle`")


def _golden_tests(profile: Profile) -> Iterator[Problem]:
    if not profile.tests:
        yield Problem("tests", "no golden frame", "give at least one response and what it must decode to")
    proven = profile.meta.status in (Status.BENCH_TESTED, Status.FIELD_PROVEN)
    if proven and not any(test.origin == "captured" for test in profile.tests):
        yield Problem(
            "tests", f"status {profile.meta.status.value!r} without a captured frame", "record one, or lower it"
        )


def _near(word: str, known: set[str]) -> str:
    near = difflib.get_close_matches(word, sorted(known), n=1)
    return f"did you mean `{near[0]}`?" if near else f"known here: {', '.join(sorted(known))}"
