"""The trace: from a breach or a lot to where everything went, and from a lot back to where it came from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection

from cloud.api.genealogy import read_genealogy
from cloud.api.lots import find_lots
from cloud.api.trace import TouchedLot, Trace, read_breach_trace, read_lot_trace
from cloud.api.zones import read_zones
from cloud.store.queries import load_queries
from cloud.web.alarm_rows import open_alarm_rows
from cloud.web.flow import genealogy_graph, kg_text, trace_graph
from cloud.web.pages import Page, ThisPage
from cloud.web.wall import site

router = APIRouter()
_queries = load_queries("cloud.web")
_RECENT = 30


@dataclass(frozen=True, slots=True)
class Todo:
    """Something that has left or may leave although it is touched."""

    lot: str
    title: str
    why: str


@dataclass(frozen=True, slots=True)
class RecentBreach:
    key: str
    name: str
    time: str
    lots: int


@dataclass(frozen=True, slots=True)
class Sums:
    lots: int
    kg: str
    held: int
    held_kg: str
    gone: int
    gone_kg: str


@router.get("/trace", response_class=HTMLResponse, include_in_schema=False)
def show_trace(
    page: ThisPage,
    breach: Annotated[str, Query(max_length=300)] = "",
    lot: Annotated[str, Query(max_length=100)] = "",
    dir: Literal["fwd", "back"] = "fwd",  # noqa: A002  the word in the address
    q: Annotated[str, Query(max_length=100)] = "",
) -> HTMLResponse:
    with page.house.store.read() as connection:
        zones = read_zones(connection, page.now_ms, page.house.hub.newest)
        bar = site(page, zones, open_alarm_rows(page, connection, zones))
        if breach:
            facts = _forward(page, read_breach_trace(connection, breach, page.now_ms), breach=breach)
        elif lot and dir == "back":
            facts = _backward(page, connection, lot)
        elif lot:
            facts = _forward(page, read_lot_trace(connection, lot, page.now_ms), lot=lot)
        else:
            facts = {"begin": True, "breaches": _recent(page, connection), "found": _found(connection, q)}
    facts = {"begin": False, "lot": lot, "breach": None, "dir": dir, "q": q, "todo": [], "recall": "", **facts}
    return page.render("trace.html", section="trace", **facts, **bar)


def _forward(page: Page, trace: Trace, *, breach: str = "", lot: str = "") -> dict[str, object]:
    start = page.name(trace.breach.name) if trace.breach else lot
    path = "breaches" if breach else "lots"
    return {
        "breach": trace.breach,
        "start": start,
        "sums": _sum_up(page, trace),
        "todo": _todo(page, trace),
        "graph": trace_graph(page, trace, start),
        "recall": f"/api/v1/{path}/{breach or lot}/recall.csv",
    }


def _backward(page: Page, connection: Connection, key: str) -> dict[str, object]:
    told = read_genealogy(connection, key, page.now_ms, direction="back")
    return {
        "start": key,
        "origins": told.origins,
        "graph": genealogy_graph(page, told),
        "made": told.transformations,
    }


def _sum_up(page: Page, trace: Trace) -> Sums:
    held = [lot for lot in trace.lots if lot.state == "held"]
    gone = [lot for lot in trace.lots if lot.shipments]
    shipped = sum(float(each.quantity_kg or 0) for lot in gone for each in lot.shipments)
    there = [lot for lot in trace.lots if not lot.made_of]
    return Sums(
        lots=len(there),
        kg=_sum_of(page, there),
        held=len(held),
        held_kg=_sum_of(page, held),
        gone=len(gone),
        gone_kg=kg_text(page, f"{shipped:.1f}"),
    )


def _sum_of(page: Page, lots: Sequence[TouchedLot]) -> str:
    return kg_text(page, f"{sum(float(lot.affected_kg or lot.quantity_kg or 0) for lot in lots):.1f}")


def _todo(page: Page, trace: Trace) -> list[Todo]:
    """What has left after it was touched comes first; then what nobody holds."""
    words = page.words
    called_back = [
        Todo(
            lot.key,
            words("Call {lot} back", lot=lot.key),
            words(
                "{kg} left for {goal}, {at}",
                kg=kg_text(page, each.quantity_kg) or lot.key,
                goal=each.destination or "?",
                at=page.formats.when(each.at),
            ),
        )
        for lot in trace.lots
        for each in lot.shipments
        if trace.breach and each.at >= lot.since
    ]
    loose = [
        Todo(
            lot.key,
            words("Decide on {lot}", lot=lot.key),
            words("In {zone}, held by nobody", zone=page.name(lot.places[0].name)),
        )
        for lot in trace.lots
        if trace.breach and lot.state == "free" and lot.places
    ]
    return called_back + loose


def _recent(page: Page, connection: Connection) -> list[RecentBreach]:
    rows = connection.execute(_queries.recent_breaches, {"now": page.now_ms, "count": _RECENT})
    return [
        RecentBreach(
            row.key,
            row.name_vi if page.lang == "vi" else row.name_en,
            page.formats.span(row.onset_at, row.ended_at),
            row.lots,
        )
        for row in rows
    ]


def _found(connection: Connection, q: str) -> list[tuple[str, str]]:
    if not q:
        return []
    return [(lot.key, "/trace?" + urlencode({"lot": lot.key})) for lot in find_lots(connection, q, page=1, per_page=10)]
