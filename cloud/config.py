"""The cloud's settings: read once, into types, before anything is opened.

listen: {host: 127.0.0.1, port: 8080}
broker: {host: 127.0.0.1, port: 1883}
database: sqlite:///coldlink.db
shards: [s0]
enrolment: open            # or `listed`, with the gateways below
gateways:
  - {id: gw-01, public_key: 3b6a27bc...}
site: binh-minh.site.yaml
food_plan: binh-minh.food.yaml
trace: binh-minh.trace.yaml
language: vi
"""

import ipaddress
from pathlib import Path
from typing import Literal

import msgspec

from ground import configfile
from ground.configfile import ConfigError
from ground.mqtt import BrokerSettings
from wire.batch import is_gateway_name
from wire.signature import KEY_BYTES
from wire.topics import is_shard_name


class Listen(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Where pages and API are served; port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: int = 8080


class ListedGateway(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A gateway that may deliver, with its Ed25519 public key in hex (`coldlink edge check` prints it)."""

    id: str
    public_key: str


class CloudConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """All there is to set. Paths are relative to the file that names them."""

    listen: Listen = msgspec.field(default_factory=Listen)
    broker: BrokerSettings = msgspec.field(default_factory=BrokerSettings)
    database: str = "sqlite:///coldlink.db"
    shards: tuple[str, ...] = ("s0",)
    enrolment: Literal["open", "listed"] = "open"
    gateways: tuple[ListedGateway, ...] = ()
    site: str | None = None
    food_plan: str | None = None
    trace: str | None = None
    language: Literal["vi", "en"] = "vi"

    @property
    def listed(self) -> dict[str, bytes] | None:
        """The only gateways there are; None when any may enrol by saying hello."""
        if self.enrolment == "open":
            return None
        return {gateway.id: bytes.fromhex(gateway.public_key) for gateway in self.gateways}


def load(path: Path) -> CloudConfig:
    """Raises ConfigError, which names file, key, value and what would be right."""
    config = configfile.load(path, CloudConfig)
    _check(config, path)
    return msgspec.structs.replace(
        config,
        database=_beside(config.database, path),
        site=None if config.site is None else str(path.parent / config.site),
        food_plan=None if config.food_plan is None else str(path.parent / config.food_plan),
        trace=None if config.trace is None else str(path.parent / config.trace),
    )


def _check(config: CloudConfig, path: Path) -> None:
    if not is_loopback(config.listen.host):
        raise ConfigError(
            path,
            f"{config.listen.host!r} is not this machine alone, and there is no authentication yet: "
            "anyone who reaches it could read everything and acknowledge alarms",
            key="listen.host",
            hint="use 127.0.0.1, and a reverse proxy with authentication for others",
        )
    if not 0 <= config.listen.port <= 65535:
        raise ConfigError(path, f"{config.listen.port} is no port", key="listen.port", hint="0 to 65535")
    if config.enrolment == "open" and not is_loopback(config.broker.host):
        raise ConfigError(
            path,
            f"open, with a broker at {config.broker.host!r} that others can reach",
            key="enrolment",
            hint="use `listed` and name the gateways with their keys",
        )
    if config.enrolment == "open" and config.gateways:
        raise ConfigError(path, "gateways are listed but anyone may enrol", key="enrolment", hint="use `listed`")
    if not config.shards or not all(map(is_shard_name, config.shards)):
        raise ConfigError(
            path, f"{list(config.shards)!r}", key="shards", hint="at least one, of a-z, 0-9 and -, such as s0"
        )
    for index, gateway in enumerate(config.gateways):
        _check_gateway(gateway, f"gateways[{index}]", path)
    if len({gateway.id for gateway in config.gateways}) != len(config.gateways):
        raise ConfigError(path, "a gateway is listed twice", key="gateways")


def _check_gateway(gateway: ListedGateway, key: str, path: Path) -> None:
    if not is_gateway_name(gateway.id):
        raise ConfigError(path, f"{gateway.id!r}", key=f"{key}.id", hint="1 to 63 of a-z, 0-9, - and _")
    try:
        size = len(bytes.fromhex(gateway.public_key))
    except ValueError:
        size = 0
    if size != KEY_BYTES:
        raise ConfigError(
            path, f"{gateway.public_key!r}", key=f"{key}.public_key", hint=f"{2 * KEY_BYTES} hex digits (Ed25519)"
        )


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _beside(database: str, path: Path) -> str:
    """A relative SQLite file lies beside the settings, wherever the program was started."""
    prefix = "sqlite:///"
    if not database.startswith(prefix):
        return database
    return prefix + str((path.parent / database.removeprefix(prefix)).resolve())
