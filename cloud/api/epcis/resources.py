"""What events name: types, EPCs, steps, dispositions, read points and locations, each with the events about it."""

from collections.abc import Sequence
from typing import NamedTuple

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from cloud.api.context import Context
from cloud.api.epcis.events import answer_query
from cloud.api.epcis.protocol import (
    Format,
    answer,
    collection,
    negotiate,
    next_link,
    query_parameters,
    read_token,
    take_page,
    token_of,
)
from cloud.trace.epcis.books import distinct_names, is_named
from cloud.trace.epcis.errors import QueryParameterError, UnknownNameError
from cloud.trace.epcis.format import EpcFormat, speller
from cloud.trace.epcis.index import CLASS_FIELDS, EPC_FIELDS
from cloud.trace.epcis.vocabulary import BIZ_STEPS, DISPOSITIONS, EVENT_TYPES, VOCABULARIES, expanded
from cloud.trace.keys import canonical

router = APIRouter(dependencies=[Depends(negotiate)])


class _Resource(NamedTuple):
    """`words`: known without any event. `vocabulary`: how values stand in the index."""

    fields: Sequence[str]
    parameters: Sequence[str]
    words: Sequence[str] = ()
    vocabulary: str | None = None


_RESOURCES = {
    "eventTypes": _Resource(("eventType",), ("eventType",), EVENT_TYPES),
    "bizSteps": _Resource(("bizStep",), ("EQ_bizStep",), sorted(BIZ_STEPS), "bizStep"),
    "dispositions": _Resource(("disposition",), ("EQ_disposition",), sorted(DISPOSITIONS), "disposition"),
    "readPoints": _Resource(("readPoint",), ("EQ_readPoint",)),
    "bizLocations": _Resource(("bizLocation",), ("EQ_bizLocation",)),
    "epcs": _Resource((*EPC_FIELDS, *CLASS_FIELDS), ("MATCH_anyEPC", "MATCH_anyEPCClass")),
}


@router.get("/{resource}")
def list_members(resource: str, request: Request, context: Context, wanted: Format) -> JSONResponse:
    about = _resource(resource)
    per_page, token = take_page(query_parameters(request))
    after = "" if token is None else read_token(token)
    if not isinstance(after, str):
        raise QueryParameterError("nextPageToken", "it was not given out here")
    with context.store.read() as connection:
        used = distinct_names(connection, about.fields, "", 1 << 31) if about.words else []
        names = distinct_names(connection, about.fields, after, per_page + 1) if not about.words else []
    if about.words:
        known = sorted({*about.words, *(_bare(about, value) for value in used)})
        names = [name for name in known if name > after][: per_page + 1]
    page, has_more = names[:per_page], len(names) > per_page
    link = next_link(request, per_page, token_of(page[-1])) if has_more else None
    spell = speller(wanted, context.trace.prefix_digits) if wanted is EpcFormat.URN else str
    return answer(collection([spell(name) for name in page]), link=link)


@router.get("/{resource}/{value:path}/events")
def find_events_of(resource: str, value: str, request: Request, context: Context, wanted: Format) -> JSONResponse:
    about = _resource(resource)
    parameter = _parameter(context, resource, about, value)
    return answer_query(request, context, wanted, {**query_parameters(request), parameter: [value]})


@router.get("/{resource}/{value:path}")
def show_member(resource: str, value: str, context: Context) -> JSONResponse:
    _parameter(context, resource, _resource(resource), value)
    return answer(collection(["events"]))


def _resource(name: str) -> _Resource:
    if name not in _RESOURCES:
        raise UnknownNameError("resource", name)
    return _RESOURCES[name]


def _parameter(context: Context, resource: str, about: _Resource, value: str) -> str:
    """Which query parameter finds the events about it. Raises UnknownNameError when no event names it."""
    if value in about.words:
        return about.parameters[0]
    stored = expanded(about.vocabulary, value) if about.vocabulary else canonical(value)
    with context.store.read() as connection:
        if resource == "epcs" and is_named(connection, CLASS_FIELDS, stored):
            return about.parameters[1]
        if is_named(connection, about.fields, stored):
            return about.parameters[0]
    raise UnknownNameError(resource, value)


def _bare(about: _Resource, value: str) -> str:
    if about.vocabulary is None:
        return value
    head, words = VOCABULARIES[about.vocabulary]
    word = value.removeprefix(head)
    return word if word in words else value
