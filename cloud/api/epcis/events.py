"""Events, found by their ID or by a query, and one at a time taken in."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from cloud.api.context import ApiContext, Context
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
from cloud.api.times import iso
from cloud.live import Change
from cloud.trace.epcis.adopt import adopt
from cloud.trace.epcis.books import Booked, Position, events_by_id, record_event, search
from cloud.trace.epcis.document import query_document, read_captured
from cloud.trace.epcis.errors import QueryParameterError
from cloud.trace.epcis.format import EpcFormat, formatted
from cloud.trace.epcis.query import Query, parse_query

router = APIRouter(prefix="/events", dependencies=[Depends(negotiate)])


@router.post("")
def take_event(body: JsonBody, context: Context, wanted: Format) -> JSONResponse:
    """201 with the event; 409 when its ID is there and it is no error declaration."""
    event = read_captured(body, {})
    with context.store.write() as connection:
        record_event(connection, event, context.now_ms())
        for _ in adopt(connection, [event], context.trace, context.now_ms()):
            context.hub.publish_changed([Change("lot")])
    booked = booked_json(context, _found(context, event.event_id)[-1], wanted)
    own = query_document([(booked, event.definitions)], "")["@context"]
    where = f"/epcis/events/{quote(event.event_id, safe=':;')}"
    return answer({"@context": own, **booked}, 201, headers={"Location": where})


@router.get("")
def find_events(request: Request, context: Context, wanted: Format) -> JSONResponse:
    return answer_query(request, context, wanted, query_parameters(request))


@router.get("/{event_id:path}")
def show_event(event_id: str, request: Request, context: Context, wanted: Format) -> JSONResponse:
    """The event and, if somebody said so, the declaration that it was wrong."""
    if request.url.query.startswith("ver="):
        event_id = f"{event_id}?{request.url.query}"  # a hash ID that came unescaped
    return answer(document_of(context, _found(context, event_id), wanted))


def answer_query(
    request: Request, context: ApiContext, wanted: EpcFormat, parameters: Parameters, name: str = "SimpleEventQuery"
) -> JSONResponse:
    per_page, token = take_page(parameters)
    query = parse_query(parameters)
    start = None if token is None else _start(query, token)
    with context.store.read() as connection:
        page = search(connection, query, per_page, start)
    link = None
    if page.following is not None:
        link = next_link(request, per_page, token_of([query.digest, *page.following]))
    return answer(document_of(context, page.events, wanted, name), link=link)


def document_of(
    context: ApiContext, events: Iterable[Booked], wanted: EpcFormat, name: str = "SimpleEventQuery"
) -> dict[str, Any]:
    told = [(booked_json(context, event, wanted), event.definitions) for event in events]
    return query_document(told, iso(context.now_ms()), name)


def booked_json(context: ApiContext, event: Booked, wanted: EpcFormat) -> dict[str, Any]:
    body = formatted(event.body, wanted, context.trace.prefix_digits)
    return {**body, "recordTime": iso(event.recorded_at)}


def _found(context: ApiContext, event_id: str) -> list[Booked]:
    with context.store.read() as connection:
        return events_by_id(connection, event_id)


def _start(query: Query, token: str) -> Position:
    match read_token(token):
        case [str(digest), int(at), int(number), int(given)] if digest == query.digest:
            return Position(at, number, given)
        case _:
            raise QueryParameterError("nextPageToken", "it belongs to another query")
