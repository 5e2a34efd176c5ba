"""One zone: its value now, its chart, its breaches and its probes."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from cloud.api.problems import ProblemError
from cloud.api.zones import Limit, Zone, read_breaches, read_zones
from cloud.lots.repository import AIR
from cloud.web.alarm_rows import open_alarm_rows
from cloud.web.pages import Page, ThisPage
from cloud.web.wall import lots_text, site, state_text

router = APIRouter()
RANGES = {"6h": 6, "24h": 24, "7d": 168, "30d": 720}
LOOK_BACK_MS = 30 * 86_400_000


@dataclass(frozen=True, slots=True)
class Range:
    key: str
    hours: int
    word: str


@router.get("/zones/{key}", response_class=HTMLResponse, include_in_schema=False)
def show_zone(key: str, page: ThisPage) -> HTMLResponse:
    with page.house.store.read() as connection:
        zones = read_zones(connection, page.now_ms, page.house.hub.newest)
        alarms = open_alarm_rows(page, connection, zones)
        zone = _find(zones, key)
        breaches = read_breaches(connection, key, page.now_ms - LOOK_BACK_MS, page.now_ms)
    return page.render(
        "zone.html",
        section="wall",
        zone=zone,
        name=page.name(zone.name),
        state_text=state_text(page, zone),
        limits=limit_texts(page, zone.limits),
        lots=lots_text(page, zone),
        breaches=breaches,
        ranges=_ranges(page),
        chosen=page.request.query_params.get("range", "24h"),
        **site(page, zones, alarms),
    )


def limit_texts(page: Page, limits: Sequence[Limit]) -> list[str]:
    """One sentence for an upper and a lower limit that agree in all but their setpoint."""

    def alike(limit: Limit) -> tuple[object, ...]:
        return (limit.quantity, limit.on_delay_s, limit.version, limit.citation)

    groups = [list(group) for _, group in groupby(sorted(limits, key=alike), alike)]
    return [_limit_text(page, group) for group in groups]


def _limit_text(page: Page, limits: Sequence[Limit]) -> str:
    limit = limits[0]
    low = max((one.setpoint for one in limits if one.kind == "below"), key=float, default=None)
    high = min((one.setpoint for one in limits if one.kind == "above"), key=float, default=None)
    setpoint = page.formats.limit(low, high, "°C" if limit.quantity == AIR else "")
    delay = page.formats.duration(limit.on_delay_s * 1000)
    source = f" ({limit.citation})" if limit.citation else ""
    return (
        page.words(
            "{limit}, alarm after {delay}, version {version}", limit=setpoint, delay=delay, version=limit.version
        )
        + source
    )


def _find(zones: list[Zone], key: str) -> Zone:
    for zone in zones:
        if zone.key == key:
            return zone
    raise ProblemError(404, "unknown_zone", key)


def _ranges(page: Page) -> list[Range]:
    words = {
        "6h": page.words("6 hours"),
        "24h": page.words("24 hours"),
        "7d": page.words("7 days"),
        "30d": page.words("30 days"),
    }
    return [Range(key, hours, words[key]) for key, hours in RANGES.items()]
