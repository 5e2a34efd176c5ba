"""From what was typed to the line that is meant: a gateway's settings with their lines, or a port by itself."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edge.commissioning.line import Place
from edge.config import Gateway, ModbusDevice, ModbusRtuBus, ModbusTcpBus, SerialBus, check, unit_id_of
from edge.lines.bus import LineSettings
from edge.profiles.profile import Profile, load_profile, profile_files


class BadTarget(Exception):
    """What was typed does not name one line, device or profile; the text says what would."""


@dataclass(frozen=True)
class Target:
    """One line, and what is known of it. `devices`: unit id -> (device id, profile id)."""

    place: Place
    data_dir: Path | None = None
    gateway: Gateway | None = None
    devices: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    profile_files: Mapping[str, Path] = field(default_factory=dict)

    def profiles(self) -> list[Profile]:
        return [load_profile(path) for path in self.profile_files.values()]

    def profile(self, profile_id: str) -> Profile:
        if profile_id not in self.profile_files:
            raise BadTarget(f"there is no profile {profile_id!r}; `coldlink device profiles list` shows all")
        return load_profile(self.profile_files[profile_id])

    def unit(self, args: argparse.Namespace) -> tuple[int, str | None]:
        """Unit id and profile id of the device that was named."""
        if args.device is not None:
            for unit, (device, profile) in self.devices.items():
                if device == args.device:
                    return unit, args.profile or profile
            known = ", ".join(device for device, _ in self.devices.values()) or "none"
            raise BadTarget(f"there is no device {args.device!r} on {self.place.name}; devices: {known}")
        if args.unit is None:
            raise BadTarget("which device? --unit N, or --device ID with a settings FILE")
        known_profile = self.devices[args.unit][1] if args.unit in self.devices else None
        return args.unit, args.profile or known_profile


def targets(args: argparse.Namespace) -> list[Target]:
    """All lines that are meant. Raises BadTarget, ConfigError."""
    if sum(one is not None for one in (args.file, args.port, args.host)) != 1:
        raise BadTarget("which line? a settings FILE, --port PORT, or --host HOST")
    if args.file is None:
        return [Target(_place(args), profile_files=profile_files(args.profiles))]
    gateway = check(args.file, may_overload=True)
    found = [_of_bus(bus, gateway, args) for bus in gateway.config.buses if not isinstance(bus, SerialBus)]
    device = getattr(args, "device", None)
    if args.bus is not None:
        found = [one for one in found if one.place.name == args.bus]
    elif device is not None:
        found = [one for one in found if any(name == device for name, _ in one.devices.values())]
    if not found:
        known = ", ".join(bus.id for bus in gateway.config.buses if not isinstance(bus, SerialBus)) or "none"
        raise BadTarget(f"no Modbus line of {args.file} is meant; its lines: {known}")
    return found


def target(args: argparse.Namespace) -> Target:
    """The one line that is meant. Raises BadTarget, ConfigError."""
    found = targets(args)
    if len(found) > 1:
        raise BadTarget(f"which line? --bus {' or '.join(one.place.name for one in found)}")
    return found[0]


def _place(args: argparse.Namespace) -> Place:
    if args.host is not None:
        host, _, port = args.host.partition(":")
        return Place(args.host, f"tcp://{host}:{port or 502}", LineSettings(9600, "8N1"), is_tcp=True)
    return Place(args.port, args.port, LineSettings(args.baud, args.format.upper()))


def _of_bus(bus: ModbusRtuBus | ModbusTcpBus, gateway: Gateway, args: argparse.Namespace) -> Target:
    if isinstance(bus, ModbusRtuBus):
        place = Place(bus.id, bus.port, LineSettings(bus.baud, bus.format))
    else:
        place = Place(bus.id, f"tcp://{bus.host}:{bus.port}", LineSettings(9600, "8N1"), is_tcp=True)
    own = Path(gateway.config.profiles_dir) if gateway.config.profiles_dir else None
    return Target(
        place,
        Path(gateway.config.data_dir),
        gateway,
        {_unit(device, gateway): (device.id, device.profile) for device in bus.devices},
        profile_files(args.profiles or own),
    )


def _unit(device: ModbusDevice, gateway: Gateway) -> int:
    return unit_id_of(device, gateway.profiles[device.profile])
