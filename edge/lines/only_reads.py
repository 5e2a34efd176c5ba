"""Tells a frame that only asks from one that changes something; commissioning sends the others only when allowed to."""

from __future__ import annotations

# Modbus application protocol V1.1b3: coils, inputs, registers; exception status, event counter and log, server id.
_ASKING = frozenset((1, 2, 3, 4, 7, 11, 12, 17))
_ENCAPSULATED, _DEVICE_IDENTIFICATION = 43, 14


def only_reads(frame: bytes, *, is_tcp: bool) -> bool:
    """Whether this RTU or TCP frame cannot change anything in any device. A broadcast is never answered, nor needed."""
    unit_at = 6 if is_tcp else 0
    if len(frame) < unit_at + 2 or frame[unit_at] == 0:
        return False
    function = frame[unit_at + 1]
    if function == _ENCAPSULATED:
        return frame[unit_at + 2 : unit_at + 3] == bytes((_DEVICE_IDENTIFICATION,))
    return function in _ASKING
