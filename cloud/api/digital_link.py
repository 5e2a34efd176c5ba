"""The resolver: a GS1 Digital Link of ours leads to the page, the events or the set of all links about a thing."""

from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from cloud import lots
from cloud.api.context import ApiContext, Context
from cloud.api.problems import ProblemError
from cloud.site.repository import zone_by_key
from cloud.trace.keys import BadKeyError, Key, key_of
from cloud.trace.links import LINKSET_TYPE, VOCABULARY, Link, LinkSet, preferred_languages, wants_everything

router = APIRouter(include_in_schema=False)
KEYS = ("00", "01", "253", "414", "417", "8003", "8004")


def _resolver(ai: str) -> None:
    """One address for each primary key, so that no other path is taken for a Digital Link."""

    @router.api_route(f"/{ai}/{{rest:path}}", methods=["GET", "HEAD"])
    def resolve(rest: str, request: Request, context: Context) -> Response:
        return _answer(ai, rest, request, context)


for primary in KEYS:
    _resolver(primary)


@router.get("/.well-known/gs1resolver")
def describe(request: Request, context: Context) -> dict[str, object]:
    """The resolver description file."""
    return {
        "name": "Coldlink",
        "resolverRoot": _base(request, context),
        "supportedPrimaryKeys": list(KEYS),
        "linkTypeDefaultCanBeLinkset": False,
        "supportedLinkTypes": [
            {
                "namespace": VOCABULARY,
                "prefix": "gs1:",
                "types": ["pip", "traceability", "epcis", "locationInfo"],
            }
        ],
    }


def _answer(ai: str, rest: str, request: Request, context: ApiContext) -> Response:
    key = _key(ai, rest)
    found = _links(context, key, _base(request, context))
    if found is None:
        raise ProblemError(404, "unknown_key", f"nothing is known here about {key.element_string}")
    headers = {
        "Link": f'<{found.anchor}?linkType=all>; rel="linkset"; type="{LINKSET_TYPE}"',
        "Vary": "Accept, Accept-Language",
        "Access-Control-Allow-Origin": "*",
    }
    wanted = request.query_params.get("linkType")
    if wants_everything(wanted, request.headers.get("accept", "")):
        return JSONResponse(found.as_json(), headers=headers, media_type=LINKSET_TYPE)
    link = found.choose(wanted, preferred_languages(request.headers.get("accept-language", "")))
    if link is None:
        raise ProblemError(404, "unknown_link_type", f"there is no link of type {wanted} about {key.element_string}")
    return RedirectResponse(_carried(link.href, request), status_code=307, headers=headers)


def _links(context: ApiContext, key: Key, base: str) -> LinkSet | None:
    anchor = base + key.path
    events = Link("epcis", f"{base}/epcis/epcs/{quote(key.link, safe='')}/events", "EPCIS", "application/json")
    if key.kind == "lgtin":
        return _lot_links(context, key, base, anchor, events)
    if key.kind == "sgln":
        zone = _zone(context, key)
        where = f"{base}/epcis/bizLocations/{quote(key.link, safe='')}/events"
        page = Link("locationInfo", f"{base}/zones/{zone}", zone or "")
        return LinkSet(anchor, zone, [page, events._replace(href=where)]) if zone else None
    return LinkSet(anchor, key.element_string, [events])


def _lot_links(context: ApiContext, key: Key, base: str, anchor: str, events: Link) -> LinkSet | None:
    gtin, number = key.element[0][1], key.element[1][1]
    with context.store.read() as connection:
        try:
            lot = lots.lot_by_key(connection, number)
        except lots.UnknownLotError:
            return None
    if lot.gtin != gtin:
        return None
    page = f"{base}/p/{gtin}/{quote(number, safe='')}"
    return LinkSet(
        anchor,
        lot.name_vi,
        [
            Link("pip", f"{page}?lang=vi", "Truy xuất nguồn gốc", languages=("vi",)),
            Link("pip", f"{page}?lang=en", "Traceability", languages=("en",)),
            Link("traceability", f"{page}?lang=vi", "Truy xuất nguồn gốc", languages=("vi",)),
            Link("traceability", f"{page}?lang=en", "Traceability", languages=("en",)),
            events,
        ],
    )


def _zone(context: ApiContext, key: Key) -> str:
    """The key of the zone that an SGLN of ours means; empty when it is none."""
    if len(key.element) < 2 or key.element[0][1] != context.trace.gln:
        return ""
    with context.store.read() as connection:
        zone = zone_by_key(connection, key.element[1][1])
    return zone.key if zone else ""


def _key(ai: str, rest: str) -> Key:
    segments = [segment for segment in rest.split("/") if segment]
    pairs = [(ai, segments[0] if segments else ""), *zip(segments[1::2], segments[2::2], strict=False)]
    try:
        return key_of(pairs, f"/{ai}/{rest}")
    except BadKeyError as error:
        raise ProblemError(400, "bad_key", error.reason) from error


def _base(request: Request, context: ApiContext) -> str:
    return context.trace.base_url or f"{request.url.scheme}://{request.url.netloc}"


def _carried(href: str, request: Request) -> str:
    """Dates and weights in the query of the link go on to its target; what was said to the resolver does not."""
    more = [(name, value) for name, value in request.query_params.multi_items() if name not in ("linkType", "context")]
    return href + ("&" if "?" in href else "?") + urlencode(more) if more else href
