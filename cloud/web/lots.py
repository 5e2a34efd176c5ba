"""Lots: find one, and read what it went through."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from cloud import lots
from cloud.api.genealogy import Genealogy, read_genealogy
from cloud.api.lots import find_lots
from cloud.api.story import Stop, Story, read_story
from cloud.api.zones import read_zones
from cloud.web import states
from cloud.web.alarm_rows import open_alarm_rows
from cloud.web.decisions import ledger_rows, standing_view
from cloud.web.flow import genealogy_graph
from cloud.web.pages import Page, ThisPage
from cloud.web.states import Look
from cloud.web.verdict import finding_views, verdict_view
from cloud.web.wall import site

router = APIRouter()
PER_PAGE = 20
TABLE_BUCKETS = 60
MOST_IN_GRAPH = 60


@dataclass(frozen=True, slots=True)
class StopView:
    stop: Stop
    name: str
    time: str
    temperature: str
    limit: str
    look: str
    notes: list[tuple[Look, str]]


@router.get("/lots", response_class=HTMLResponse, include_in_schema=False)
def show_lots(
    page: ThisPage, q: Annotated[str, Query(max_length=100)] = "", p: Annotated[int, Query(ge=1, le=100_000)] = 1
) -> HTMLResponse:
    with page.house.store.read() as connection:
        zones = read_zones(connection, page.now_ms, page.house.hub.newest)
        alarms = open_alarm_rows(page, connection, zones)
        total = lots.count_lots(connection, q)
        found = find_lots(connection, q, page=p, per_page=PER_PAGE)
    return page.render(
        "lots.html",
        section="lots",
        found=found,
        total=total,
        q=q,
        before=_page_url(q, p - 1) if p > 1 else "",
        after=_page_url(q, p + 1) if p * PER_PAGE < total else "",
        **site(page, zones, alarms),
    )


@router.get("/lots/{key}", response_class=HTMLResponse, include_in_schema=False)
def show_lot(key: str, page: ThisPage) -> HTMLResponse:
    with page.house.store.read() as connection:
        number = lots.lot_by_key(connection, key).id
        standing = standing_view(page, connection, number)
        ledger = ledger_rows(page, connection, number)
        family = read_genealogy(connection, key, page.now_ms)
        story = read_story(connection, key, page.now_ms, buckets=TABLE_BUCKETS)
        zones = read_zones(connection, page.now_ms, page.house.hub.newest)
        alarms = open_alarm_rows(page, connection, zones)
    return page.render(
        "lot.html",
        section="lots",
        story=story,
        lot=story.lot,
        name=page.name(story.lot.name),
        verdict=verdict_view(page, story),
        inherited=[
            (part.lot, page.name(part.name), [stop_view(page, stop) for stop in part.stops]) for part in story.inherited
        ],
        stops=[stop_view(page, stop) for stop in story.stops],
        findings=finding_views(page, story),
        sums=sum_up(story),
        standing=standing,
        ledger=ledger,
        family=family,
        graph=genealogy_graph(page, family) if 1 < len(family.lots) <= MOST_IN_GRAPH else None,
        made=next((each for each in family.transformations if _makes(family, key, each.event)), None),
        **site(page, zones, alarms),
    )


def _makes(family: Genealogy, key: str, event: str) -> bool:
    return any(each.child == key and each.event == event for each in family.descent)


@dataclass(frozen=True, slots=True)
class Sums:
    """What the lot went through in all."""

    above_ms: int
    unknown_ms: int
    coverage: float | None
    breaches: int
    degree_minutes: float
    kinetic_mean: float | None


def sum_up(story: Story) -> Sums:
    times = [(stop.until_at or story.now) - stop.from_at for stop in story.stops]
    known = sum(stop.coverage * time for stop, time in zip(story.stops, times, strict=True))
    return Sums(
        above_ms=round(sum(stop.minutes_above for stop in story.stops) * 60_000),
        unknown_ms=round(sum(stop.unknown_minutes for stop in story.stops) * 60_000),
        coverage=known / sum(times) if sum(times) else None,
        breaches=sum(len(stop.breaches) for stop in story.stops),
        degree_minutes=sum(stop.degree_minutes_above for stop in story.stops),
        kinetic_mean=story.stops[-1].kinetic_mean if story.stops else None,
    )


def stop_view(page: Page, stop: Stop) -> StopView:
    f = page.formats
    end = stop.until_at or page.now_ms
    low = max((step.setpoint for step in stop.limits if step.kind == "below"), key=float, default=None)
    high = min((step.setpoint for step in stop.limits if step.kind == "above"), key=float, default=None)
    is_known = stop.min is not None and stop.max is not None
    return StopView(
        stop=stop,
        name=page.name(stop.name),
        time=f"{f.span(stop.from_at, stop.until_at)} · {f.duration(end - stop.from_at)}",
        temperature=f"{f.number(stop.min, 1)} … {f.number(stop.max, 1)}" if is_known else "?",
        limit=f.limit(low, high),
        look="bad" if stop.breaches else "",
        notes=_notes(page, stop),
    )


def _notes(page: Page, stop: Stop) -> list[tuple[Look, str]]:
    words, f = page.words, page.formats
    notes = []
    exposed = sum(breach.exposed_until - breach.exposed_from for breach in stop.breaches)
    if exposed:
        notes.append((states.VERDICTS["fail"], words("In a breach for {duration}", duration=f.duration(exposed))))
    elif stop.minutes_above >= 1:
        duration = f.duration(stop.minutes_above * 60_000)
        notes.append(
            (states.ZONES["pending"], words("Over limit for {duration}, shorter than the delay", duration=duration))
        )
    if stop.unknown_minutes >= 1:
        duration = f.duration(stop.unknown_minutes * 60_000)
        notes.append((states.ZONES["unknown"], words("{duration} without readings", duration=duration)))
    return notes


def _page_url(q: str, page: int) -> str:
    return "/lots?" + urlencode({"q": q, "p": page} if q else {"p": page})
