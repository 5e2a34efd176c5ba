"""docs/configuration.md says what the program takes: every key, no other, and the right defaults."""

import enum
import re
from pathlib import Path

import msgspec
import pytest

from cloud.config import CloudConfig, ListedGateway, Listen
from edge.config import (
    BufferSettings,
    EdgeConfig,
    LiveSettings,
    ModbusDevice,
    ModbusRtuBus,
    ModbusTcpBus,
    SerialBus,
    SerialDevice,
)
from ground.mqtt import BrokerSettings

DOCUMENT = Path(__file__).parents[2] / "docs" / "configuration.md"
SECTIONS = {
    "Gateway": EdgeConfig,
    "Broker": BrokerSettings,
    "Live": LiveSettings,
    "Buffer": BufferSettings,
    "Bus: modbus_rtu": ModbusRtuBus,
    "Bus: modbus_tcp": ModbusTcpBus,
    "Bus: serial": SerialBus,
    "Modbus device": ModbusDevice,
    "Serial device": SerialDevice,
    "Cloud": CloudConfig,
    "Listen": Listen,
    "Listed gateway": ListedGateway,
}


def rows(section: str) -> dict[str, str]:
    text = DOCUMENT.read_text("utf-8").split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0]
    return dict(re.findall(r"^\| `([^`]+)` \| ([^|]+) \| [^|]+ \|$", text, re.MULTILINE))


def default_in_words(field) -> str:
    if field.required:
        return "required"
    default = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    if isinstance(default, msgspec.Struct):
        return f"see {field.name.capitalize()}"
    if default in (None, {}, ()):
        return "none"
    if isinstance(default, tuple):
        return f"`[{', '.join(default)}]`"
    return f"`{default.value if isinstance(default, enum.Enum) else default}`"


@pytest.mark.parametrize("section", SECTIONS)
def test_every_key_is_described_with_its_default(section):
    documented = rows(section)
    fields = {field.encode_name: default_in_words(field) for field in msgspec.structs.fields(SECTIONS[section])}
    assert documented == fields


def test_no_section_describes_what_is_not_there():
    headings = re.findall(r"^## (.+)$", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    assert set(headings) == set(SECTIONS)
