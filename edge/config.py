"""A gateway's settings: which lines it has, what hangs on them, where its batches go.

Read once and checked against the profiles before anything is opened; a mistake is refused with file, key, value and
what would be right. Every key is described in docs/configuration.md, which is tested against these types.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

from edge.clock import Trust
from edge.drivers.errors import BadParameter, UnknownDriver
from edge.drivers.registry import make_decoder
from edge.lines.line import NO_PACE, Pace, cycle_s, serial_pace
from edge.profiles.blocks import plan_blocks
from edge.profiles.decode import offered_points
from edge.profiles.profile import Profile, load_profile, profile_files, profiles_dir
from ground.configfile import ConfigError, load
from ground.mqtt import BrokerSettings
from wire.points import Point

Slug = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=48)]
Seconds = Annotated[float, Meta(ge=0.02, le=86_400)]
Baud = Annotated[int, Meta(ge=300, le=4_000_000)]
SerialFormat = Annotated[str, Meta(pattern=r"^[78][NEO][12]$")]
Port = Annotated[str, Meta(pattern=r"^(/.+|tcp://[^/]+:[0-9]+|rfc2217://[^/]+:[0-9]+)$")]


class ModbusDevice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One instrument behind a unit id."""

    id: Slug
    profile: Slug
    unit_id: Annotated[int, Meta(ge=0, le=255)] | None = None
    period_s: Seconds = 1.0
    timeout_ms: Annotated[int, Meta(ge=10, le=60_000)] | None = None


class SerialDevice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One scale or reader that has the port to itself."""

    id: Slug
    profile: Slug
    period_s: Seconds = 1.0
    timeout_ms: Annotated[int, Meta(ge=10, le=60_000)] | None = None
    min_weight: Annotated[str, Meta(pattern=r"^[0-9]+(\.[0-9]+)?$")] | None = None
    params: dict[str, Any] = {}


class ModbusRtuBus(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="modbus_rtu"
):
    id: Slug
    port: Port
    baud: Baud = 9600
    format: SerialFormat = "8N1"
    echo: Literal["auto", "off", "strip"] = "auto"
    devices: Annotated[tuple[ModbusDevice, ...], Meta(min_length=1)]


class ModbusTcpBus(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="modbus_tcp"
):
    id: Slug
    host: Annotated[str, Meta(min_length=1)]
    port: Annotated[int, Meta(ge=1, le=65535)] = 502
    devices: Annotated[tuple[ModbusDevice, ...], Meta(min_length=1)]


class SerialBus(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="serial"):
    id: Slug
    port: Port
    baud: Baud = 9600
    format: SerialFormat = "8N1"
    devices: Annotated[tuple[SerialDevice, ...], Meta(min_length=1, max_length=1)]


Bus = ModbusRtuBus | ModbusTcpBus | SerialBus
Device = ModbusDevice | SerialDevice


class LiveSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    every_ms: Annotated[int, Meta(ge=50, le=60_000)] = 250


class BufferSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    max_mb: Annotated[int, Meta(ge=1, le=1_000_000)] = 1024


class EdgeConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    gateway: Slug
    shard: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")] = "s0"
    broker: BrokerSettings = BrokerSettings()
    data_dir: str = "/var/lib/coldlink"
    flush_s: Annotated[float, Meta(ge=0.25, le=60)] = 5.0
    clock: Trust = Trust.KERNEL
    live: LiveSettings | Literal["off"] = LiveSettings()
    buffer: BufferSettings = BufferSettings()
    profiles_dir: str | None = None
    buses: Annotated[tuple[Bus, ...], Meta(min_length=1)]


@dataclass(frozen=True)
class Gateway:
    """Checked settings with the profiles they name."""

    config: EdgeConfig
    profiles: Mapping[str, Profile]

    def points(self) -> tuple[Point, ...]:
        """The instruments' part of the point table: in the order of the file, so that it changes only with the file."""
        return tuple(
            Point(device.id, point.key, point.unit, point.quantity)
            for bus in self.config.buses
            for device in bus.devices
            for point in offered_points(self.profiles[device.profile])
        )


def check(path: Path, *, may_overload: bool = False) -> Gateway:
    """Read and judge a settings file without opening anything. Raises ConfigError.

    `may_overload`: take lines that cannot carry their periods as well, to say what they would need (`edge plan`).
    """
    try:
        config = load(path, EdgeConfig)
    except ConfigError as error:
        raise _with_yaml_trap_explained(path, error) from error
    files = profile_files(Path(config.profiles_dir) if config.profiles_dir else profiles_dir())
    for problem in _unknown_profiles(config, files):
        raise ConfigError(path, problem.text, key=problem.key, hint=problem.hint)
    named = {device.profile for bus in config.buses for device in bus.devices}
    profiles = {profile_id: load_profile(files[profile_id]) for profile_id in sorted(named)}
    for problem in problems(config, profiles):
        if may_overload and problem.is_overload:
            continue
        raise ConfigError(path, problem.text, key=problem.key, hint=problem.hint)
    return Gateway(config, profiles)


class Problem(NamedTuple):
    key: str
    text: str
    hint: str = ""
    is_overload: bool = False


def problems(config: EdgeConfig, profiles: Mapping[str, Profile]) -> Iterator[Problem]:
    """What types cannot say: names that clash, devices that do not fit their bus, cycles that do not fit the line."""
    yield from _doubles("bus", ((f"buses[{n}].id", bus.id) for n, bus in enumerate(config.buses)))
    yield from _doubles("port", ((f"buses[{n}].port", _endpoint(bus)) for n, bus in enumerate(config.buses)))
    yield from _doubles("device", ((f"{where}.id", device.id) for where, _, device in _devices(config)))
    for where, bus, device in _devices(config):
        if device.id == "gateway":
            yield Problem(f"{where}.id", "'gateway' is taken", "the agent reports its own state under that name")
        yield from _fit(where, bus, device, profiles[device.profile])
    for number, bus in enumerate(config.buses):
        if not isinstance(bus, SerialBus):
            yield from _unit_ids(f"buses[{number}]", bus, profiles)
            yield from _speed(f"buses[{number}]", bus, profiles)


def pace_of(bus: ModbusRtuBus | ModbusTcpBus) -> Pace:
    return serial_pace(bus.baud, bus.format) if isinstance(bus, ModbusRtuBus) else NO_PACE


def unit_id_of(device: ModbusDevice, profile: Profile) -> int:
    return profile.link.unit.default if device.unit_id is None else device.unit_id


def timeout_s_of(device: Device, profile: Profile) -> float:
    return (device.timeout_ms or profile.link.timeout_ms) / 1000


def _devices(config: EdgeConfig) -> Iterator[tuple[str, Bus, Device]]:
    for number, bus in enumerate(config.buses):
        devices: tuple[Device, ...] = bus.devices
        for position, device in enumerate(devices):
            yield f"buses[{number}].devices[{position}]", bus, device


def _endpoint(bus: Bus) -> str:
    return f"{bus.host}:{bus.port}" if isinstance(bus, ModbusTcpBus) else bus.port


def _doubles(what: str, named: Iterator[tuple[str, str]]) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for key, name in named:
        if name in seen:
            yield Problem(key, f"{what} {name!r} stands twice", f"the first is {seen[name]}")
        seen.setdefault(name, key)


def _unknown_profiles(config: EdgeConfig, files: Mapping[str, Path]) -> Iterator[Problem]:
    for where, _, device in _devices(config):
        if device.profile not in files:
            near = difflib.get_close_matches(device.profile, files, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"known here: {', '.join(sorted(files))}"
            yield Problem(f"{where}.profile", f"there is no profile {device.profile!r}", hint)


def _fit(where: str, bus: Bus, device: Device, profile: Profile) -> Iterator[Problem]:
    """Whether this model can hang on this kind of bus, at this speed."""
    if profile.is_modbus == isinstance(bus, SerialBus):
        speaks, wanted = ("Modbus", "modbus_rtu or modbus_tcp") if profile.is_modbus else (profile.driver, "serial")
        yield Problem(
            f"{where}.profile", f"{device.profile!r} speaks {speaks}", f"it belongs on a bus of kind {wanted}"
        )
        return
    if not isinstance(bus, ModbusTcpBus) and bus.port.startswith("/"):
        serial = profile.link.serial
        if serial.allowed_baud and bus.baud not in serial.allowed_baud:
            yield Problem(
                where.partition(".")[0] + ".baud",
                f"{device.profile!r} cannot speak at {bus.baud}",
                f"one of {', '.join(map(str, serial.allowed_baud))}",
            )
        if serial.allowed_formats and bus.format not in serial.allowed_formats:
            yield Problem(
                where.partition(".")[0] + ".format",
                f"{device.profile!r} cannot speak {bus.format}",
                f"one of {', '.join(serial.allowed_formats)}",
            )
    if isinstance(device, SerialDevice):
        yield from _driver_params(where, device, profile)


def _driver_params(where: str, device: SerialDevice, profile: Profile) -> Iterator[Problem]:
    try:
        _, warnings = make_decoder(profile.driver or "", {**profile.params, **device.params})
    except BadParameter as error:
        yield Problem(f"{where}.params.{error.name}", f"{error.value!r} is not right", f"wanted: {error.wanted}")
    except UnknownDriver as error:
        yield Problem(f"{where}.profile", f"driver {error.name!r} is not here", f"known: {', '.join(error.known)}")
    else:
        for warning in warnings:
            yield Problem(f"{where}.params", warning.detail)


def _unit_ids(where: str, bus: ModbusRtuBus | ModbusTcpBus, profiles: Mapping[str, Profile]) -> Iterator[Problem]:
    taken: dict[int, str] = {}
    for number, device in enumerate(bus.devices):
        key = f"{where}.devices[{number}].unit_id"
        unit, unit_id = profiles[device.profile].link.unit, unit_id_of(device, profiles[device.profile])
        if not unit.min <= unit_id <= unit.max:
            yield Problem(key, f"{unit_id} is impossible for {device.profile!r}", f"{unit.min} to {unit.max}")
        if unit_id in taken:
            yield Problem(key, f"unit id {unit_id} is taken by {taken[unit_id]!r}", "unit ids are unique on a bus")
        taken[unit_id] = device.id


def _speed(where: str, bus: ModbusRtuBus | ModbusTcpBus, profiles: Mapping[str, Profile]) -> Iterator[Problem]:
    """Refuses what the wire cannot carry even if every device answered at once."""
    load = 0.0
    for number, device in enumerate(bus.devices):
        profile = profiles[device.profile]
        blocks = [block for block in plan_blocks(profile) if not block.period.at_least_s]
        needed_s = cycle_s(pace_of(bus), blocks, profile.link.min_gap_ms / 1000)
        load += needed_s / device.period_s
        if needed_s > device.period_s:
            yield Problem(
                f"{where}.devices[{number}].period_s",
                f"{device.period_s:g} s is wanted, {needed_s:.2f} s are needed on the wire",
                f"at least {needed_s:.2f}",
                is_overload=True,
            )
    if load > 1:
        yield Problem(
            f"{where}.devices",
            f"the line would be busy {load:.0%} of the time",
            f"make each period_s at least {load:.1f} times as long, raise the baud rate, or use a second line",
            is_overload=True,
        )


def _with_yaml_trap_explained(path: Path, error: ConfigError) -> ConfigError:
    if not error.key.endswith(".format"):
        return error
    hint = 'write it in quotes, e.g. "8E1": bare, YAML reads it as a number' if "float" in error.hint else error.hint
    return ConfigError(path, error.problem, key=error.key, hint=hint, line=error.line)
