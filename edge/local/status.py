"""How the agent and its lines are doing right now, device by device; what the control socket tells."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from edge.instruments.instrument import Instrument
from edge.lines.bus import Port, Statistics
from edge.lines.poller import PolledDevice, Poller
from edge.lines.suspicion import ADVICE


class DeviceStatus(msgspec.Struct, frozen=True, kw_only=True):
    device: str
    unit_id: int | None
    state: str  # online, failing, offline; silent for a scale or reader
    answer_ms: float
    longest_ms: float
    requests: int
    answers: int
    timeouts: int
    checksum_errors: int
    exceptions: int
    retries: int
    late_answers: int
    second_answers: int
    missed_cycles: int
    share: float  # of the line's time
    faults: tuple[str, ...] = ()  # what a person has to look at


class BusStatus(msgspec.Struct, frozen=True, kw_only=True):
    bus: str
    line: str
    is_open: bool
    why_down: str
    load: float
    devices: tuple[DeviceStatus, ...]


class AgentStatus(msgspec.Struct, frozen=True, kw_only=True, tag="status"):
    gateway: str
    uptime_s: float
    buses: tuple[BusStatus, ...]


def agent_status(gateway: str, instruments: Sequence[Poller | Instrument], uptime_s: float) -> AgentStatus:
    buses = tuple(
        _polled(one, uptime_s) if isinstance(one, Poller) else _listened(one, uptime_s) for one in instruments
    )
    return AgentStatus(gateway=gateway, uptime_s=round(uptime_s, 1), buses=buses)


def _polled(poller: Poller, uptime_s: float) -> BusStatus:
    devices = tuple(_polled_device(device, poller, uptime_s) for device in poller.devices)
    return _bus(poller.bus.port, devices)


def _listened(instrument: Instrument, uptime_s: float) -> BusStatus:
    state = "silent" if instrument.is_silent else "online"
    return _bus(instrument.port, (_device(instrument.name, None, state, instrument.statistics, uptime_s),))


def _bus(port: Port, devices: tuple[DeviceStatus, ...]) -> BusStatus:
    return BusStatus(
        bus=port.name,
        line=port.url,
        is_open=port.stream is not None,
        why_down="" if port.stream is not None else port.why_down,
        load=round(sum(device.share for device in devices), 4),
        devices=devices,
    )


def _polled_device(device: PolledDevice, poller: Poller, uptime_s: float) -> DeviceStatus:
    name = device.unit.name
    state = "offline" if device.is_offline else "online" if device.is_well else "failing"
    faults = [f"does not give {points} ({reason})" for points, reason in device.faults]
    if name in poller.suspicions:
        faults.append(ADVICE[poller.suspicions[name]])
    if device.is_another_model:
        faults.append("is not the model that its profile describes")
    told = _device(name, device.unit.unit_id, state, device.unit.statistics, uptime_s)
    return msgspec.structs.replace(told, faults=tuple(faults))


def _device(name: str, unit_id: int | None, state: str, line: Statistics, uptime_s: float) -> DeviceStatus:
    return DeviceStatus(
        device=name,
        unit_id=unit_id,
        state=state,
        answer_ms=round(line.answer_s * 1000, 1),
        longest_ms=round(line.longest_answer_s * 1000, 1),
        requests=line.requests,
        answers=line.answers,
        timeouts=line.timeouts,
        checksum_errors=line.checksum_errors,
        exceptions=line.exceptions,
        retries=line.retries,
        late_answers=line.late_answers,
        second_answers=line.second_answers,
        missed_cycles=line.missed_cycles,
        share=round(line.busy_s / uptime_s, 4) if uptime_s > 0 else 0.0,
    )
