"""Lots from a table, as spreadsheets and other programs have them."""

from typing import Annotated

from fastapi import APIRouter, Body, Query, Response
from pydantic import BaseModel, Field

from cloud import lots
from cloud.api.context import Context, Strict
from cloud.api.problems import Fault, ProblemError
from cloud.live import Change

router = APIRouter(tags=["lots"])
_EXAMPLE = (
    "lot,gtin,name_vi,name_en,quantity_kg,created_at\n"
    "BM261120-03,09521234543213,Đùi góc tư,Leg quarters,1248.6,2026-11-20T02:10:00Z\n"
)
Table = Annotated[str, Body(media_type="text/csv", max_length=4_000_000, examples=[_EXAMPLE])]


class ImportQuery(Strict):
    dry_run: bool = Field(default=False, description="Say what would happen, and change nothing")


class Import(BaseModel):
    dry_run: bool
    new: int
    known: int = Field(description="Rows that are in the books already, exactly so")


class _NothingKept(Exception):
    """Ends a transaction without a trace."""


@router.post("/lots-import", status_code=201)
def import_lots(body: Table, context: Context, response: Response, query: Annotated[ImportQuery, Query()]) -> Import:
    """All rows or none; 422 names row and column of each fault. 200 for a dry run, or when nothing was new."""
    done = lots.Imported(0, 0, [])
    try:
        with context.store.write() as connection:
            done = lots.import_lots(connection, body, context.now_ms())
            if done.faults or query.dry_run:
                raise _NothingKept
    except _NothingKept:
        pass
    if done.faults:
        faults = [Fault(where=f"row {fault.row}, {fault.column}", message=fault.message) for fault in done.faults]
        detail = f"nothing was taken: {len(faults)} rows cannot be, the first is {faults[0].where}: {faults[0].message}"
        raise ProblemError(422, "bad_table", detail, faults[:200])
    if query.dry_run or not done.new:
        response.status_code = 200
    else:
        context.hub.publish_changed([Change("lot")])
    return Import(dry_run=query.dry_run, new=done.new, known=done.known)
