"""What anyone may see of a lot: the ten elements of Circular 02/2024/TT-BKHCN and its temperature story.

Only fields that the settings call public are filled; customers and the names of people are not among what can be.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path as FilePath
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from cloud import lots
from cloud.api.context import Context, NoQuery
from cloud.api.problems import ProblemError
from cloud.api.story import Columns, Span, Stop, read_story
from cloud.api.times import At
from cloud.api.values import Name
from cloud.trace.keys import canonical
from cloud.trace.settings import ELEMENTS, Product, TraceSettings
from cloud.trace.settings import Name as SetName

router = APIRouter(prefix="/public", tags=["public"])
BUCKETS = 300
_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")  # dates on the page are those of the plant
_IMAGES = {".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp"}
Gtin = Annotated[str, Path(pattern=r"^\d{8,14}$", examples=["09521234543213"])]
Number = Annotated[str, Path(examples=["BM261120-03"])]


class Stage(BaseModel):
    name: Name
    at: At
    place: str = Field(description="The location's trace code", examples=["(414)9521234000075(254)kho-lanh-a"])


class ShelfLife(BaseModel):
    days: int
    until: str = Field(examples=["2027-11-18"])
    storage: Name | None


class Elements(BaseModel):
    """null: not public, or nobody has stated it (then it is among `missing`)."""

    name: Name | None = None
    image: str | None = None
    producer: Name | None = None
    address: Name | None = None
    stages: list[Stage] | None = None
    produced: str | None = Field(default=None, examples=["2026-11-18"])
    code: str | None = Field(default=None, examples=["(01)09521234543213(10)BM261118-07(414)9521234000075"])
    brand: Name | None = None
    shelf_life: ShelfLife | None = None
    standards: list[str] | None = None
    weight: str | None = None


class PublicLimit(BaseModel):
    kind: str
    setpoint: str
    from_at: At
    until_at: At


class PublicBreach(BaseModel):
    exposed_from: At
    exposed_until: At
    ended_at: At | None


class PublicStop(BaseModel):
    name: Name
    from_at: At
    until_at: At | None
    min: float | None
    max: float | None
    unknown_minutes: float
    minutes_above: float
    limits: list[PublicLimit]
    unknown: list[Span]
    buckets: Columns
    breaches: list[PublicBreach]


class PublicAncestor(BaseModel):
    share: str | None
    stops: list[PublicStop]


class PublicStory(BaseModel):
    now: At
    from_at: At
    until_at: At
    bucket_s: int
    inherited: list[PublicAncestor]
    stops: list[PublicStop]


class PublicLot(BaseModel):
    gtin: str
    lot: str
    elements: Elements
    missing: list[str] = Field(description="Elements of the circular that are public and that nobody has stated")
    outcome: str = Field(description="pass, warn, fail or insufficient_data", examples=["pass"])
    standing: str = Field(description="free, held, rejected, recalled or destroyed", examples=["free"])
    phone: str = Field(description="Whom to call in a recall")
    story: PublicStory | None = Field(description="null: its stages are not public")


@router.get("/lots/{gtin}/{number}")
def show_public_lot(gtin: Gtin, number: Number, context: Context, _: NoQuery) -> PublicLot:
    """One lot as its label names it: GTIN and lot number."""
    with context.store.read() as connection:
        return read_public_lot(connection, gtin, number, context.trace, context.now_ms())


@router.get("/products/{gtin}/image", response_class=FileResponse)
def show_image(gtin: Gtin, context: Context, _: NoQuery) -> FileResponse:
    """The picture of the trade item."""
    product = context.trace.product(gtin)
    path = FilePath(context.trace.folder, product.image) if product and product.image else None
    if path is None or path.suffix.lower() not in _IMAGES or not path.is_file():
        raise ProblemError(404, "no_image", f"there is no picture of {gtin}")
    return FileResponse(path, media_type=_IMAGES[path.suffix.lower()])


def read_public_lot(connection: Connection, gtin: str, number: str, settings: TraceSettings, now_ms: int) -> PublicLot:
    """Raises UnknownLotError, also when the lot is of another trade item."""
    lot = lots.lot_by_key(connection, number)
    if lot.gtin != gtin.zfill(14):
        raise lots.UnknownLotError(number)
    story = read_story(connection, number, now_ms, buckets=BUCKETS)
    ancestors = [stop for part in story.inherited for stop in part.stops]
    elements = _elements(lot, settings, sorted([*ancestors, *story.stops], key=lambda stop: stop.from_at))
    public: set[str] = set(settings.public)
    stated = elements.model_dump(include=public)
    shares_stages = "stages" in public
    return PublicLot(
        gtin=lot.gtin,
        lot=lot.key,
        elements=Elements.model_validate({name: getattr(elements, name) for name in stated}),
        missing=[name for name in ELEMENTS if name in public and not stated[name]],
        outcome=story.verdict.outcome,
        standing=lots.standings(connection, [lot.id])[lot.id].state.value,
        phone=settings.producer.phone if settings.producer else "",
        story=PublicStory(
            now=story.now,
            from_at=story.from_at,
            until_at=story.until_at,
            bucket_s=story.bucket_s,
            inherited=[PublicAncestor(share=part.share, stops=_stops(part.stops)) for part in story.inherited],
            stops=_stops(story.stops),
        )
        if shares_stages
        else None,
    )


def _elements(lot: lots.Lot, settings: TraceSettings, stops: Sequence[Stop]) -> Elements:
    product, producer = settings.product(lot.gtin), settings.producer
    made = datetime.fromtimestamp(lot.created_at / 1000, UTC).astimezone(_ZONE)
    has_image = product is not None and bool(product.image)
    return Elements(
        name=Name(vi=lot.name_vi, en=lot.name_en),
        image=f"/api/v1/public/products/{lot.gtin}/image" if has_image else None,
        producer=_name(producer.name if producer else None),
        address=_name(producer.address if producer else None),
        stages=[Stage(name=stop.name, at=stop.from_at, place=_place(settings, stop.zone)) for stop in stops],
        produced=f"{made:%Y-%m-%d}",
        code=f"(01){lot.gtin}(10){lot.key}" + (f"(414){settings.gln}" if settings.gln else ""),
        brand=_name(product.brand if product else None),
        shelf_life=_shelf_life(product, made),
        standards=list(product.standards) if product else None,
        weight=lot.quantity_kg,
    )


def _shelf_life(product: Product | None, made: datetime) -> ShelfLife | None:
    if product is None or product.shelf_life_days is None:
        return None
    until = made + timedelta(days=product.shelf_life_days)
    return ShelfLife(days=product.shelf_life_days, until=f"{until:%Y-%m-%d}", storage=_name(product.storage))


def _place(settings: TraceSettings, zone: str) -> str:
    return f"(414){settings.gln}(254){zone}" if settings.gln else canonical(settings.place(zone))


def _name(name: SetName | None) -> Name | None:
    return Name(vi=name.vi, en=name.en) if name else None


def _stops(stops: Iterable[Stop]) -> list[PublicStop]:
    return [PublicStop.model_validate(stop.model_dump(include=set(PublicStop.model_fields))) for stop in stops]
