"""Everything that was stored, as lines: for audits, other programs and spreadsheets."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from sqlalchemy import Connection, Row

from cloud.api.context import ApiContext, Context, Strict
from cloud.api.times import At, AtFromOutside, iso
from cloud.api.values import exact, quality_of, read_reasons, reason_of, time_is_uncertain
from cloud.store.queries import load_queries

LINES = "application/x-ndjson"
_CHUNK = 500
_queries = load_queries("cloud.api")
router = APIRouter(tags=["export"])


class ExportQuery(Strict):
    """Half-open range of `observed_at`; without bounds everything is given."""

    gateway: str | None = Field(default=None, examples=["gw-01"])
    from_at: AtFromOutside | None = Field(default=None, alias="from")
    until_at: AtFromOutside | None = Field(default=None, alias="until")

    def bounds(self) -> dict[str, str | int | None]:
        return {
            "gateway": self.gateway,
            "from_at": 0 if self.from_at is None else self.from_at,
            "until_at": 1 << 62 if self.until_at is None else self.until_at,
        }


class DeclaredGap(BaseModel):
    gateway: str
    reason: str = Field(examples=["power_off"])
    from_at: At | None
    until_at: At | None
    point: str | None = Field(examples=["kho-lanh-a-probe/temperature"])
    detail: str


class GapList(BaseModel):
    gaps: list[DeclaredGap]


Wanted = Annotated[ExportQuery, Query()]
_LINES_DOC: dict[int | str, dict[str, Any]] = {  # Any: OpenAPI's own shape
    200: {
        "description": "One JSON object a line",
        "content": {
            LINES: {
                "example": '{"gateway":"gw-01","device":"kho-lanh-a-probe","point":"temperature",'
                '"observed_at":"2026-11-21T07:32:05.250Z","value":"-19.4","unit":"°C","quality":"good",'
                '"reason":null,"time_uncertain":false}\n'
            }
        },
    }
}


@router.get("/readings/export", response_class=StreamingResponse, responses=_LINES_DOC)
def export_readings(context: Context, wanted: Wanted) -> StreamingResponse:
    """Every stored reading, series by series in time order."""
    return StreamingResponse(_reading_lines(context, wanted), media_type=LINES)


@router.get("/sightings/export", response_class=StreamingResponse)
def export_sightings(context: Context, wanted: Wanted) -> StreamingResponse:
    """Every stored sighting: one EPC at one antenna over a short time, with how often it was read."""
    return StreamingResponse(_sighting_lines(context, wanted), media_type=LINES)


@router.get("/weighings/export", response_class=StreamingResponse)
def export_weighings(context: Context, wanted: Wanted) -> StreamingResponse:
    """Every stored weighing."""
    return StreamingResponse(_weighing_lines(context, wanted), media_type=LINES)


@router.get("/gaps")
def list_gaps(context: Context, wanted: Wanted) -> GapList:
    """What a gateway declared as never measured or not kept, and why."""
    with context.store.read() as connection:
        rows = connection.execute(_queries.gaps, wanted.bounds())
        return GapList(gaps=[_gap(row) for row in rows])


def _reading_lines(context: ApiContext, wanted: ExportQuery) -> Iterator[str]:
    with context.store.read() as connection:
        reasons = read_reasons(connection)
        for series in connection.execute(_queries.series_of, {"gateway": wanted.gateway}).all():
            head = {"gateway": series.gateway, "device": series.device, "point": series.point}
            bounds = {**wanted.bounds(), "series_id": series.id}
            yield from lines(
                {
                    **head,
                    "observed_at": iso(row.observed_at),
                    "value": exact(row.value, row.detail),
                    "unit": series.unit,
                    "quality": quality_of(row.detail),
                    "reason": reason_of(row.detail, reasons),
                    "time_uncertain": time_is_uncertain(row.detail),
                }
                for row in _stream(connection, "readings_of", bounds)
            )


def _sighting_lines(context: ApiContext, wanted: ExportQuery) -> Iterator[str]:
    with context.store.read() as connection:
        yield from lines(
            {
                "gateway": row.gateway,
                "device": row.device,
                "point": row.point,
                "epc": row.epc,
                "observed_at": iso(row.observed_at),
                "last_at": iso(row.last_at),
                "reads": row.reads,
                "rssi_dbm": row.rssi_dbm,
                "antenna": row.antenna or None,
            }
            for row in _stream(connection, "sightings", wanted.bounds())
        )


def _weighing_lines(context: ApiContext, wanted: ExportQuery) -> Iterator[str]:
    with context.store.read() as connection:
        yield from lines(
            {
                "gateway": row.gateway,
                "device": row.device,
                "point": row.point,
                "observed_at": iso(row.observed_at),
                "value": f"{row.value:.{row.decimals}f}",
                "unit": row.unit,
                "mode": row.mode,
                "stable_derived": bool(row.stable_derived),
            }
            for row in _stream(connection, "weighings", wanted.bounds())
        )


def _stream(connection: Connection, query: str, bounds: dict[str, Any]) -> Iterator[Row[Any]]:
    found = connection.execution_options(yield_per=_CHUNK).execute(getattr(_queries, query), bounds)
    yield from found


def lines(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    """Some hundred lines at a time: one line a chunk would cost more than the line."""
    chunk = []
    for row in rows:
        chunk.append(json.dumps(row, ensure_ascii=False, separators=(",", ":")))
        if len(chunk) == _CHUNK:
            yield "\n".join(chunk) + "\n"
            chunk = []
    if chunk:
        yield "\n".join(chunk) + "\n"


def _gap(row: Row[Any]) -> DeclaredGap:
    return DeclaredGap(
        gateway=row.gateway,
        reason=row.reason,
        from_at=row.from_at,
        until_at=row.until_at,
        point=f"{row.device}/{row.point}" if row.device else None,
        detail=row.detail,
    )
