"""The plant's YAML: what ships is right, and a mistake is named."""

from pathlib import Path

import pytest

from ground.configfile import ConfigError
from simulator.plan import climate_of, load_plan

PLANTS = Path(__file__).parents[3] / "firmware-config" / "plants"

SMALL = """
plant: small
name: {vi: Nhỏ, en: Small}
zones:
  - {id: a, name: {vi: A, en: A}, climate: cold_store}
buses:
  - id: tcp
    kind: modbus_tcp
    devices: [{id: a-probe, profile: generic-xy-md02, zone: a, unit_id: 1}]
"""


@pytest.mark.parametrize("path", sorted(PLANTS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_plant_that_ships_can_be_read(path):
    assert load_plan(path).devices()


def test_a_repeated_bus_becomes_many():
    plan = load_plan(PLANTS / "counters.yaml")
    assert [bus.id for bus in plan.buses][:2] == ["tcp-1", "tcp-2"]
    assert len({device.id for device in plan.devices()}) == 100


def test_a_zone_may_have_a_setpoint_of_its_own(tmp_path):
    plan = read(tmp_path, SMALL.replace("climate: cold_store", "climate: cold_store, setpoint: -25"))
    climate = climate_of(plan.zones[0])
    assert (climate.setpoint_celsius, climate.evaporator_celsius) == (-25, -35.5)


def read(folder, text):
    path = folder / "plant.yaml"
    path.write_text(text)
    return load_plan(path)


@pytest.mark.parametrize(
    ("old", "new", "key", "word"),
    [
        ("climate: cold_store", "climate: arctic", "zones.a.climate", "cold_store"),
        ("zone: a, unit_id: 1", "zone: b, unit_id: 1", "buses.tcp.devices.a-probe.zone", "`b` is unknown"),
        (", unit_id: 1", "", "buses.tcp.devices.a-probe.unit_id", "missing"),
        ("generic-xy-md02", "generic-xy-md03", "buses.tcp.devices.a-probe.profile", "generic-xy-md02"),
        ("kind: modbus_tcp", "kind: modbus_rtu", "buses.tcp.tty", "missing"),
        ("id: a-probe,", "id: a,", "devices and zones", "`a` stands twice"),
        ("unit_id: 1}]", "unit_id: 1}, {id: b, profile: generic-xy-md02, zone: a, unit_id: 1}]", "unit_id", "twice"),
        ("plant: small", "plant: small\nspeed: 3", "speed", "unknown key"),
        ("unit_id: 1", "unit_id: 300", "unit_id", "300"),
        ("plant: small", "plant: small\nscript: [{at_s: 1, fault: dead, target: x}]", "script[0].target", "neither"),
        ("plant: small", "plant: small\nscript: [{at_s: 1, fault: dead, target: a}]", "script[0].fault", "door-open"),
    ],
)
def test_a_mistake_is_named(tmp_path, old, new, key, word):
    with pytest.raises(ConfigError) as error:
        read(tmp_path, SMALL.replace(old, new))
    assert key in error.value.key
    assert word in str(error.value)
