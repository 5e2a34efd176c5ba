"""EPCIS exceptions as RFC 7807 problem details; what is wrong with an event is listed with its JSON path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from cloud.trace.epcis.errors import (
    DuplicateEventError,
    EpcisError,
    InvalidEventError,
    NameTakenError,
    NotEpcisError,
    QueryParameterError,
    QueryTooLargeError,
    UnknownNameError,
)

MEDIA_TYPE = "application/problem+json"
_ANSWERS: Mapping[type[EpcisError], tuple[int, str, str]] = {
    NotEpcisError: (400, "ValidationException", "This is no EPCIS document"),
    InvalidEventError: (400, "ValidationException", "An event says what cannot be"),
    QueryParameterError: (400, "QueryParameterException", "The query cannot be understood"),
    UnknownNameError: (404, "NoSuchNameException", "Not found"),
    DuplicateEventError: (409, "ResourceAlreadyExistsException", "The event is there already"),
    NameTakenError: (409, "ResourceAlreadyExistsException", "The name is taken"),
    QueryTooLargeError: (413, "QueryTooLargeException", "The answer would be too large"),
}


class EpcisProblem(Exception):
    """Refused before anything is looked at: wrong headers, wrong media type, too much."""

    def __init__(self, status: int, exception: str, detail: str) -> None:
        self.status, self.exception, self.detail = status, exception, detail
        super().__init__(detail)


def add_epcis_problem_handlers(app: FastAPI) -> None:
    app.add_exception_handler(EpcisError, _of_epcis)
    app.add_exception_handler(EpcisProblem, _of_request)


async def _of_epcis(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, EpcisError)
    status, exception, title = _ANSWERS[type(error)]
    faults = [fault._asdict() for fault in error.faults] if isinstance(error, InvalidEventError) else []
    return _answer(status, exception, title, str(error), faults)


async def _of_request(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, EpcisProblem)
    return _answer(error.status, error.exception, "The request cannot be served", error.detail, [])


def _answer(status: int, exception: str, title: str, detail: str, faults: Sequence[Mapping[str, Any]]) -> JSONResponse:
    problem = {"type": f"epcisException:{exception}", "title": title, "status": status, "detail": detail}
    if faults:
        problem["errors"] = list(faults)
    return JSONResponse(problem, status, headers={"GS1-EPCIS-Version": "2.0.0"}, media_type=MEDIA_TYPE)
