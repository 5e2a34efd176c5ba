"""Says before start whether the periods fit the line: what was wanted, what it needs, and who takes how much of it.

    one read = request + silence + turn-round of the device + answer + silence        (line.py has the physics)

A network has no characters to wait for; there only the turn-round counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge.config import Gateway, ModbusDevice, ModbusRtuBus, ModbusTcpBus, SerialBus, pace_of
from edge.lines.line import REQUEST_CHARACTERS, Pace, answer_bytes
from edge.profiles.blocks import ReadBlock, plan_blocks

TURNROUND_S = 0.02  # cheap sensors take 5 to 30 ms, refrigeration controllers 20 to 150


@dataclass(frozen=True)
class DevicePlan:
    """One device: what reading it once takes, and how much of the line its rhythm claims."""

    device: str
    blocks: int
    characters: int
    cycle_s: float
    period_s: float
    share: float


@dataclass(frozen=True)
class BusPlan:
    """One line: `load` above 1 cannot work."""

    bus: str
    speed: str  # "9600 8N1", or "network"
    devices: tuple[DevicePlan, ...]

    @property
    def load(self) -> float:
        return sum(device.share for device in self.devices)

    @property
    def fits(self) -> bool:
        return self.load <= 1

    @property
    def wanted_s(self) -> float:
        """The shortest period asked for."""
        return min(device.period_s for device in self.devices)

    @property
    def needed_s(self) -> float:
        """What that period would have to be if all are stretched alike."""
        return self.wanted_s * self.load

    @property
    def verdict(self) -> str:
        figures = f"{self.wanted_s:g} s wanted, {_seconds(self.needed_s)} s needed"
        if self.fits:
            return f"fits: {figures}; the line is {self.load:.0%} busy"
        return (
            f"does not fit: {figures}; make each period_s {self.load:.1f} times as long, raise the baud rate, "
            "or use a second line"
        )


def plan_of(gateway: Gateway, turnround_s: float = TURNROUND_S) -> list[BusPlan]:
    """One plan for each Modbus line; a scale or reader has its port to itself."""
    return [_bus_plan(bus, gateway, turnround_s) for bus in gateway.config.buses if not isinstance(bus, SerialBus)]


def _bus_plan(bus: ModbusRtuBus | ModbusTcpBus, gateway: Gateway, turnround_s: float) -> BusPlan:
    pace = pace_of(bus)
    speed = f"{bus.baud} {bus.format}" if isinstance(bus, ModbusRtuBus) else "network"
    devices = tuple(_device_plan(device, gateway, pace, turnround_s) for device in bus.devices)
    return BusPlan(bus.id, speed, devices)


def _device_plan(device: ModbusDevice, gateway: Gateway, pace: Pace, turnround_s: float) -> DevicePlan:
    profile = gateway.profiles[device.profile]
    gap_s, blocks = profile.link.min_gap_ms / 1000, plan_blocks(profile)
    every_cycle = [block for block in blocks if not block.period.at_least_s]
    share = sum(
        _read_s(block, pace, gap_s, turnround_s) / max(device.period_s, block.period.at_least_s) for block in blocks
    )
    return DevicePlan(
        device.id,
        len(blocks),
        sum(_characters(block) for block in every_cycle),
        sum(_read_s(block, pace, gap_s, turnround_s) for block in every_cycle),
        device.period_s,
        share,
    )


def _characters(block: ReadBlock) -> int:
    return REQUEST_CHARACTERS + answer_bytes(block)


def _read_s(block: ReadBlock, pace: Pace, gap_s: float, turnround_s: float) -> float:
    return pace.transaction_s(answer_bytes(block)) + max(0.0, gap_s - pace.silence_s) + turnround_s


def _seconds(value: float) -> str:
    return f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def table(plan: BusPlan) -> list[Sequence[str]]:
    """Rows for people: head first, then a device each, then the sum."""
    rows: list[Sequence[str]] = [("device", "reads", "characters", "ms a cycle", "period s", "share")]
    rows += [
        (
            one.device,
            str(one.blocks),
            str(one.characters),
            f"{one.cycle_s * 1000:.1f}",
            f"{one.period_s:g}",
            f"{one.share:.1%}",
        )
        for one in plan.devices
    ]
    rows.append(
        (
            "all",
            str(sum(one.blocks for one in plan.devices)),
            str(sum(one.characters for one in plan.devices)),
            f"{sum(one.cycle_s for one in plan.devices) * 1000:.1f}",
            "",
            f"{plan.load:.1%}",
        )
    )
    return rows
