"""The settings files of the demo, written as a user would write them; they stay in the data folder to look at."""

from __future__ import annotations

import getpass
import re
from pathlib import Path
from typing import Any

import yaml

GATEWAY = "gw-01"
_PERIOD_S = {"modbus_tcp": 1.0, "modbus_rtu": 2.0, "serial": 1.0}
_ROOMS_ARE_QUICKER = 30
_LEAST_ON_DELAY_S = 30


def firmware_config() -> Path:
    """In a checkout beside the packages, in an installed wheel inside `edge`."""
    import edge

    inside = Path(edge.__file__).parent / "firmware-config"
    return inside if inside.is_dir() else Path(edge.__file__).parents[1] / "firmware-config"


def write_broker(path: Path, port: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    user = getpass.getuser()  # whoever runs the demo: a broker that becomes somebody else may not read its own files
    path.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nuser {user}\n"
        "persistence false\nmax_queued_messages 10000\nset_tcp_nodelay true\nlog_dest stderr\n"
    )
    return path


def write_site(path: Path, source: Path) -> Path:
    """The example site with delays as much shorter as the simulated rooms are quicker."""
    text = "".join(_quicker(line) for line in source.read_text().splitlines(keepends=True))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def _quicker(line: str) -> str:
    if "key: defrost-missing" in line:  # defrosts are as far apart as in real rooms, only shorter
        return line
    line = re.sub(r"(on_delay_s|defrost|door|maintenance): (\d+)", lambda m: f"{m[1]}: {_shorter(int(m[2]))}", line)
    return re.sub(r"degree_minutes: (\d+)", lambda m: f"degree_minutes: {int(m[1]) // _ROOMS_ARE_QUICKER}", line)


def _shorter(on_delay_s: int) -> int:
    return max(_LEAST_ON_DELAY_S, on_delay_s // _ROOMS_ARE_QUICKER)


def write_cloud(path: Path, *, page_port: int, broker_port: int, site: Path) -> Path:
    return _write(
        path,
        {
            "listen": {"host": "127.0.0.1", "port": page_port},
            "broker": {"host": "127.0.0.1", "port": broker_port},
            "database": "sqlite:///coldlink.db",
            "enrolment": "open",
            "site": site.name,
            "food_plan": str(firmware_config() / "sites" / "binh-minh.food.yaml"),
            "trace": str(firmware_config() / "sites" / "binh-minh.trace.yaml"),
        },
    )


def write_gateway(path: Path, *, broker_port: int, endpoints: dict[str, Any], clock: str = "system") -> Path:
    """A gateway for the plant that says it can be reached at `endpoints`."""
    return _write(
        path,
        {
            "gateway": GATEWAY,
            "broker": {"host": "127.0.0.1", "port": broker_port},
            "data_dir": str(path.parent / "data"),
            "flush_s": 2,
            "clock": clock,
            "buses": [_bus(bus) for bus in endpoints["buses"]],
        },
    )


def _bus(endpoint: dict[str, Any]) -> dict[str, Any]:
    kind = endpoint["kind"]
    bus: dict[str, Any] = {"id": endpoint["id"], "kind": kind}
    if kind == "modbus_tcp":
        bus |= {"host": endpoint["host"], "port": endpoint["port"]}
    else:
        bus |= {"port": endpoint["tty"], "baud": endpoint["baud"], "format": endpoint["format"]}
    return bus | {"devices": [_device(device, _PERIOD_S[kind]) for device in endpoint["devices"]]}


def _device(device: dict[str, Any], period_s: float) -> dict[str, Any]:
    found = {"id": device["id"], "profile": device["profile"], "period_s": period_s}
    return found if device["unit_id"] is None else found | {"unit_id": device["unit_id"]}


def _write(path: Path, settings: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True))
    return path
