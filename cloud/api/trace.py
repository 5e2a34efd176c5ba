"""From a breach, or from a lot, to everything it touched and where that is now; as JSON and as a recall list."""

import csv
import io
from collections.abc import Iterator
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from cloud import lots
from cloud.api.context import Context, NoQuery
from cloud.api.genealogy import text
from cloud.api.lots import LotKey
from cloud.api.problems import ProblemError
from cloud.api.times import At, iso
from cloud.api.values import Name

router = APIRouter(tags=["trace"])
BreachKey = Annotated[str, Path(description="As alarms and stories name it")]
CSV = "text/csv; charset=utf-8"
COLUMNS = (
    "lot", "gtin", "name", "made_of", "touched_since", "quantity_kg", "affected_kg", "exposed_minutes",
    "state", "zone", "shipped_at", "shipped_to", "shipped_kg",
)  # fmt: skip


class Shipment(BaseModel):
    at: At
    destination: str
    quantity_kg: str | None
    by: str
    reason: str = Field(description="Why it left although it was held, if it was")


class Place(BaseModel):
    zone: str
    name: Name
    since: At


class TouchedLot(BaseModel):
    key: str
    gtin: str
    name: Name
    quantity_kg: str | None
    since: At = Field(description="From when on it is touched")
    made_of: list[str] = Field(description="Touched lots that it was made of; none: it was there itself")
    affected_kg: str | None = Field(description="null: it is in there, nobody weighed how much")
    exposed_minutes: float | None
    state: Literal["free", "held", "rejected", "recalled", "destroyed"]
    places: list[Place]
    shipments: list[Shipment]


class TracedBreach(BaseModel):
    key: str
    zone: str
    name: Name
    onset_at: At
    ended_at: At | None
    extreme: float | None
    kind: Literal["above", "below"]
    setpoint: str


class Ribbon(BaseModel):
    parent: str
    child: str
    at: At
    kg: str | None


class Trace(BaseModel):
    now: At
    breach: TracedBreach | None
    lots: list[TouchedLot]
    descent: list[Ribbon]


@router.get("/breaches/{key:path}/recall.csv", response_class=StreamingResponse)
def recall_of_breach(key: BreachKey, context: Context, _: NoQuery) -> StreamingResponse:
    """The recall list of a breach: one row for each touched lot and shipment."""
    with context.store.read() as connection:
        trace = read_breach_trace(connection, key, context.now_ms())
    return _as_csv(trace, "recall.csv")


@router.get("/breaches/{key:path}/lots")
def trace_breach(key: BreachKey, context: Context, _: NoQuery) -> Trace:
    """The lots that were there, what was made of them, and where that is."""
    with context.store.read() as connection:
        return read_breach_trace(connection, key, context.now_ms())


@router.get("/lots/{key}/trace")
def trace_lot(key: LotKey, context: Context, _: NoQuery) -> Trace:
    """Everything that was made of the lot, and where that is."""
    with context.store.read() as connection:
        return read_lot_trace(connection, key, context.now_ms())


@router.get("/lots/{key}/recall.csv", response_class=StreamingResponse)
def recall_of_lot(key: LotKey, context: Context, _: NoQuery) -> StreamingResponse:
    """The recall list of a lot: one row for each touched lot and shipment."""
    with context.store.read() as connection:
        trace = read_lot_trace(connection, key, context.now_ms())
    return _as_csv(trace, "recall.csv")


def read_breach_trace(connection: Connection, key: str, now_ms: int) -> Trace:
    found = lots.trace_breach(connection, key, now_ms)
    if found is None:
        raise ProblemError(404, "unknown_breach", f"no breach {key!r} is stated")
    return _shown(found, now_ms)


def read_lot_trace(connection: Connection, key: str, now_ms: int) -> Trace:
    """Raises UnknownLotError."""
    return _shown(lots.trace_lot(connection, key), now_ms)


def _shown(trace: lots.Trace, now_ms: int) -> Trace:
    breach = trace.breach
    return Trace(
        now=now_ms,
        breach=None
        if breach is None
        else TracedBreach(
            key=breach.key,
            zone=breach.zone,
            name=Name(vi=breach.name_vi, en=breach.name_en),
            onset_at=breach.onset_at,
            ended_at=breach.ended_at,
            extreme=breach.extreme,
            kind="above" if breach.kind == "above" else "below",
            setpoint=breach.setpoint,
        ),
        lots=[_touched(each) for each in trace.lots],
        descent=[
            Ribbon(parent=edge.parent, child=edge.child, at=edge.at, kg=text(edge.kilograms)) for edge in trace.edges
        ],
    )


def _touched(touched: lots.TouchedLot) -> TouchedLot:
    lot = touched.lot
    return TouchedLot(
        key=lot.key,
        gtin=lot.gtin,
        name=Name(vi=lot.name_vi, en=lot.name_en),
        quantity_kg=lot.quantity_kg,
        since=touched.since,
        made_of=list(touched.parents),
        affected_kg=text(touched.affected_kg),
        exposed_minutes=touched.exposed_minutes,
        state=touched.standing.state.value,
        places=[
            Place(zone=place.zone, name=Name(vi=place.name_vi, en=place.name_en), since=place.since)
            for place in touched.places
        ],
        shipments=[
            Shipment(
                at=shipment.at,
                destination=shipment.destination,
                quantity_kg=shipment.quantity_kg,
                by=shipment.by,
                reason=shipment.reason,
            )
            for shipment in touched.shipments
        ],
    )


def _as_csv(trace: Trace, name: str) -> StreamingResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(_csv_lines(trace), media_type=CSV, headers=headers)


def _csv_lines(trace: Trace) -> Iterator[str]:
    yield "\ufeff"  # spreadsheets read the letters right with it
    for row in [list(COLUMNS), *(row for lot in trace.lots for row in _rows(lot))]:
        line = io.StringIO()
        csv.writer(line).writerow([_harmless(cell) for cell in row])
        yield line.getvalue()


def _rows(lot: TouchedLot) -> Iterator[list[str]]:
    minutes = "" if lot.exposed_minutes is None else f"{lot.exposed_minutes:.1f}"
    since = iso(lot.since) if lot.since else ""
    facts = [lot.key, lot.gtin, lot.name.vi, " ".join(lot.made_of), since, lot.quantity_kg or "", lot.affected_kg or ""]
    facts += [minutes, lot.state, " ".join(place.zone for place in lot.places)]
    for shipment in lot.shipments:
        yield [*facts, iso(shipment.at), shipment.destination, shipment.quantity_kg or ""]
    if not lot.shipments:
        yield [*facts, "", "", ""]


def _harmless(cell: str) -> str:
    """A spreadsheet must not run what somebody wrote into a name (OWASP, CSV injection)."""
    return f"'{cell}" if cell[:1] in {"=", "+", "-", "@", "\t", "\r"} else cell
