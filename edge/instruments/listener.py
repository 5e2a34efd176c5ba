"""From settings to serial instruments: scales and tag readers, each on a port of its own.

The driver (edge/drivers) turns bytes into frames; scale.py and tag_reader.py turn frames into entries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from edge.config import Gateway, SerialBus, timeout_s_of
from edge.drivers.frames import Conversation
from edge.drivers.registry import make_decoder
from edge.drivers.transport import StreamSettings
from edge.instruments.conversing_reader import ConversingReader
from edge.instruments.instrument import Instrument, Sink, Wiring
from edge.instruments.scale import Scale
from edge.instruments.tag_reader import TagReader
from edge.lines.bus import Port
from edge.profiles.profile_types import DeviceClass


def make_instrument(
    settings: SerialBus,
    gateway: Gateway,
    index_of: Mapping[tuple[str, str], int],
    sink: Sink,
    now_ms: Callable[[], int],
) -> Instrument:
    """`index_of` gives the wire's index of (device id, point key)."""
    device = settings.devices[0]
    profile = gateway.profiles[device.profile]
    decoder, _ = make_decoder(profile.driver or "", {**profile.params, **device.params})
    wiring = Wiring(
        name=device.id,
        port=Port(settings.id, StreamSettings(settings.port, settings.baud, settings.format)),
        decoder=decoder,
        period_s=device.period_s,
        timeout_s=timeout_s_of(device, profile),
        sink=sink,
        now_ms=now_ms,
    )
    if profile.meta.device_class is DeviceClass.RFID_READER:
        tag, health = index_of[device.id, "tag"], index_of[device.id, "health"]
        if isinstance(decoder, Conversation):
            return ConversingReader(wiring, decoder, tag=tag, health=health)
        return TagReader(wiring, tag=tag, health=health)
    point = profile.points[0]
    min_weight = None if device.min_weight is None else Decimal(device.min_weight)
    return Scale(wiring, weight=index_of[device.id, point.key], unit=point.unit.value, min_weight=min_weight)
