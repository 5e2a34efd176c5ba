"""What happened to goods: received, slaughtered, cut, packed, measured, held, released, shipped. Append-only."""

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from cloud import lots
from cloud.api.context import ApiContext, Context, Strict
from cloud.api.times import At, AtFromOutside
from cloud.live import Change

router = APIRouter(tags=["lot events"])
Kind = Literal[
    "receive", "slaughter", "cut", "pack", "split", "merge", "rework", "aggregate", "measure",
    "ship", "hold", "release", "reject", "downgrade", "recall", "destroy", "correction",
]  # fmt: skip


class Item(Strict):
    lot: str = Field(examples=["BM261120-03"])
    quantity_kg: str | None = Field(default=None, description="Exact decimal; none: all of it", examples=["640"])
    pieces: int | None = Field(default=None, ge=0, examples=[1200])


class Document(Strict):
    type: str = Field(min_length=1, max_length=40, examples=["cert"])
    number: str = Field(min_length=1, max_length=80, examples=["KD-0812/TN"])


class _Said(Strict):
    kind: Kind
    by: str = Field(min_length=1, max_length=80, examples=["Võ Thị Hạnh"])
    event_id: str = Field(default="", max_length=200, description="A URI; made from the event's words if not given")
    inputs: list[Item] = Field(default=[], max_length=500)
    outputs: list[Item] = Field(default=[], max_length=500)
    subjects: list[Item] = Field(default=[], max_length=500)
    zone: str | None = Field(default=None, description="Where the outputs or subjects are afterwards")
    reason: str = Field(default="", max_length=500)
    carrier: str | None = Field(default=None, description="aggregate: the EPC of the carrier")
    breach: str | None = Field(default=None, description="hold, release ...: the breach it is about")
    corrects: str | None = Field(default=None, description="correction: the event that was wrong")
    transformation_id: str | None = Field(default=None, max_length=200)
    source: str | None = Field(default=None, max_length=200)
    destination: str | None = Field(default=None, max_length=200)
    core_celsius: str | None = Field(default=None, examples=["3.1"])
    documents: list[Document] = Field(default=[], max_length=50)


class NewEvent(_Said):
    at: AtFromOutside


class Event(_Said):
    """An event in the books."""

    at: At
    biz_step: str = Field(description="A word of CBV 2.0, or our own URI where it has none")
    disposition: str
    recorded_at: At
    corrected_at: At | None = Field(description="When it became known that this was wrong")


class EventList(BaseModel):
    events: list[Event]


@router.post("/lot-events", status_code=201)
def add_event(body: NewEvent, context: Context, response: Response) -> Event:
    """200 when exactly this event was there; 409 when its id says something else, a lot would be made of itself, or
    a shipment meets a hold or an open breach.
    """
    event = msgspec.convert(body.model_dump(), lots.LotEvent)
    with context.store.write() as connection:
        taken = lots.record_event(connection, event, context.now_ms())
        recorded = lots.event_by_id(connection, taken.event.event_id)
    if taken.is_new:
        tell_of(context, taken.event)
    else:
        response.status_code = 200
    return shown(recorded)


class EventQuery(Strict):
    lot: str = Field(max_length=100, description="The lot whose events are asked for")
    known_at: AtFromOutside | None = Field(default=None, description="As it was known then")


@router.get("/lot-events")
def list_events(context: Context, query: Annotated[EventQuery, Query()]) -> EventList:
    """All that happened to one lot, in the order in which it happened."""
    known_at = context.now_ms() if query.known_at is None else query.known_at
    with context.store.read() as connection:
        lot = lots.lot_by_key(connection, query.lot)
        found = lots.events_of_lot(connection, lot.id, known_at)
    return EventList(events=[shown(recorded) for recorded in found])


def tell_of(context: ApiContext, event: lots.LotEvent) -> None:
    context.hub.publish_changed([Change("lot", key) for key in dict.fromkeys(item.lot for item in event.items)])


def shown(recorded: lots.Recorded) -> Event:
    facts = msgspec.to_builtins(recorded.event) | {
        "recorded_at": recorded.recorded_at,
        "corrected_at": recorded.corrected_at,
    }
    return Event.model_validate(facts)
