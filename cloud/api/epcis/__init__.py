"""The EPCIS 2.0 REST interface under /epcis: capture, events, what they name, named queries and who is told.

Its contract is GS1's own OpenAPI document, so it stands beside ours and not in it.
"""

from fastapi import APIRouter

from cloud.api.epcis import captures, discovery, events, queries, resources, subscriptions

router = APIRouter(prefix="/epcis", include_in_schema=False)
for part in (captures, events, queries, subscriptions, resources, discovery):
    router.include_router(part.router)
