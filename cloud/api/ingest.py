"""How the ingest is doing: counters of this process, and what lies in quarantine."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from cloud.api.context import Context, Fact, NoQuery
from cloud.api.times import At
from cloud.store.queries import load_queries

_queries = load_queries("cloud.api")
router = APIRouter(tags=["ingest"])


class Quarantined(BaseModel):
    reason: str = Field(examples=["bad_signature"])
    count: int
    newest_at: At


class IngestState(BaseModel):
    now: At
    stats: dict[str, Fact] = Field(description="Counters since this process started; empty without an ingest")
    batches: int = Field(description="Batches committed, ever")
    newest_batch_at: At | None
    quarantine: list[Quarantined]


@router.get("/ingest")
def show_ingest(context: Context, _: NoQuery) -> IngestState:
    """Counters of the ingest and the quarantine by reason."""
    with context.store.read() as connection:
        batches = connection.execute(_queries.batch_totals).one()
        kept = connection.execute(_queries.quarantine_by_reason).all()
    return IngestState(
        now=context.now_ms(),
        stats=dict(context.ingest_stats()),
        batches=batches.batches,
        newest_batch_at=batches.newest_at,
        quarantine=[Quarantined(reason=row.reason, count=row.entries, newest_at=row.newest_at) for row in kept],
    )
