"""The public page of a lot: what a buyer sees who scans its label. Ten elements first, then the temperature story."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse

from cloud.api.public_lots import PublicLot, PublicStop, read_public_lot
from cloud.web import states
from cloud.web.pages import Page, ThisPage
from cloud.web.states import N_, Look

router = APIRouter()
VERDICTS = {
    "pass": Look("ok", N_("Met the cold-chain limits"), "ok"),
    "warn": Look("stale", N_("Met the cold-chain limits, with remarks"), "ok"),
    "fail": Look("breach", N_("Did not meet the cold-chain limits"), "fail"),
    "insufficient_data": Look("unknown", N_("Not enough data"), "insufficient"),
}
RECALLED = Look("breach", N_("Recalled, do not use"), "fail")
HELD = Look("unknown", N_("Held back for a decision"), "insufficient")
LABELS = {
    "name": N_("Product"),
    "image": N_("Product image"),
    "producer": N_("Producer"),
    "address": N_("Address"),
    "stages": N_("Stages"),
    "produced": N_("Produced"),
    "code": N_("Traceability code"),
    "brand": N_("Brand, model"),
    "shelf_life": N_("Shelf life"),
    "standards": N_("Standards applied"),
}


@dataclass(frozen=True, slots=True)
class Sentence:
    """One step of the story: `icon` and `tone` as everywhere."""

    icon: str
    tone: str
    title: str
    text: str


@router.get("/p/{gtin}/{number}", response_class=HTMLResponse, include_in_schema=False)
def show_public(gtin: Annotated[str, Path(pattern=r"^\d{8,14}$")], number: str, page: ThisPage) -> HTMLResponse:
    with page.house.store.read() as connection:
        lot = read_public_lot(connection, gtin, number, page.house.trace, page.now_ms)
    standing = {"recalled": RECALLED, "rejected": RECALLED, "held": HELD}.get(lot.standing)
    return page.render(
        "public.html",
        lot=lot,
        elements=lot.elements,
        shown=[(number, name) for number, name in enumerate(LABELS, 1) if name in page.house.trace.public],
        labels=LABELS,
        verdict=VERDICTS[lot.outcome],
        standing=standing,
        sentences=tell(page, lot),
        day=lambda text: f"{date.fromisoformat(text):%d/%m/%Y}",
    )


def tell(page: Page, lot: PublicLot) -> list[Sentence]:
    """The lot's own way in plain words; time without readings is said beside what was good."""
    if lot.story is None:
        return []
    told = []
    for stop in lot.story.stops:
        told.append(_stay(page, stop))
        if stop.unknown_minutes >= 1:
            told.append(_silence(page, stop))
    return told


def _stay(page: Page, stop: PublicStop) -> Sentence:
    words, f = page.words, page.formats
    here = f.duration((stop.until_at or page.now_ms) - stop.from_at)
    low = max((limit.setpoint for limit in stop.limits if limit.kind == "below"), key=float, default=None)
    high = min((limit.setpoint for limit in stop.limits if limit.kind == "above"), key=float, default=None)
    if stop.min is None or stop.max is None:
        text = words("{duration} here; nothing was measured.", duration=here)
        return Sentence("unknown", "unknown", page.name(stop.name), text)
    facts = {"duration": here, "min": f.number(stop.min, 1), "max": f.number(stop.max, 1)}
    text = words("{duration} here; air between {min} and {max} °C.", **facts)
    if low is not None or high is not None:
        text += " " + words("The limit: {limit}.", limit=f.limit(low, high))
    exposed = sum(breach.exposed_until - breach.exposed_from for breach in stop.breaches)
    if exposed:
        text += " " + words("Beyond it for {duration}.", duration=f.duration(exposed))
        return Sentence("breach", "fail", page.name(stop.name), text)
    return Sentence("ok", "ok", page.name(stop.name), text)


def _silence(page: Page, stop: PublicStop) -> Sentence:
    duration = page.formats.duration(stop.unknown_minutes * 60_000)
    look = states.ZONES["unknown"]
    return Sentence(
        look.icon,
        "unknown",
        page.words("{duration} without readings", duration=duration),
        page.words("In {zone}. This time is not counted as good.", zone=page.name(stop.name)),
    )
