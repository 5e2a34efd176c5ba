"""What a lot was made of, and what was made of it, with weights, shares and mass balance."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from cloud import lots
from cloud.api.context import Context, Strict
from cloud.api.lots import Lot, LotKey, with_places
from cloud.api.times import At, AtFromOutside

router = APIRouter(prefix="/lots", tags=["lots"])
_SHARE = Decimal("0.0001")
_KG = Decimal("0.001")


class Relative(Lot):
    generation: int = Field(description="0: the lot itself; -1: what it was made of; 1: what was made of it")
    state: Literal["free", "held", "rejected", "recalled", "destroyed"]
    shipped_to: list[str]


class Descent(BaseModel):
    parent: str
    child: str
    event: str
    kind: str = Field(examples=["cut"])
    at: At
    kg: str | None = Field(description="Of the parent in the child, by weight; null: not weighed", examples=["640"])


class Made(BaseModel):
    event: str
    kind: str
    at: At
    in_kg: str | None
    out_kg: str | None
    gained: str | None = Field(description="What came out of each kilogram", examples=["0.953"])
    balance: Literal["balanced", "too_little", "too_much", "unknown"]


class Origin(BaseModel):
    lot: str
    share: str | None = Field(description="null: known to be in it, not how much", examples=["0.6054"])


class Genealogy(BaseModel):
    lot: str
    lots: list[Relative]
    descent: list[Descent]
    transformations: list[Made]
    origins: list[Origin] = Field(description="It is of all of these; nothing finer is recorded")


class GenealogyQuery(Strict):
    direction: Literal["both", "back", "forward"] = "both"
    known_at: AtFromOutside | None = Field(default=None, description="As it was known then")


@router.get("/{key}/genealogy")
def show_genealogy(key: LotKey, context: Context, query: Annotated[GenealogyQuery, Query()]) -> Genealogy:
    """Both directions, or one of them."""
    known_at = context.now_ms() if query.known_at is None else query.known_at
    with context.store.read() as connection:
        return read_genealogy(connection, key, known_at, direction=query.direction)


def read_genealogy(connection: Connection, key: str, known_at: int, *, direction: str = "both") -> Genealogy:
    """Raises UnknownLotError."""
    lot = lots.lot_by_key(connection, key)
    back = lots.ancestors(connection, [lot.id], known_at)
    families = [back] if direction == "back" else []
    if direction != "back":
        families = [lots.descendants(connection, [lot.id], known_at), *([back] if direction == "both" else [])]
    known = {key: lot for family in families for key, lot in family.lots.items()}
    edges = list(dict.fromkeys(edge for family in families for edge in family.edges))
    depth = lots.generations(key, edges)
    made = {each.event_id: each for family in families for each in family.transformations}
    return Genealogy(
        lot=key,
        lots=sorted(_relatives(connection, known.values(), depth, known_at), key=lambda one: (one.generation, one.key)),
        descent=[_descent(edge) for edge in sorted(edges, key=lambda edge: (edge.at, edge.parent, edge.child))],
        transformations=[_made(each) for each in sorted(made.values(), key=lambda each: (each.at, each.event_id))],
        origins=[Origin(lot=one.lot, share=text(one.share, _SHARE)) for one in lots.origins(key, back.edges)],
    )


def text(number: Decimal | None, step: Decimal = _KG) -> str | None:
    return None if number is None else f"{number.quantize(step).normalize():f}"


def _relatives(
    connection: Connection, found: Iterable[lots.Lot], depth: dict[str, int], known_at: int
) -> list[Relative]:
    family = list(found)
    number = {lot.key: lot.id for lot in family}
    states = lots.standings(connection, list(number.values()), known_at)
    shipped = lots.shipments_of(connection, list(number.values()), known_at)
    return [
        Relative(
            **summary.model_dump(),
            generation=depth.get(summary.key, 0),
            state=states[number[summary.key]].state.value,
            shipped_to=[shipment.destination for shipment in shipped.get(number[summary.key], [])],
        )
        for summary in with_places(connection, family)
    ]


def _descent(edge: lots.Edge) -> Descent:
    return Descent(
        parent=edge.parent,
        child=edge.child,
        event=edge.event_id,
        kind=edge.kind.value,
        at=edge.at,
        kg=text(edge.kilograms),
    )


def _made(made: lots.Transformation) -> Made:
    return Made(
        event=made.event_id,
        kind=made.kind.value,
        at=made.at,
        in_kg=text(made.in_kg),
        out_kg=text(made.out_kg),
        gained=text(made.gained, _SHARE),
        balance=made.balance.value,
    )
