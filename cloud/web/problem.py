"""What a person sees instead of problem details when a page cannot be shown."""

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from cloud import lots
from cloud.api import problems
from cloud.errors import StoreUnavailableError
from cloud.web.pages import page_of


def add_problem_pages(app: FastAPI) -> None:
    """Pages answer with a page, the API goes on answering with problem details."""
    app.add_exception_handler(problems.ProblemError, _of_resource)
    app.add_exception_handler(RequestValidationError, _of_request)
    app.add_exception_handler(lots.LotError, _of_lot)
    app.add_exception_handler(HTTPException, _of_framework)
    app.add_exception_handler(StoreUnavailableError, _of_store)


async def _of_resource(request: Request, error: Exception) -> Response:
    assert isinstance(error, problems.ProblemError)
    return _page(request, error.status) or await problems.of_resource(request, error)


async def _of_request(request: Request, error: Exception) -> Response:
    return _page(request, 422) or await problems.of_request(request, error)


async def _of_lot(request: Request, error: Exception) -> Response:
    return _page(request, problems.LOT_PROBLEMS[type(error)][0]) or await problems.of_lot(request, error)


async def _of_framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _page(request, error.status_code) or await problems.of_framework(request, error)


async def _of_store(request: Request, error: Exception) -> Response:
    return _page(request, 503) or await problems.of_store(request, error)


def _page(request: Request, status: int) -> Response | None:
    """None for programs: everything under /api, and whoever does not ask for HTML."""
    if request.url.path.startswith("/api/") or "text/html" not in request.headers.get("accept", ""):
        return None
    page = page_of(request)
    response = page.render("problem.html", section="", site_name="", open_alarms=0, is_busy=status == 503)
    response.status_code = status
    return response
