"""The site description: which zones there are, what is installed in them, and which limits hold. YAML, read once."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from ground.configfile import ConfigError, load
from rules import CONTEXT_OF_QUANTITY, ContextKind, Limit, LimitKind, Severity

Slug = Annotated[str, msgspec.Meta(pattern="^[a-z0-9][a-z0-9_.-]{0,63}$", max_length=64)]
PointName = Annotated[str, msgspec.Meta(pattern="^[^/]+/[^/]+/[^/]+$")]
TimeOfDay = Annotated[str, msgspec.Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")]
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
    context_delays_s: dict[ContextKind, Seconds] = {}
    degree_minutes: Decimal | None = None
    off_delay_s: Seconds = 0
    max_gap_s: Annotated[int, msgspec.Meta(ge=1, le=86_400)] = 300
    severity: Literal["low", "medium", "high"] = "medium"
    citation: str = ""

    def as_limit(self, zone: str) -> Limit:
        """The first version of it, valid for ever."""
        facts = {name: getattr(self, name) for name in self.__struct_fields__}
        return Limit(zone=zone, **{**facts, "kind": LimitKind(self.kind), "severity": Severity(self.severity)})


class PointEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A point that tells `quantity` of the zone it stands in."""

    point: PointName
    quantity: str = "air_temperature"


class ContextEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a context comes from if no point says it outright: a warm coil, or a controller's clock in site time."""

    kind: ContextKind
    quantity: str | None = None
    above: Decimal = Decimal("0.5")
    daily_at: list[TimeOfDay] = []
    minutes: Annotated[int, msgspec.Meta(ge=1, le=1440)] = 30

    def minutes_of_day(self) -> list[int]:
        """Of the site's day."""
        return [int(time[:2]) * 60 + int(time[3:]) for time in self.daily_at]


class ZoneEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    key: Slug
    name: Name
    points: list[PointEntry] = []
    limits: list[LimitEntry] = []
    contexts: list[ContextEntry] = []


class ReadPointEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An antenna: `inside` and `outside` are the two sides of one door, `presence` sees what is in the zone."""

    point: PointName
    antenna: Annotated[int, msgspec.Meta(ge=0, le=64)] = 0
    zone: Slug
    role: Literal["inside", "outside", "presence"]


class SiteFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    key: Slug
    name: Name
    utc_offset_min: Annotated[int, msgspec.Meta(ge=-840, le=840)] = 420  # Viet Nam; it has no summer time
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
        _refuse_idle_contexts(path, number, zone)
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


def _refuse_idle_contexts(path: Path, number: int, zone: ZoneEntry) -> None:
    quantities = [point.quantity for point in zone.points]
    for place, entry in enumerate(zone.contexts):
        key = f"zones[{number}].contexts[{place}]"
        if (entry.quantity is None) is not bool(entry.daily_at):
            raise ConfigError(path, "it needs one source", key=key, hint='give `quantity`, or `daily_at: ["02:00"]`')
        if entry.quantity is not None and entry.quantity not in quantities:
            raise ConfigError(
                path,
                f"no point of this zone tells {entry.quantity!r}",
                key=f"{key}.quantity",
                hint=f"known: {', '.join(quantities) or 'none'}; {', '.join(CONTEXT_OF_QUANTITY)} need no entry here",
            )


def _refuse_unknown_zone(path: Path, number: int, entry: ReadPointEntry, site: SiteFile) -> None:
    known = [zone.key for zone in site.zones]
    if entry.zone not in known:
        raise ConfigError(
            path,
            f"{entry.zone!r} is no zone of this site",
            key=f"read_points[{number}].zone",
            hint=f"known: {', '.join(known)}",
        )
