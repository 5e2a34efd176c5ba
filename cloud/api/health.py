"""Is the server alive and its database there: for supervisors and load balancers."""

from fastapi import APIRouter
from pydantic import BaseModel

from cloud.api.context import Context, NoQuery
from cloud.store.queries import load_queries

_queries = load_queries("cloud.api")
router = APIRouter(tags=["health"])


class Health(BaseModel):
    status: str = "ok"


@router.get("/healthz")
def healthz(context: Context, _: NoQuery) -> Health:
    """200 when the database answers, 503 when not."""
    with context.store.read() as connection:
        connection.execute(_queries.count_open_alarms).one()
    return Health()
