"""Contexts: what people say is going on in a zone, so that a warm room has its explanation."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field, model_validator
from sqlalchemy import Connection

from cloud.api.context import Context, NoQuery, Strict
from cloud.api.problems import ProblemError
from cloud.api.times import At, AtFromOutside
from cloud.site.contexts import Span, record_span, spans_between
from cloud.site.repository import zone_by_key, zones
from rules import ContextKind

DAY_MS = 86_400_000
router = APIRouter(prefix="/zones/{zone_key}/contexts", tags=["contexts"])


class SaidContext(BaseModel):
    kind: ContextKind
    from_at: At
    until_at: At
    by: str
    note: str | None


class SaidContexts(BaseModel):
    zone: str
    contexts: list[SaidContext]


class NewContext(Strict):
    kind: ContextKind = Field(examples=["maintenance"])
    from_at: AtFromOutside
    until_at: AtFromOutside
    by: str = Field(min_length=1, max_length=80, examples=["Nguyễn Thị Mai"])
    note: str = Field(default="", max_length=500, examples=["Thay quạt dàn lạnh"])

    @model_validator(mode="after")
    def _has_a_length(self) -> "NewContext":
        if not 0 < self.until_at - self.from_at <= DAY_MS:
            raise ValueError("it must end after it begins, within a day; say a longer one day by day")
        return self


class SpanQuery(Strict):
    days: int = Field(default=14, ge=1, le=366)


@router.get("")
def list_contexts(zone_key: str, context: Context, query: Annotated[SpanQuery, Query()]) -> SaidContexts:
    """What people said of the last days, and what they announced for the next one."""
    now = context.now_ms()
    with context.store.read() as connection:
        spans = spans_between(connection, zone_id_of(connection, zone_key), now - query.days * DAY_MS, now + DAY_MS)
    return SaidContexts(zone=zone_key, contexts=[_said(span) for span in spans])


@router.post("", status_code=201)
def say_context(zone_key: str, body: NewContext, context: Context, response: Response, _: NoQuery) -> SaidContext:
    """A named person says what is or was going on. It lengthens the delays of limits that know its kind."""
    span = Span(body.kind, body.from_at, body.until_at, body.by, body.note or None)
    with context.store.write() as connection:
        is_new = record_span(connection, zone_id_of(connection, zone_key), span, context.now_ms())
    response.status_code = 201 if is_new else 200
    return _said(span)


def zone_id_of(connection: Connection, key: str) -> int:
    zone = zone_by_key(connection, key)
    if zone is None:
        known = ", ".join(one.key for one in zones(connection))
        raise ProblemError(404, "unknown_zone", f"no zone {key!r}; known: {known}")
    return zone.id


def _said(span: Span) -> SaidContext:
    return SaidContext(kind=span.kind, from_at=span.from_at, until_at=span.until_at, by=span.by, note=span.note)
