"""What a profile file may say, as types. `edge.profiles.profile_rules` holds what types cannot say."""

from __future__ import annotations

import enum
import re
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import UNSET, Meta, UnsetType

Slug = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=64)]
PointKey = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*$", max_length=48)]
Address = Annotated[int, Meta(ge=0, le=0xFFFF)]
Decimal = Annotated[str, Meta(pattern=r"^[-+]?[0-9]+(\.[0-9]+)?(/[1-9][0-9]*)?$")]
Hex = Annotated[str, Meta(pattern=r"^([0-9a-fA-F]{2})*$")]
Bit = Annotated[int, Meta(ge=0, le=63)]


class DeviceClass(enum.StrEnum):
    TEMPERATURE = "temperature"
    TEMPERATURE_HUMIDITY = "temperature_humidity"
    REFRIGERATION_CONTROLLER = "refrigeration_controller"
    ENERGY_METER = "energy_meter"
    DIGITAL_IO = "digital_io"
    WEIGHING_TRANSMITTER = "weighing_transmitter"
    SCALE = "scale"
    RFID_READER = "rfid_reader"
    TEST_EQUIPMENT = "test_equipment"


class Status(enum.StrEnum):
    DRAFT = "draft"
    DOC_ONLY = "doc_only"
    BENCH_TESTED = "bench_tested"
    FIELD_PROVEN = "field_proven"


class Unit(enum.StrEnum):
    """Units a point may have, in UCUM spelling where that is short."""

    ONE = "1"
    CELSIUS = "degC"
    FAHRENHEIT = "degF"
    KELVIN = "K"
    RELATIVE_HUMIDITY = "%RH"
    PERCENT = "%"
    GRAM = "g"
    KILOGRAM = "kg"
    TONNE = "t"
    BAR = "bar"
    KILOPASCAL = "kPa"
    VOLT = "V"
    AMPERE = "A"
    WATT = "W"
    KILOWATT = "kW"
    VOLT_AMPERE = "VA"
    REACTIVE_VOLT_AMPERE = "var"
    WATT_HOUR = "Wh"
    KILOWATT_HOUR = "kWh"
    HERTZ = "Hz"
    MILLISECOND = "ms"
    SECOND = "s"
    MINUTE = "min"
    HOUR = "h"
    PPM = "ppm"


class Table(enum.StrEnum):
    COIL = "coil"
    DISCRETE = "discrete"
    INPUT = "input"
    HOLDING = "holding"

    @property
    def is_bits(self) -> bool:
        return self in (Table.COIL, Table.DISCRETE)

    @property
    def read_function(self) -> int:
        return _READ_FUNCTION[self]


_READ_FUNCTION = {Table.COIL: 1, Table.DISCRETE: 2, Table.HOLDING: 3, Table.INPUT: 4}


class Order(enum.StrEnum):
    BIG = "big"
    LITTLE = "little"


class Period(enum.StrEnum):
    """How often a point is read: each cycle of the device, or at least so many seconds apart."""

    FAST = "fast"
    NORMAL = "normal"
    SLOW = "slow"
    ON_CONNECT = "on_connect"

    @property
    def at_least_s(self) -> float:
        return _AT_LEAST_S[self]


# A setpoint is worth a look every 10 minutes (tampering); the rest of the slow world changes within seconds.
_AT_LEAST_S = {Period.FAST: 0.0, Period.NORMAL: 10.0, Period.SLOW: 600.0, Period.ON_CONNECT: float("inf")}


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: str
    kind: Literal["manual", "repository", "capture", "standard", "survey", "own"]
    ref: str
    verified: bool = False


class About(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: Slug
    vendor: str
    model: str
    aliases: tuple[str, ...] = ()
    device_class: DeviceClass = msgspec.field(name="class")
    firmware: str | None = None
    status: Status
    note: str | None = None
    sources: tuple[Source, ...]


class Serial(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    baud: Annotated[int, Meta(ge=300, le=4_000_000)] = 9600
    parity: Literal["N", "E", "O"] = "N"
    stop: Literal[1, 2] = 1
    allowed_baud: tuple[int, ...] = ()
    allowed_formats: tuple[str, ...] = ()


class UnitIds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Unit ids the device can have; a few makers use the reserved 248 to 255."""

    default: Annotated[int, Meta(ge=0, le=255)] = 1
    min: Annotated[int, Meta(ge=0, le=255)] = 1
    max: Annotated[int, Meta(ge=0, le=255)] = 247


class Functions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    read: tuple[Literal[1, 2, 3, 4], ...] = (1, 2, 3, 4)
    write: tuple[Literal[5, 6, 15, 16], ...] = ()


class Link(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    transport: Literal["modbus_rtu", "modbus_tcp", "modbus_rtu_over_tcp", "serial"]
    serial: Serial = Serial()
    unit: UnitIds = UnitIds()
    timeout_ms: Annotated[int, Meta(ge=10, le=60_000)] = 500
    min_gap_ms: Annotated[int, Meta(ge=0, le=10_000)] = 0
    max_read_registers: Annotated[int, Meta(ge=1, le=125)] = 16
    max_read_bits: Annotated[int, Meta(ge=1, le=2000)] = 16
    max_hole: Annotated[int, Meta(ge=0, le=125)] = 0
    functions: Functions = Functions()


class Identify(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    table: Table
    address: Address
    type: str
    mask: int | None = None
    equals: tuple[int, ...]


class Block(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    table: Table
    address: Address
    count: Annotated[int, Meta(ge=1, le=2000)]


class Invalid(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A raw value, or an inclusive range of them, that means "no value" and why."""

    raw: int | tuple[int, int] | UnsetType = UNSET
    nan: bool = False
    reason: PointKey


class QualityFrom(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Quality taken from the raw value of another point; `flag` shows the match as a point of its own."""

    point: PointKey
    mask: int | None = None
    equals: int | tuple[int, ...]
    quality: Literal["good", "uncertain", "bad"]
    reason: PointKey | None = None
    flag: PointKey | None = None


class ScaleFrom(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    point: PointKey
    map: dict[int, Decimal]


class Flag(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bits of a status word; they become the point `<point>.<flag>`."""

    bit: Bit | None = None
    bits: tuple[Bit, Bit] | None = None
    active: Literal[0, 1] | None = None
    enum: dict[int, str] = {}


class Range(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    min: int | float
    max: int | float


class Write(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    function: Literal[5, 6, 15, 16]
    idempotent: bool
    readback: bool = True
    safe_state: str | None = None
    min_interval_ms: Annotated[int, Meta(ge=0)] = 0


class Point(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    key: PointKey
    table: Table | None = None
    address: Address = 0
    type: str = ""
    word_order: Order | None = None
    byte_order: Order = Order.BIG
    scale: Decimal | None = None
    scale_from: ScaleFrom | None = None
    offset: Decimal = "0"
    resolution: Decimal | None = None
    unit: Unit = Unit.ONE
    quantity: PointKey | None = None
    range: Range | None = None
    invalid: tuple[Invalid, ...] = ()
    quality_from: tuple[QualityFrom, ...] = ()
    no_fault_indication: str | None = None
    flags: dict[PointKey, Flag] = {}
    period: Period = Period.FAST
    atomic_group: PointKey | None = None
    access: Literal["r", "rw"] = "r"
    write: Write | None = None
    source: str | None = None

    @property
    def value_type(self) -> ValueType:
        return parse_type(self.type)


class Unlock(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    table: Table
    address: Address
    value: int


class SetupItem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something an operator may set at commissioning; nothing here is ever written by itself."""

    key: PointKey
    title: dict[str, str]
    table: Table
    address: Address
    type: str
    min: int | None = None
    max: int | None = None
    map: dict[int, str] = {}
    effect: Literal["none", "reconnect", "power_cycle"]
    storage: Literal["eeprom", "ram"] = "eeprom"
    confirm: Literal["operator", "two_persons"] = "operator"
    only_one_on_bus: bool = False
    unlock: Unlock | None = None
    function: Literal[5, 6, 15, 16] = 6


class AlarmHint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a site may want to be alarmed by; a suggestion to its rules, not a rule."""

    point: str
    key: PointKey
    severity: Literal["info", "warning", "critical"]
    delay_s: Annotated[int, Meta(ge=0)] = 0


class Expected(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a golden frame must say about one point when it is more than a good value."""

    value: str | None = None
    quality: Literal["good", "uncertain", "bad"] = "good"
    reason: str | None = None


class Exchange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    request: Hex
    response: Hex


class GoldenTest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Recorded bytes and what they must decode to; `more` are the other reads of the same cycle, read before."""

    request: Hex = ""
    response: Hex
    more: tuple[Exchange, ...] = ()
    expect: dict[str, str | Expected]
    origin: Literal["published", "captured", "computed"]


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    profile_version: Literal[1]
    meta: About
    link: Link
    driver: str | None = None
    params: dict[str, Any] = {}
    identify: tuple[Identify, ...] = ()
    blocks: tuple[Block, ...] = ()
    points: tuple[Point, ...] = ()
    setup: tuple[SetupItem, ...] = ()
    manual_steps: tuple[dict[str, str], ...] = ()
    alarms: tuple[AlarmHint, ...] = ()
    tests: tuple[GoldenTest, ...] = ()

    @property
    def is_modbus(self) -> bool:
        return self.link.transport != "serial"


class ValueType(NamedTuple):
    """`name` as in the profile, its size, and the struct letter that unpacks it when big-endian."""

    name: str
    size: int
    letter: str
    is_signed: bool = False
    is_float: bool = False

    @property
    def registers(self) -> int:
        return (self.size + 1) // 2


_TYPES = {
    kind.name: kind
    for kind in (
        ValueType("bool", 2, "H"),
        ValueType("u8", 1, "B"),
        ValueType("s8", 1, "b", is_signed=True),
        ValueType("u16", 2, "H"),
        ValueType("s16", 2, "h", is_signed=True),
        ValueType("u32", 4, "I"),
        ValueType("s32", 4, "i", is_signed=True),
        ValueType("u64", 8, "Q"),
        ValueType("s64", 8, "q", is_signed=True),
        ValueType("f32", 4, "f", is_signed=True, is_float=True),
        ValueType("f64", 8, "d", is_signed=True, is_float=True),
        ValueType("bcd16", 2, "H"),
        ValueType("bcd32", 4, "I"),
    )
}
TYPE_NAMES = (*_TYPES, "ascii(n)")
_ASCII = re.compile(r"^ascii\(([1-9][0-9]{0,2})\)$")


def parse_type(text: str) -> ValueType:
    """`s16`, `f32`, `ascii(12)` ... Raises ValueError."""
    if text in _TYPES:
        return _TYPES[text]
    if (match := _ASCII.match(text)) and int(match[1]) <= 250:
        size = int(match[1])
        return ValueType("ascii", size, f"{size}s")
    raise ValueError(text)
