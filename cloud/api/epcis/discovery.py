"""What there is and how it is spoken to: the root, and OPTIONS everywhere."""

import re

from fastapi import APIRouter, Depends, Response
from fastapi.responses import JSONResponse

from cloud.api.epcis.captures import LIMITS
from cloud.api.epcis.protocol import DISCOVERY, answer, collection, negotiate
from cloud.trace.epcis.errors import UnknownNameError

router = APIRouter(dependencies=[Depends(negotiate)])
RESOURCES = (
    "capture",
    "events",
    "eventTypes",
    "epcs",
    "bizSteps",
    "bizLocations",
    "readPoints",
    "dispositions",
    "queries",
)
_ALLOWED = (
    (r"", "OPTIONS, GET"),
    (r"capture|events|queries|queries/[^/]+/subscriptions", "OPTIONS, POST, GET"),
    (r"queries/[^/]+|queries/[^/]+/subscriptions/[^/]+", "OPTIONS, GET, DELETE"),
    (r"nextPageToken/.+", "OPTIONS, DELETE"),
    (rf"({'|'.join(RESOURCES)})(/.+)?", "OPTIONS, GET"),
)


@router.get("/")
def list_resources() -> JSONResponse:
    return answer(collection(list(RESOURCES)))


@router.delete("/nextPageToken/{token}")
def forget_token(token: str) -> Response:
    """Tokens say where to go on and hold nothing here, so forgetting one is no work."""
    del token
    return Response(status_code=204)


@router.options("/{path:path}")
def discover(path: str = "") -> Response:
    allowed = next((methods for pattern, methods in _ALLOWED if re.fullmatch(pattern, path)), None)
    if allowed is None:
        raise UnknownNameError("resource", path)
    limits = LIMITS if path == "capture" else {}
    return Response(status_code=204, headers={"Allow": allowed, **DISCOVERY, **limits})
