"""The wall: the sum of the site, every zone, what needs a person."""

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection

from cloud.api.zones import Zone, main_series, read_zones
from cloud.web.alarm_rows import AlarmRow, open_alarm_rows
from cloud.web.pages import Page, ThisPage
from cloud.web.spark import Spark

router = APIRouter()
NEEDS_ACTION = ("breach", "pending")
NOT_KNOWN = ("unknown", "stale")


@dataclass(frozen=True, slots=True)
class Tile:
    zone: Zone
    name: str
    state_text: str
    spark: Spark | None
    lots: str


@dataclass(frozen=True, slots=True)
class Sum:
    """How many zones stand how: the sentence above the wall."""

    act: int
    unknown: int
    fine: int


@router.get("/", response_class=HTMLResponse, include_in_schema=False)
def show_wall(page: ThisPage) -> HTMLResponse:
    with page.house.store.read() as connection:
        zones = read_zones(connection, page.now_ms, page.house.hub.newest)
        tiles = _tiles(page, connection, zones)
        alarms = open_alarm_rows(page, connection, zones)
    return page.render(
        "wall.html", section="wall", tiles=tiles, sum=sum_up(zones), alarms=alarms, **site(page, zones, alarms)
    )


def site(page: Page, zones: list[Zone], alarms: list[AlarmRow]) -> dict[str, object]:
    """What the bar on top of every page shows."""
    return {
        "site_name": page.name(zones[0].site) if zones else "",
        "open_alarms": sum(1 for row in alarms if row.is_open),
    }


def sum_up(zones: list[Zone]) -> Sum:
    act = sum(1 for zone in zones if zone.state in NEEDS_ACTION)
    unknown = sum(1 for zone in zones if zone.state in NOT_KNOWN)
    return Sum(act, unknown, len(zones) - act - unknown)


def state_text(page: Page, zone: Zone) -> str:
    """State, since when, and what comes next."""
    words, f = page.words, page.formats
    since = f.duration(page.now_ms - zone.since) if zone.since is not None else ""
    if zone.state == "breach":
        return words("Limit exceeded {duration}", duration=since)
    if zone.state == "pending":
        due = min(breach.due_at for breach in zone.breaches)
        if due <= page.now_ms:
            return words("Over limit {duration}, alarm is due", duration=since)
        return words("Over limit {duration}, alarm in {due}", duration=since, due=f.duration(due - page.now_ms))
    if zone.state == "unknown":
        return words("No data for {duration}", duration=since) if since else words("Never measured")
    if zone.state == "stale":
        return words("Old value, {duration}", duration=since)
    return words("Normal") if zone.limits else words("No limit set")


def _tiles(page: Page, connection: Connection, zones: list[Zone]) -> list[Tile]:
    series = main_series(connection, page.now_ms)
    return [
        Tile(
            zone,
            page.name(zone.name),
            state_text(page, zone),
            page.web.sparks.spark(
                connection,
                zone.key,
                series[zone.key],
                low=float(zone.low) if zone.low is not None else None,
                high=float(zone.high) if zone.high is not None else None,
                max_gap_ms=zone.max_gap_s * 1000,
                now_ms=page.now_ms,
            ),
            lots_text(page, zone),
        )
        for zone in zones
    ]


def lots_text(page: Page, zone: Zone) -> str:
    if not zone.lots.count:
        return page.words("empty")
    lots = page.words.plural("{n} lot", "{n} lots", zone.lots.count)
    kg = float(zone.lots.quantity_kg)
    return f"{lots} · {page.formats.number(kg / 1000, 1)} t" if kg else lots
