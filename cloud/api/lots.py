"""Lots: find them, record them, and tell what each went through."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from sqlalchemy import Connection, bindparam

from cloud import lots
from cloud.api.context import ApiContext, Context, NoQuery, Strict
from cloud.api.exports import LINES, lines
from cloud.api.times import At, AtFromOutside, iso
from cloud.api.values import Name, exact, quality_of, read_reasons, reason_of
from cloud.live import Change
from cloud.store.queries import load_queries

_queries = load_queries("cloud.api")
_WHERE = _queries.where_lots_are.bindparams(bindparam("lots", expanding=True))
_BREACHES = _queries.breaches_of_lots.bindparams(bindparam("lots", expanding=True))
_FAR = 1 << 62
router = APIRouter(prefix="/lots", tags=["lots"])
LotKey = Annotated[str, Path(examples=["BM261120-03"])]


class Place(BaseModel):
    zone: str
    name: Name
    since: At


class Lot(BaseModel):
    key: str = Field(examples=["BM261120-03"])
    gtin: str = Field(examples=["09521234543213"])
    name: Name
    quantity_kg: str | None = Field(description="Exact decimal", examples=["1248.6"])
    created_at: At
    place: Place | None = Field(description="Where it is now; none when it has left or was never seen")
    breaches: int = Field(description="Confirmed breaches that it was in, those of low severity left out")


class Load(BaseModel):
    epc: str
    kind: str
    name: str
    from_at: At
    until_at: At | None


class LotDetail(Lot):
    carriers: list[Load]


class LotList(BaseModel):
    now: At
    lots: list[Lot]
    total: int
    page: int
    per_page: int
    next: str | None = Field(description="The next page, if there is one")


class LotQuery(Strict):
    q: str = Field(default="", max_length=100, description="Part of number, GTIN or name")
    page: int = Field(default=1, ge=1, le=100_000)
    per_page: int = Field(default=20, ge=1, le=200)


class NewLot(Strict):
    key: str = Field(min_length=1, max_length=40, pattern=r"^\S(.*\S)?$", examples=["BM261121-01"])
    gtin: str = Field(examples=["09521234543213"])
    name: Name
    quantity_kg: str | None = Field(default=None, examples=["986.2"])
    created_at: AtFromOutside


class Move(Strict):
    zone: str | None = Field(description="null: it has left the site", examples=["kho-lanh-b"])
    at: AtFromOutside
    by: str = Field(min_length=1, max_length=80, examples=["Võ Thị Hạnh"])


class Taken(BaseModel):
    """Whether the fact was new; the same fact again changes nothing."""

    is_new: bool


@router.get("")
def list_lots(context: Context, query: Annotated[LotQuery, Query()]) -> LotList:
    """Newest first."""
    with context.store.read() as connection:
        total = lots.count_lots(connection, query.q)
        found = find_lots(connection, query.q, page=query.page, per_page=query.per_page)
    more = query.page * query.per_page < total
    following = query.model_copy(update={"page": query.page + 1})
    return LotList(
        now=context.now_ms(),
        lots=found,
        total=total,
        page=query.page,
        per_page=query.per_page,
        next="/api/v1/lots?" + _query_text(following) if more else None,
    )


@router.post("", status_code=201)
def add_lot(body: NewLot, context: Context, response: Response, _: NoQuery) -> LotDetail:
    """A lot enters the books. 200 when exactly this lot was there, 409 when another one has its number."""
    now = context.now_ms()
    fact = lots.LotFact(
        key=body.key,
        gtin=body.gtin,
        name_vi=body.name.vi,
        name_en=body.name.en,
        quantity_kg=body.quantity_kg,
        created_at=body.created_at,
    )
    with context.store.write() as connection:
        is_new = lots.record_lot(connection, fact, now)
    tell(context, response, body.key, is_new=is_new)
    with context.store.read() as connection:
        return find_lot(connection, body.key)


@router.get("/{key}")
def show_lot(key: LotKey, context: Context, _: NoQuery) -> LotDetail:
    """One lot with where it is and what carries it."""
    with context.store.read() as connection:
        return find_lot(connection, key)


@router.get("/{key}/readings", response_class=StreamingResponse)
def export_lot_readings(key: LotKey, context: Context, _: NoQuery) -> StreamingResponse:
    """Every air temperature that is about the lot, as lines of JSON."""
    with context.store.read() as connection:
        lots.lot_by_key(connection, key)
    return StreamingResponse(_reading_lines(context, key), media_type=LINES)


@router.post("/{key}/move", status_code=201)
def move_lot(key: LotKey, body: Move, context: Context, response: Response, _: NoQuery) -> Taken:
    """Somebody says where the lot is since when."""
    with context.store.write() as connection:
        is_new = lots.record_lot_move(
            connection, lot=key, zone=body.zone, at=body.at, by=body.by, now_ms=context.now_ms()
        )
    tell(context, response, key, is_new=is_new)
    return Taken(is_new=is_new)


def tell(context: ApiContext, response: Response, key: str, *, is_new: bool) -> None:
    """201 and news for the browsers, or 200 and silence."""
    if is_new:
        context.hub.publish_changed([Change("lot", key)])
    else:
        response.status_code = 200


def find_lots(connection: Connection, text: str, *, page: int, per_page: int) -> list[Lot]:
    found = lots.find_lots(connection, text, count=per_page, offset=(page - 1) * per_page)
    return with_places(connection, found)


def find_lot(connection: Connection, key: str) -> LotDetail:
    """Raises UnknownLotError."""
    return _detail(connection, lots.lot_by_key(connection, key))


def _detail(connection: Connection, lot: lots.Lot) -> LotDetail:
    [summary] = with_places(connection, [lot])
    loads = [Load.model_validate(load, from_attributes=True) for load in lots.loads_of_lot(connection, lot.id)]
    return LotDetail(**summary.model_dump(), carriers=loads)


def with_places(connection: Connection, found: Sequence[lots.Lot]) -> list[Lot]:
    wanted = {"lots": [lot.key for lot in found]}
    places = {
        row.lot: Place(zone=row.key, name=Name(vi=row.name_vi, en=row.name_en), since=row.from_at)
        for row in connection.execute(_WHERE, wanted)
    }
    breaches = {row.lot: row.breaches for row in connection.execute(_BREACHES, wanted)}
    return [
        Lot(
            key=lot.key,
            gtin=lot.gtin,
            name=Name(vi=lot.name_vi, en=lot.name_en),
            quantity_kg=lot.quantity_kg,
            created_at=lot.created_at,
            place=places.get(lot.key),
            breaches=breaches.get(lot.key, 0),
        )
        for lot in found
    ]


def _reading_lines(context: ApiContext, key: str) -> Iterator[str]:
    with context.store.read() as connection:
        reasons = read_reasons(connection)
        lot = lots.lot_by_key(connection, key)
        for part in lots.reading_ranges(connection, lot.id):
            until = _FAR if part.until_at is None else part.until_at
            bounds: dict[str, Any] = {"series_id": part.series_id, "from_at": part.from_at, "until_at": until}
            yield from lines(
                {
                    "lot": key,
                    "gateway": row.gateway,
                    "device": row.device,
                    "point": row.point,
                    "observed_at": iso(row.observed_at),
                    "value": exact(row.value, row.detail),
                    "unit": row.unit,
                    "quality": quality_of(row.detail),
                    "reason": reason_of(row.detail, reasons),
                }
                for row in connection.execute(_queries.readings_in, bounds)
            )


def _query_text(query: LotQuery) -> str:
    return urlencode(query.model_dump(exclude_defaults=True))
