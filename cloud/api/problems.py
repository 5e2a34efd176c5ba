"""Errors as RFC 9457 problem details: what is wrong, with what, and what would be right."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from cloud import lots
from cloud.errors import StoreUnavailableError

MEDIA_TYPE = "application/problem+json"
_TITLES = {
    404: "Not found",
    405: "This resource does not do that",
    409: "In conflict with what is known",
    422: "The request cannot be understood",
    503: "Not now",
}


LOT_PROBLEMS: Mapping[type[Exception], tuple[int, str]] = {
    lots.UnknownZoneError: (404, "unknown_zone"),
    lots.UnknownLotError: (404, "unknown_lot"),
    lots.UnknownCarrierError: (404, "unknown_carrier"),
    lots.BadGtinError: (422, "bad_gtin"),
    lots.BadEpcError: (422, "bad_epc"),
    lots.BadQuantityError: (422, "bad_quantity"),
    lots.ConflictingFactError: (409, "conflicting_fact"),
    lots.OverlappingLoadError: (409, "overlapping_load"),
    lots.UnloadBeforeLoadError: (409, "unload_before_load"),
    lots.BadEventError: (422, "bad_event"),
    lots.UnknownEventError: (404, "unknown_event"),
    lots.CycleError: (409, "cycle"),
    lots.ShipmentRefusedError: (409, "shipment_refused"),
}


class Fault(BaseModel):
    where: str = Field(examples=["query.until"])
    message: str = Field(examples=["unknown key"])


class Problem(BaseModel):
    """RFC 9457."""

    model_config = ConfigDict(json_schema_extra={"examples": [{
        "type": "urn:coldlink:problem:unknown_zone",
        "title": "Not found",
        "status": 404,
        "detail": "no zone 'kho-lanh-x'; known: be-1, kho-lanh-a",
        "errors": [],
    }]})  # fmt: skip

    type: str
    title: str
    status: int
    detail: str
    errors: list[Fault] = []


class ProblemError(Exception):
    """Raised by a resource; `name` is the machine's word for it."""

    def __init__(self, status: int, name: str, detail: str, errors: Sequence[Fault] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.name = name
        self.detail = detail
        self.errors = list(errors)


PROBLEMS: dict[int | str, dict[str, Any]] = {  # Any: FastAPI's own shape
    status: {"model": Problem, "description": _TITLES[status], "content": {MEDIA_TYPE: {}}}
    for status in (404, 409, 422, 503)
}


def answer(
    status: int,
    name: str,
    detail: str,
    errors: Sequence[Fault] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    problem = Problem(
        type=f"urn:coldlink:problem:{name}",
        title=_TITLES.get(status, "Problem"),
        status=status,
        detail=detail,
        errors=list(errors),
    )
    return JSONResponse(problem.model_dump(), status, headers=headers, media_type=MEDIA_TYPE)


def add_problem_handlers(app: FastAPI) -> None:
    app.add_exception_handler(ProblemError, of_resource)
    app.add_exception_handler(RequestValidationError, of_request)
    app.add_exception_handler(lots.LotError, of_lot)
    app.add_exception_handler(HTTPException, of_framework)
    app.add_exception_handler(StoreUnavailableError, of_store)


async def of_resource(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ProblemError)
    return answer(error.status, error.name, error.detail, error.errors)


async def of_request(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    faults = [_fault(item) for item in error.errors()]
    return answer(422, "invalid_request", "; ".join(f"{f.where}: {f.message}" for f in faults), faults)


async def of_lot(_: Request, error: Exception) -> JSONResponse:
    status, name = LOT_PROBLEMS[type(error)]
    return answer(status, name, str(error))


async def of_framework(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    name = {404: "unknown_path", 405: "unknown_method"}.get(error.status_code, "http")
    detail = f"{request.method} {request.url.path}: {error.detail}"
    return answer(error.status_code, name, detail, headers=error.headers)


async def of_store(_: Request, error: Exception) -> JSONResponse:
    detail = f"the database is not to be had: {error}"
    return answer(503, "store_unavailable", detail, headers={"Retry-After": "2"})


def _fault(item: Mapping[str, Any]) -> Fault:  # Any: pydantic's own error dict
    where = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        return Fault(where=where, message="unknown key")
    return Fault(where=where, message=str(item["msg"]).removeprefix("Value error, "))
