"""Named queries: kept under a name, asked again whenever somebody looks."""

from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from cloud.api.context import Context
from cloud.api.epcis.events import answer_query
from cloud.api.epcis.protocol import (
    Format,
    JsonBody,
    Parameters,
    answer,
    negotiate,
    next_link,
    query_parameters,
    read_token,
    take_page,
    token_of,
)
from cloud.trace.epcis.errors import QueryParameterError
from cloud.trace.epcis.questions import Question, ask, forget, question_by_name, questions_after

router = APIRouter(prefix="/queries", dependencies=[Depends(negotiate)])


@router.post("")
def keep(body: JsonBody, context: Context) -> JSONResponse:
    with context.store.write() as connection:
        question = ask(connection, body, context.now_ms())
    return answer(_json(question), 201, headers={"Location": f"/epcis/queries/{quote(question.name)}"})


@router.get("")
def list_queries(request: Request, context: Context) -> JSONResponse:
    per_page, token = take_page(query_parameters(request))
    after = "" if token is None else read_token(token)
    if not isinstance(after, str):
        raise QueryParameterError("nextPageToken", "it was not given out here")
    with context.store.read() as connection:
        found = questions_after(connection, after, per_page + 1)
    link = next_link(request, per_page, token_of(found[per_page - 1].name)) if len(found) > per_page else None
    return answer([_json(question) for question in found[:per_page]], link=link)


@router.get("/{name}")
def show_query(name: str, context: Context) -> JSONResponse:
    with context.store.read() as connection:
        return answer(_json(question_by_name(connection, name)))


@router.delete("/{name}")
def drop_query(name: str, context: Context) -> Response:
    with context.store.write() as connection:
        forget(connection, name)
    return Response(status_code=204)


@router.get("/{name}/events")
def find_events_of_query(name: str, request: Request, context: Context, wanted: Format) -> JSONResponse:
    """What the query finds now."""
    with context.store.read() as connection:
        question = question_by_name(connection, name)
    given = query_parameters(request)
    paging: Parameters = {key: given.pop(key) for key in ("perPage", "nextPageToken") if key in given}
    if given:
        raise QueryParameterError(next(iter(given)), "a named query is asked as it was kept")
    return answer_query(request, context, wanted, {**question.parameters, **paging}, name)


def _json(question: Question) -> dict[str, object]:
    return {"name": question.name, "query": question.body}
