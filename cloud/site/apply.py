"""Turns a site description into facts with a time. The same file again changes nothing; a change closes what was.

What a point or limit said before a change stays judged by what held then.
"""

import json
from dataclasses import dataclass

from sqlalchemy import Connection

from cloud.site.contexts import apply_contexts
from cloud.site.repository import ZoneLimit, limits_of_zone, mark_zone_dirty
from cloud.site.site_file import LimitEntry, ReadPointEntry, SiteFile, ZoneEntry
from cloud.store import load_queries
from rules import CONTEXT_OF_QUANTITY

_queries = load_queries("cloud.site")


@dataclass(slots=True)
class SiteChanges:
    """What applying a file changed; all zero when it had been applied before."""

    installations: int = 0
    read_points: int = 0
    limits: int = 0
    contexts: int = 0


def apply_site(connection: Connection, site: SiteFile, now_ms: int) -> SiteChanges:
    changes = SiteChanges()
    site_id = connection.execute(
        _queries.upsert_site, {"key": site.key, "name_vi": site.name.vi, "name_en": site.name.en}
    ).scalar_one()
    zone_ids = {zone.key: _upsert_zone(connection, site_id, zone, place) for place, zone in enumerate(site.zones)}
    _apply_installations(connection, site, zone_ids, site_id=site_id, now_ms=now_ms, changes=changes)
    _apply_read_points(connection, site, zone_ids, site_id=site_id, now_ms=now_ms, changes=changes)
    for zone in site.zones:
        changes.contexts += apply_contexts(connection, zone_ids[zone.key], zone, site, now_ms)
        _apply_limits(connection, zone_ids[zone.key], zone, since_ms=site.since_ms, now_ms=now_ms, changes=changes)
    return changes


def _upsert_zone(connection: Connection, site_id: int, zone: ZoneEntry, position: int) -> int:
    facts = {"site_id": site_id, "key": zone.key, "name_vi": zone.name.vi, "name_en": zone.name.en}
    return int(connection.execute(_queries.upsert_zone, {**facts, "position": position}).scalar_one())


def _apply_installations(
    connection: Connection,
    site: SiteFile,
    zone_ids: dict[str, int],
    *,
    site_id: int,
    now_ms: int,
    changes: SiteChanges,
) -> None:
    wanted = {(entry.point, zone_ids[zone.key], entry.quantity): entry for zone in site.zones for entry in zone.points}
    for row in connection.execute(_queries.open_installations, {"site_id": site_id}).all():
        if wanted.pop((row.series_name, row.zone_id, row.role), None) is None:
            connection.execute(_queries.close_installation, {"id": row.id, "until_at": now_ms})
            mark_zone_dirty(connection, row.zone_id, now_ms, now_ms)
            changes.installations += 1
    for series_name, zone_id, role in wanted:
        is_known = connection.scalar(_queries.count_installations, {"series_name": series_name})
        from_at = now_ms if is_known else site.since_ms
        connection.execute(
            _queries.insert_installation,
            {"series_name": series_name, "zone_id": zone_id, "role": role, "from_at": from_at},
        )
        mark_zone_dirty(connection, zone_id, from_at, now_ms)
        changes.installations += 1


def _apply_read_points(
    connection: Connection,
    site: SiteFile,
    zone_ids: dict[str, int],
    *,
    site_id: int,
    now_ms: int,
    changes: SiteChanges,
) -> None:
    wanted = {(entry.point, entry.antenna, zone_ids[entry.zone], entry.role): entry for entry in site.read_points}
    for row in connection.execute(_queries.open_read_points, {"site_id": site_id}).all():
        if wanted.pop((row.series_name, row.antenna, row.zone_id, row.role), None) is None:
            connection.execute(_queries.close_read_point, {"id": row.id, "until_at": now_ms})
            _mark_carriers_dirty(connection, row.series_name, now_ms)
            changes.read_points += 1
    for (_, _, zone_id, _), entry in wanted.items():
        _place_antenna(connection, entry, zone_id, site.since_ms, now_ms)
        changes.read_points += 1


def _place_antenna(connection: Connection, entry: ReadPointEntry, zone_id: int, since_ms: int, now_ms: int) -> None:
    place = {"series_name": entry.point, "antenna": entry.antenna}
    from_at = now_ms if connection.scalar(_queries.count_read_points, place) else since_ms
    connection.execute(
        _queries.insert_read_point, {**place, "zone_id": zone_id, "role": entry.role, "from_at": from_at}
    )
    _mark_carriers_dirty(connection, entry.point, from_at)


def _mark_carriers_dirty(connection: Connection, series_name: str, from_at: int) -> None:
    connection.execute(_queries.mark_carriers_dirty, {"series_name": series_name, "from_at": from_at})


def _apply_limits(
    connection: Connection, zone_id: int, zone: ZoneEntry, *, since_ms: int, now_ms: int, changes: SiteChanges
) -> None:
    newest = {held.limit.key: held for held in limits_of_zone(connection, zone_id)}
    for entry in zone.limits:
        held = newest.pop(entry.key, None)
        if held is not None and held.limit.valid_until is None and _facts(entry) == _held_facts(held):
            continue
        if held is not None and held.limit.valid_until is None:
            _close_limit(connection, zone_id, held, now_ms)
        from_at = since_ms if held is None else now_ms
        version = 1 if held is None else held.limit.version + 1
        place = {"zone_id": zone_id, "key": entry.key, "version": version, "valid_from": from_at}
        connection.execute(_queries.insert_limit, {**_row(entry), **place})
        mark_zone_dirty(connection, zone_id, from_at, now_ms)
        changes.limits += 1
    for held in newest.values():
        if held.limit.valid_until is None:
            _close_limit(connection, zone_id, held, now_ms)
            changes.limits += 1


def _close_limit(connection: Connection, zone_id: int, held: ZoneLimit, now_ms: int) -> None:
    connection.execute(_queries.close_limit, {"id": held.id, "valid_until": now_ms})
    mark_zone_dirty(connection, zone_id, now_ms, now_ms)


_DECIMALS = ("setpoint", "deadband")
_LIMIT_FACTS = (
    "kind",
    "quantity",
    *_DECIMALS,
    "on_delay_s",
    "context_delays_s",
    "degree_minutes",
    "off_delay_s",
    "max_gap_s",
    "severity",
    "citation",
)


def _facts(entry: LimitEntry) -> dict[str, object]:
    return {name: getattr(entry, name) for name in _LIMIT_FACTS}


def _row(entry: LimitEntry) -> dict[str, object]:
    """The facts as the table keeps them."""
    facts = _facts(entry)
    facts["context_delays"] = json.dumps(facts.pop("context_delays_s"), sort_keys=True)
    facts |= {name: str(facts[name]) for name in _DECIMALS}
    facts["degree_minutes"] = None if entry.degree_minutes is None else str(entry.degree_minutes)
    return facts | {"about": "machinery" if entry.quantity in CONTEXT_OF_QUANTITY else "goods"}


def _held_facts(held: ZoneLimit) -> dict[str, object]:
    return {name: getattr(held.limit, name) for name in _LIMIT_FACTS}
