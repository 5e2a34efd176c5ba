"""A gateway's settings are taken as they stand, or refused with file, key, value and what would be right."""

import re
from pathlib import Path

import pytest

from edge.config import LiveSettings, ModbusRtuBus, check
from edge.profiles.profile import profiles_dir
from ground.configfile import ConfigError

GOOD = """\
gateway: gw-01
broker: {host: 127.0.0.1, port: 1883}
buses:
  - id: line-1
    kind: modbus_rtu
    port: /dev/serial/by-id/usb-x
    devices:
      - {id: kho-lanh-a-probe, profile: generic-xy-md02, unit_id: 1, period_s: 1}
      - {id: kho-lanh-b-probe, profile: generic-xy-md02, unit_id: 2, period_s: 1}
  - id: hall
    kind: modbus_tcp
    host: 10.0.0.5
    devices:
      - {id: kho-mat-1-controller, profile: generic-refrigeration-controller}
  - id: scale
    kind: serial
    port: /dev/serial/by-id/usb-y
    devices: [{id: dong-goi-scale, profile: mettler-mt-sics}]
"""


@pytest.fixture
def settings(tmp_path):
    def write(text: str) -> Path:
        path = tmp_path / "gw.yaml"
        path.write_text(text)
        return path

    return write


def test_good_settings_give_buses_profiles_and_points(settings):
    gateway = check(settings(GOOD))
    assert [bus.id for bus in gateway.config.buses] == ["line-1", "hall", "scale"]
    assert isinstance(gateway.config.buses[0], ModbusRtuBus)
    assert gateway.config.live == LiveSettings(every_ms=250)
    assert [(point.device, point.key, point.unit) for point in gateway.points()][:3] == [
        ("kho-lanh-a-probe", "temperature", "Cel"),
        ("kho-lanh-a-probe", "humidity", "%"),
        ("kho-lanh-b-probe", "temperature", "Cel"),
    ]
    assert ("kho-mat-1-controller", "status.door_open") in [(point.device, point.key) for point in gateway.points()]


def test_live_can_be_off_without_quotes(settings):
    assert check(settings(GOOD + "live: off\n")).config.live == "off"


def test_the_example_of_the_documentation_is_right():
    check(profiles_dir().parent / "sites" / "binh-minh.gateway.yaml")


def test_own_profiles_replace_those_that_come_with_it(settings, tmp_path):
    with pytest.raises(ConfigError, match="there is no profile 'generic-xy-md02'"):
        check(settings(GOOD + f"profiles_dir: {tmp_path}\n"))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("gateway: gw-01", "gateway: GW 01", r"gateway: 'GW 01' is not right"),
        ("gateway: gw-01\n", "", "key `gateway` is missing"),
        ("    port: /dev/serial/by-id/usb-x", "    prot: /x", r"buses\[0\].prot: unknown key; did you mean `port`"),
        ("port: /dev/serial/by-id/usb-x", "port: ttyUSB0", r"buses\[0\].port: 'ttyUSB0' is not right"),
        ("kind: modbus_tcp", "kind: modbus_udp", r"buses\[1\]"),
        ("port: 1883", "port: MQTT", r"broker.port: 'MQTT' is not right"),
        (
            "profile: generic-xy-md02, unit_id: 1",
            "profile: generic-xy-md2, unit_id: 1",
            r"buses\[0\].devices\[0\].profile: there is no profile 'generic-xy-md2'; did you mean `generic-xy-md02`",
        ),
        ("id: kho-lanh-b-probe", "id: kho-lanh-a-probe", "device 'kho-lanh-a-probe' stands twice"),
        ("id: kho-lanh-b-probe", "id: gateway", "'gateway' is taken"),
        ("id: hall", "id: line-1", r"buses\[1\].id: bus 'line-1' stands twice; the first is buses\[0\].id"),
        (
            "port: /dev/serial/by-id/usb-y",
            "port: /dev/serial/by-id/usb-x",
            "port '/dev/serial/by-id/usb-x' stands twice",
        ),
        ("unit_id: 2", "unit_id: 1", "unit id 1 is taken by 'kho-lanh-a-probe'"),
        ("unit_id: 2", "unit_id: 250", "250 is impossible for 'generic-xy-md02'; 1 to 247"),
        ("unit_id: 2, period_s: 1", "unit_id: 2, period_s: 0.02", r"0.02 s is wanted, 0.03 s are needed on the wire"),
        ("unit_id: 2, period_s: 1", "unit_id: 2, period_s: 0.001", r"period_s: 0.001 is not right"),
        ("unit_id: 1, period_s: 1", "unit_id: 1, period_s: 0.0251", "the line would be busy"),
        ("kind: modbus_rtu", "kind: modbus_rtu\n    baud: 38400", "cannot speak at 38400; one of 9600, 14400, 19200"),
        ("kind: modbus_rtu", 'kind: modbus_rtu\n    format: "8E1"', "cannot speak 8E1; one of 8N1"),
        ("kind: modbus_rtu", "kind: modbus_rtu\n    format: 8E1", 'write it in quotes, e.g. "8E1"'),
        (
            "profile: mettler-mt-sics",
            "profile: generic-xy-md02",
            "speaks Modbus; it belongs on a bus of kind modbus_rtu",
        ),
        ("profile: generic-refrigeration-controller", "profile: mettler-mt-sics", "it belongs on a bus of kind serial"),
        (
            "profile: mettler-mt-sics",
            "profile: mettler-mt-sics, params: {mask_bit7: 3}",
            "params.mask_bit7: 3 is not right",
        ),
        ("profile: mettler-mt-sics", "profile: mettler-mt-sics, params: {unti: kg}", "mt_sics has no option 'unti'"),
        ("profile: mettler-mt-sics", "profile: mettler-mt-sics, unit_id: 3", r"unit_id: unknown key"),
        ("profile: mettler-mt-sics", "profile: mettler-mt-sics, min_weight: 0.5", r"min_weight: 0.5 is not right"),
    ],
)
def test_a_mistake_is_refused_and_explained(settings, old, new, said):
    assert old in GOOD
    with pytest.raises(ConfigError) as caught:
        check(settings(GOOD.replace(old, new, 1)))
    assert "gw.yaml" in str(caught.value)
    assert re.search(said, str(caught.value)), str(caught.value)
