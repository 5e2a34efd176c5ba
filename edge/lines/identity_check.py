"""Is the device that answers the model that the settings name? Its telltale registers say so."""

from __future__ import annotations

import enum

from edge.drivers.modbus import Request, read_request
from edge.profiles.blocks import width
from edge.profiles.profile_types import Identify, Point, parse_type


class Identity(enum.StrEnum):
    UNKNOWN = "unknown"
    RIGHT = "right"
    WRONG_MODEL = "wrong_model"


def identify_request(unit_id: int, telltale: Identify) -> Request:
    size = width(Point(key="telltale", table=telltale.table, type=telltale.type))
    return read_request(unit_id, telltale.table.read_function, telltale.address, size)


def is_telltale(telltale: Identify, payload: bytes) -> bool:
    """Whether the register says what this model would say."""
    if telltale.table.is_bits:
        raw = payload[0] & 1
    else:
        kind = parse_type(telltale.type)
        raw = int.from_bytes(payload[: 2 * kind.registers], signed=kind.is_signed)
    return (raw if telltale.mask is None else raw & telltale.mask) in telltale.equals
