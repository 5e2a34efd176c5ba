"""Faults on request: what ails each device and each zone, and what that does to an answer. No I/O, no clock.

Device faults spoil or withhold answers; zone faults change the room's physics. Kinds and their parameters:

    dead                 silence, while neighbours on the line go on
    crc --rate           a bit is turned in the answer            truncated --rate   the answer ends too soon
    late --ms            the answer comes that much later         noise --rate       garbage before a sound answer
    exception --code     Modbus exception instead of a value      wrong-unit --rate  another unit id in the answer
    frozen               the value no longer changes              probe-broken       the fault code instead of a value
    door-open, compressor-dead, defrost                           for a zone
"""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, fields, replace

from simulator.errors import UnknownFault, UnknownTarget

ZONE_FAULTS = ("door-open", "compressor-dead", "defrost")


@dataclass(frozen=True, slots=True)
class Ailments:
    """What ails one device; the default is health."""

    dead: bool = False
    crc: float = 0.0
    late: int = 0
    exception: int = 0
    truncated: float = 0.0
    noise: float = 0.0
    wrong_unit: float = 0.0
    frozen: bool = False
    probe_broken: bool = False


HEALTHY = Ailments()
DEVICE_FAULTS = tuple(field.name.replace("_", "-") for field in fields(Ailments))
_DEFAULT_RATE, _DEFAULT_LATE_MS, _DEFAULT_CODE = 1.0, 1000, 2


@dataclass(frozen=True, slots=True)
class Treatment:
    """What is done to one answer: why (None: nothing), how long it waits, whether a reader can still take it."""

    why: str | None = None
    delay_ms: int = 0
    delivered: bool = True


SOUND = Treatment()


def treat(ailments: Ailments, chance: random.Random) -> Treatment:
    """Decide over one answer; the worst ailment wins."""
    if ailments is HEALTHY:
        return SOUND
    if ailments.dead:
        return Treatment("dead", 0, delivered=False)
    for why, rate in (
        ("crc", ailments.crc),
        ("truncated", ailments.truncated),
        ("wrong_unit", ailments.wrong_unit),
    ):
        if rate and chance.random() < rate:
            return Treatment(why, ailments.late, delivered=False)
    if ailments.late:
        return Treatment("late", ailments.late)
    if ailments.noise and chance.random() < ailments.noise:
        return Treatment("noise")
    return SOUND


class FaultBoard:
    """All faults now in force, by device and zone; the plant looks here, `coldlink sim fault` writes here."""

    def __init__(self, devices: list[str], zones: list[str]) -> None:
        self._devices = dict.fromkeys(devices, HEALTHY)
        self._zones: dict[str, set[str]] = {zone: set() for zone in zones}

    def of(self, device: str) -> Ailments:
        return self._devices[device]

    def is_on(self, zone: str, kind: str) -> bool:
        return kind in self._zones[zone]

    def set(self, kind: str, target: str, *, rate: float | None, ms: int | None, code: int | None) -> None:
        """Raises UnknownTarget, UnknownFault."""
        if target in self._zones:
            if kind not in ZONE_FAULTS:
                raise UnknownFault(kind, target, list(ZONE_FAULTS))
            self._zones[target].add(kind)
            return
        if target not in self._devices:
            raise UnknownTarget(target, [*self._devices, *self._zones])
        if kind not in DEVICE_FAULTS:
            raise UnknownFault(kind, target, list(DEVICE_FAULTS))
        name = kind.replace("-", "_")
        value: float = {"late": ms or _DEFAULT_LATE_MS, "exception": code or _DEFAULT_CODE}.get(
            kind, _DEFAULT_RATE if rate is None else rate
        )
        as_kind = type(getattr(HEALTHY, name))
        self._devices[target] = replace(self._devices[target], **{name: as_kind(value)})

    def clear(self, target: str | None = None, kind: str | None = None) -> None:
        """All faults, those of one target, or one kind of one target. Raises UnknownTarget."""
        if target is not None and target not in self._devices and target not in self._zones:
            raise UnknownTarget(target, [*self._devices, *self._zones])
        for device in self._devices if target is None else [target] if target in self._devices else []:
            name = kind.replace("-", "_") if kind else None
            cured = replace(self._devices[device], **{name: getattr(HEALTHY, name)}) if name else HEALTHY
            self._devices[device] = HEALTHY if cured == HEALTHY else cured
        for zone in self._zones if target is None else [target] if target in self._zones else []:
            self._zones[zone] = self._zones[zone] - {kind} if kind else set()

    def listed(self) -> list[dict[str, object]]:
        """One entry per fault in force, for `coldlink sim fault list`."""
        found: list[dict[str, object]] = []
        for device, ailments in self._devices.items():
            for name, value in asdict(ailments).items():
                if value:
                    found.append({"target": device, "fault": name.replace("_", "-"), "value": value})
        for zone, kinds in self._zones.items():
            found += [{"target": zone, "fault": kind, "value": True} for kind in sorted(kinds)]
        return found
