"""The REST API: one application, one router for each resource."""

from fastapi import APIRouter, FastAPI

from cloud.api import (
    alarms,
    carriers,
    contexts,
    digital_link,
    exports,
    genealogy,
    health,
    ingest,
    instruments,
    labels,
    limits,
    live,
    lot_events,
    lot_import,
    lots,
    public_lots,
    story,
    trace,
    trust,
    zones,
)
from cloud.api.context import ApiContext
from cloud.api.epcis import router as epcis
from cloud.api.epcis.problems import add_epcis_problem_handlers
from cloud.api.problems import PROBLEMS, add_problem_handlers

RESOURCES = (
    zones.router,
    lots.router,
    story.router,
    genealogy.router,
    lot_events.router,
    lot_import.router,
    trace.router,
    labels.router,
    public_lots.router,
    carriers.router,
    alarms.router,
    limits.router,
    contexts.router,
    trust.router,
    instruments.router,
    exports.router,
    ingest.router,
    live.router,
)

_DESCRIPTION = """
Coldlink's readings, zones, lots and alarms. Times are ISO 8601 in UTC with milliseconds. Measured values are exact
decimals as text; statistics over many readings are numbers. Errors are RFC 9457 problem details. Unknown query keys
are refused. A POST that is repeated with the same body changes nothing and answers 200 instead of 201.

Open, single user, on loopback only: there is no sign-in yet.
"""


def create_api(context: ApiContext) -> FastAPI:
    app = FastAPI(
        title="Coldlink",
        version="1",
        description=_DESCRIPTION,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.context = context
    add_problem_handlers(app)
    add_epcis_problem_handlers(app)
    resources = APIRouter(prefix="/api/v1", responses=PROBLEMS)
    for router in RESOURCES:
        resources.include_router(router)
    app.include_router(resources)
    app.include_router(health.router)
    app.include_router(epcis)
    app.include_router(digital_link.router)
    return app
