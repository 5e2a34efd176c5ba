"""The plant as its YAML describes it: typed, checked for what must fit together, before anything is opened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ground.configfile import ConfigError, load
from simulator.faults import DEVICE_FAULTS, ZONE_FAULTS
from simulator.thermal import CLIMATES, Climate

MODBUS_PROFILES = ("generic-xy-md02", "generic-refrigeration-controller", "generic-counter-10")
SCALE_PROFILE, READER_PROFILE = "mettler-mt-sics", "generic-m100-uhf"

Slug = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9{}-]{0,62}$", description="small letters, digits and -")]
FileName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9{}_-]{1,40}$")]
Positive = Annotated[float, Meta(gt=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=0, le=200)]


class Name(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    vi: str
    en: str


class ZonePlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    id: Slug
    name: Name
    climate: str
    setpoint: float | None = None  # instead of the climate's own, degrees Celsius
    defrosts_per_day: Count = 0
    doors_per_day: Count = 0


class DevicePlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    id: Slug
    profile: str
    zone: Slug | None = None  # counters have none
    unit_id: Annotated[int, Meta(ge=1, le=247)] | None = None
    turnaround_ms: Annotated[int, Meta(ge=0, le=5000)] = 0
    offset: float = 0.0  # how far this probe's place is from the room's mean, kelvin
    read_share: Share = 0.7  # reader: chance that a tag in view is read in one round
    miss_share: Share = 0.0  # reader: chance that a passing tag is not read at all
    repeat_share: Share = 0.0  # reader: chance that it is seen once more afterwards
    linger_every_s: Positive | None = None  # reader: now and then it sees a carrier that stands near the door


class BusPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    id: Slug
    kind: Literal["modbus_tcp", "modbus_rtu", "serial"]
    devices: Annotated[list[DevicePlan], Meta(min_length=1)]
    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 0  # 0: a free one, told in plant.json
    tty: FileName | None = None  # name of the link in the run directory
    baud: Annotated[int, Meta(ge=300, le=921_600)] = 9600
    format: Literal["8N1", "8N2", "8E1", "8O1", "7E1", "7O1"] = "8N1"
    timing: bool = False  # take the time that the characters need on a real line
    echo: bool = False  # the adapter hears itself
    repeat: Annotated[int, Meta(ge=1, le=1000)] = 1  # as many such buses; `{n}` in ids stands for the number


class StagePlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    zones: Annotated[list[Slug], Meta(min_length=1)]  # one of them
    stay_min: tuple[Positive, Positive]


class ProductPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    name: Name
    route: str
    quantity_kg: tuple[Positive, Positive]


class FlowPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    lots_per_day: Count = 6
    routes: dict[str, list[StagePlan]]
    products: Annotated[list[ProductPlan], Meta(min_length=1)]
    load_zone: Slug  # where goods get their tagged carrier
    cut_zone: Slug | None = None  # where carcasses become products, before they are loaded
    live_every_s: Annotated[float, Meta(ge=10)] = 120.0  # while the plant runs a new lot begins this often
    live_speed: Positive = 60.0  # and stays are this much shorter than in the histories


class ScriptLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    at_s: Annotated[float, Meta(ge=0)]
    fault: str
    target: Slug
    for_s: Positive | None = None
    rate: Share | None = None
    ms: Annotated[int, Meta(gt=0)] | None = None
    code: Annotated[int, Meta(ge=1, le=11)] | None = None


class PlantPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    plant: Slug
    name: Name
    seed: int = 1
    physics_speed: Positive = 1.0
    outside_celsius: float = 28.0
    zones: list[ZonePlan] = []
    buses: Annotated[list[BusPlan], Meta(min_length=1)]
    flow: FlowPlan | None = None
    script: list[ScriptLine] = []

    def devices(self) -> list[DevicePlan]:
        return [device for bus in self.buses for device in bus.devices]


def climate_of(zone: ZonePlan) -> Climate:
    climate = CLIMATES[zone.climate]
    if zone.setpoint is None:
        return climate
    colder_by = climate.setpoint_celsius - zone.setpoint
    return replace(climate, setpoint_celsius=zone.setpoint, evaporator_celsius=climate.evaporator_celsius - colder_by)


def load_plan(path: Path) -> PlantPlan:
    """Raises ConfigError, which names file, key and value."""
    plan = load(path, PlantPlan)
    plan = msgspec.structs.replace(plan, buses=[one for bus in plan.buses for one in _repeated(bus)])
    for key, problem, hint in _contradictions(plan):
        raise ConfigError(path, problem, key=key, hint=hint)
    return plan


def _repeated(bus: BusPlan) -> list[BusPlan]:
    if bus.repeat == 1:
        return [bus]
    return [
        msgspec.structs.replace(
            bus,
            id=bus.id.format(n=n),
            tty=bus.tty.format(n=n) if bus.tty else None,
            port=bus.port + n - 1 if bus.port else 0,
            repeat=1,
            devices=[msgspec.structs.replace(device, id=device.id.format(n=n)) for device in bus.devices],
        )
        for n in range(1, bus.repeat + 1)
    ]


_Contradiction = tuple[str, str, str]  # key, problem, hint


def _contradictions(plan: PlantPlan) -> Iterator[_Contradiction]:
    zones = [zone.id for zone in plan.zones]
    devices = [device.id for device in plan.devices()]
    yield from _doubled("zones", zones)
    yield from _doubled("buses", [bus.id for bus in plan.buses])
    yield from _doubled("buses[].tty", [bus.tty for bus in plan.buses if bus.tty])
    yield from _doubled("devices and zones", devices + zones)
    for zone in plan.zones:
        if zone.climate not in CLIMATES:
            yield f"zones.{zone.id}.climate", f"`{zone.climate}` is unknown", f"one of {', '.join(CLIMATES)}"
    for bus in plan.buses:
        yield from _bus_contradictions(bus, zones)
    if plan.flow is not None:
        yield from _flow_contradictions(plan.flow, zones)
    for number, line in enumerate(plan.script):
        yield from _script_contradictions(f"script[{number}]", line, devices, zones)


def _doubled(key: str, names: list[str]) -> Iterator[_Contradiction]:
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield key, f"`{name}` stands twice", "each needs a name of its own; in repeated buses use {n}"


def _bus_contradictions(bus: BusPlan, zones: list[str]) -> Iterator[_Contradiction]:
    key = f"buses.{bus.id}"
    if bus.kind != "modbus_tcp" and bus.tty is None:
        yield f"{key}.tty", "is missing", "a serial bus needs a name for its link, such as ttyLINE1"
    if bus.kind == "serial" and len(bus.devices) != 1:
        yield f"{key}.devices", f"{len(bus.devices)} devices", "a serial instrument has a line of its own"
    units = [str(device.unit_id) for device in bus.devices if device.unit_id is not None]
    yield from _doubled(f"{key}.devices[].unit_id", units)
    profiles = (SCALE_PROFILE, READER_PROFILE) if bus.kind == "serial" else MODBUS_PROFILES
    for device in bus.devices:
        here = f"{key}.devices.{device.id}"
        if device.profile not in profiles:
            yield f"{here}.profile", f"`{device.profile}` cannot be played here", f"one of {', '.join(profiles)}"
        if bus.kind != "serial" and device.unit_id is None:
            yield f"{here}.unit_id", "is missing", "1 to 247"
        if device.zone is None and device.profile != "generic-counter-10":
            yield f"{here}.zone", "is missing", f"one of {', '.join(zones)}"
        if device.zone is not None and device.zone not in zones:
            yield f"{here}.zone", f"`{device.zone}` is unknown", f"one of {', '.join(zones)}"


def _flow_contradictions(flow: FlowPlan, zones: list[str]) -> Iterator[_Contradiction]:
    for route, stages in flow.routes.items():
        for stage in stages:
            for zone in stage.zones:
                if zone not in zones:
                    yield f"flow.routes.{route}", f"zone `{zone}` is unknown", f"one of {', '.join(zones)}"
    for product in flow.products:
        if product.route not in flow.routes:
            known = ", ".join(flow.routes)
            yield f"flow.products.{product.name.en}.route", f"`{product.route}` is unknown", f"one of {known}"
    for key, zone_id in (("load_zone", flow.load_zone), ("cut_zone", flow.cut_zone)):
        if zone_id is not None and zone_id not in zones:
            yield f"flow.{key}", f"`{zone_id}` is unknown", f"one of {', '.join(zones)}"


def _script_contradictions(
    key: str, line: ScriptLine, devices: list[str], zones: list[str]
) -> Iterator[_Contradiction]:
    if line.target not in devices and line.target not in zones:
        yield f"{key}.target", f"`{line.target}` is neither a device nor a zone", ""
        return
    kinds = ZONE_FAULTS if line.target in zones else DEVICE_FAULTS
    if line.fault not in kinds:
        yield f"{key}.fault", f"`{line.fault}` is not possible for `{line.target}`", f"one of {', '.join(kinds)}"
