"""The site description: which zones there are, what is installed in them, and which limits hold. YAML, read once."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from ground.configfile import ConfigError, load

Slug = Annotated[str, msgspec.Meta(pattern="^[a-z0-9][a-z0-9_.-]{0,63}$", max_length=64)]
PointName = Annotated[str, msgspec.Meta(pattern="^[^/]+/[^/]+/[^/]+$")]
Seconds = Annotated[int, msgspec.Meta(ge=0, le=7 * 86_400)]


class Name(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    vi: str
    en: str


class LimitEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A limit of one zone; a change makes a new version, valid from the moment it is read."""

    key: Slug
    kind: Literal["above", "below"]
    quantity: str = "air_temperature"
    setpoint: Decimal
    deadband: Decimal = Decimal(0)
    on_delay_s: Seconds = 0
    off_delay_s: Seconds = 0
    max_gap_s: Annotated[int, msgspec.Meta(ge=1, le=86_400)] = 300
    severity: Literal["low", "medium", "high"] = "medium"
    citation: str = ""


class PointEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A point that tells `quantity` of the zone it stands in."""

    point: PointName
    quantity: str = "air_temperature"


class ZoneEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    key: Slug
    name: Name
    points: list[PointEntry] = []
    limits: list[LimitEntry] = []


class ReadPointEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An antenna: `inside` and `outside` are the two sides of one door, `presence` sees what is in the zone."""

    point: PointName
    antenna: Annotated[int, msgspec.Meta(ge=0, le=64)] = 0
    zone: Slug
    role: Literal["inside", "outside", "presence"]


class SiteFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    key: Slug
    name: Name
    since: str  # from when on what stands here first is true; a date, or a time in UTC
    zones: list[ZoneEntry]
    read_points: list[ReadPointEntry] = []

    @property
    def since_ms(self) -> int:
        moment = datetime.fromisoformat(self.since)
        return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def read_site(path: Path) -> SiteFile:
    """Raises ConfigError, which names file, key, value and what would be right."""
    site = load(path, SiteFile)
    try:
        site.since_ms  # noqa: B018  read for its refusal
    except ValueError as error:
        raise ConfigError(path, f"{site.since!r} is no date", key="since", hint="write 2026-01-31") from error
    _refuse_doubles(path, "zones", [zone.key for zone in site.zones])
    _refuse_doubles(path, "points", [point.point for zone in site.zones for point in zone.points])
    _refuse_doubles(path, "read_points", [f"{entry.point} antenna {entry.antenna}" for entry in site.read_points])
    for number, zone in enumerate(site.zones):
        _refuse_doubles(path, f"zones[{number}].limits", [limit.key for limit in zone.limits])
    for number, entry in enumerate(site.read_points):
        _refuse_unknown_zone(path, number, entry, site)
    return site


def with_on_delay(site: SiteFile, on_delay_s: int) -> SiteFile:
    """The same site with quicker limits, for a demonstration in which nobody waits half an hour."""
    quick = [
        msgspec.structs.replace(
            zone,
            limits=[
                msgspec.structs.replace(limit, on_delay_s=min(limit.on_delay_s, on_delay_s)) for limit in zone.limits
            ],
        )
        for zone in site.zones
    ]
    return msgspec.structs.replace(site, zones=quick)


def _refuse_doubles(path: Path, key: str, names: list[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ConfigError(path, f"{name!r} stands twice", key=key, hint="once is enough")
        seen.add(name)


def _refuse_unknown_zone(path: Path, number: int, entry: ReadPointEntry, site: SiteFile) -> None:
    known = [zone.key for zone in site.zones]
    if entry.zone not in known:
        raise ConfigError(
            path,
            f"{entry.zone!r} is no zone of this site",
            key=f"read_points[{number}].zone",
            hint=f"known: {', '.join(known)}",
        )
