"""Carriers: crates, racks and pallets with a tag, and what they hold."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from cloud import lots
from cloud.api.context import Context, NoQuery, Strict
from cloud.api.lots import Move, Taken, tell
from cloud.api.times import AtFromOutside

router = APIRouter(prefix="/carriers", tags=["carriers"])
Epc = Annotated[str, Path(examples=["e2806894000040051c8d4b3a"])]


class NewCarrier(Strict):
    epc: str = Field(description="The tag's EPC in hex", examples=["e2806894000040051c8d4b3a"])
    kind: str = Field(min_length=1, max_length=40, examples=["crate"])
    name: str = Field(max_length=80, examples=["K-017"])


class NewLoad(Strict):
    lot: str = Field(examples=["BM261121-01"])
    at: AtFromOutside


class Unload(Strict):
    at: AtFromOutside


class Carrier(BaseModel):
    epc: str
    kind: str
    name: str


@router.post("", status_code=201)
def add_carrier(body: NewCarrier, context: Context, response: Response, _: NoQuery) -> Carrier:
    """A carrier enters the books. 200 when exactly this carrier was there."""
    with context.store.write() as connection:
        is_new = lots.record_carrier(connection, epc=body.epc, kind=body.kind, name=body.name, now_ms=context.now_ms())
    response.status_code = 201 if is_new else 200
    return Carrier(epc=body.epc.lower(), kind=body.kind, name=body.name)


@router.post("/{epc}/load", status_code=201)
def load_carrier(epc: Epc, body: NewLoad, context: Context, response: Response, _: NoQuery) -> Taken:
    """From now on the carrier holds the lot; 409 while it still holds another."""
    with context.store.write() as connection:
        is_new = lots.record_load(connection, epc=epc, lot=body.lot, at=body.at, now_ms=context.now_ms())
    tell(context, response, body.lot, is_new=is_new)
    return Taken(is_new=is_new)


@router.post("/{epc}/unload", status_code=201)
def unload_carrier(epc: Epc, body: Unload, context: Context, response: Response, _: NoQuery) -> Taken:
    """From now on the carrier is empty."""
    with context.store.write() as connection:
        is_new = lots.record_unload(connection, epc=epc, at=body.at, now_ms=context.now_ms())
    tell(context, response, epc, is_new=is_new)
    return Taken(is_new=is_new)


@router.post("/{epc}/move", status_code=201)
def move_carrier(epc: Epc, body: Move, context: Context, response: Response, _: NoQuery) -> Taken:
    """Somebody says where the carrier is since when."""
    with context.store.write() as connection:
        is_new = lots.record_carrier_move(
            connection, epc=epc, zone=body.zone, at=body.at, by=body.by, now_ms=context.now_ms()
        )
    tell(context, response, epc, is_new=is_new)
    return Taken(is_new=is_new)
