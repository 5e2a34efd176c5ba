"""Labels of lots, to print."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field
from sqlalchemy import Connection

from cloud import lots
from cloud.api.context import ApiContext, Context, Strict
from cloud.api.problems import ProblemError
from cloud.trace.keys import BadKeyError
from cloud.trace.labels.label import Label, NoTypesetterError, as_pdf, as_svg, as_zpl, lot_elements, lot_link

router = APIRouter(prefix="/lots", tags=["lots"])
_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")  # dates on labels are those of the plant
LotKey = Annotated[str, Path(examples=["BM261120-03"])]


class LabelQuery(Strict):
    format: Literal["svg", "pdf", "zpl"] = Field(
        default="svg", description="svg for screens, pdf, or zpl for label printers"
    )
    lang: Literal["vi", "en"] = "vi"


@router.get("/{key}/label", response_class=Response)
def print_label(key: LotKey, request: Request, context: Context, query: Annotated[LabelQuery, Query()]) -> Response:
    """A label of 100 x 60 mm: QR code with the lot's Digital Link, GS1-128, name, dates and weight."""
    with context.store.read() as connection:
        label = _label(connection, context, key, f"{request.url.scheme}://{request.url.netloc}", query.lang)
    name = f'inline; filename="{key.encode("ascii", "replace").decode()}.{query.format}"'
    if query.format == "zpl":
        return Response(as_zpl(label), media_type="application/vnd.zebra-zpl", headers={"Content-Disposition": name})
    if query.format == "svg":
        return Response(as_svg(label), media_type="image/svg+xml", headers={"Content-Disposition": name})
    try:
        return Response(as_pdf(label), media_type="application/pdf", headers={"Content-Disposition": name})
    except NoTypesetterError as error:
        raise ProblemError(501, "no_typesetter", str(error)) from error


def _label(connection: Connection, context: ApiContext, key: str, here: str, lang: Literal["vi", "en"]) -> Label:
    """Raises UnknownLotError, ProblemError."""
    lot = lots.lot_by_key(connection, key)
    product = context.trace.product(lot.gtin)
    produced = datetime.fromtimestamp(lot.created_at / 1000, UTC).astimezone(_ZONE)
    days = product.shelf_life_days if product else None
    expires = produced + timedelta(days=days) if days else None
    grams = round(float(lot.quantity_kg) * 1000) if lot.quantity_kg else None
    try:
        elements = lot_elements(
            lot.gtin,
            lot.key,
            produced=f"{produced:%y%m%d}",
            expires=f"{expires:%y%m%d}" if expires else None,
            net_g=grams,
        )
    except BadKeyError as error:
        raise ProblemError(422, "bad_key", f"lot {lot.key} cannot stand in a GS1 code: {error.reason}") from error
    words = ("Lô", "NSX", "HSD", "Khối lượng") if lang == "vi" else ("Lot", "Produced", "Use by", "Net")
    lines = [f"{words[0]} {lot.key}", f"{words[1]} {produced:%d/%m/%Y}"]
    lines += [f"{words[2]} {expires:%d/%m/%Y}"] if expires else []
    lines += [f"{words[3]} {lot.quantity_kg} kg"] if lot.quantity_kg else []
    producer = context.trace.producer
    lines += [getattr(producer.name, lang)] if producer else []
    name = lot.name_vi if lang == "vi" else lot.name_en
    return Label(lot_link(context.trace.base_url or here, elements), name, elements, lines)
