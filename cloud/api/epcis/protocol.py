"""What all EPCIS resources share: versions, formats, bodies and pages, as headers and tokens."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Request
from fastapi.responses import JSONResponse

from cloud.api.epcis.problems import EpcisProblem
from cloud.trace.epcis.document import parse_json
from cloud.trace.epcis.errors import QueryParameterError
from cloud.trace.epcis.format import EpcFormat
from cloud.trace.epcis.query import MOST_PER_PAGE, PER_PAGE
from cloud.trace.epcis.vocabulary import CONTEXT

EVENT_LIMIT, BYTE_LIMIT = 5_000, 8 << 20
VERSION = "2.0.0"
JSON_TYPES = ("application/json", "application/ld+json")
HEADERS = {"GS1-EPCIS-Version": VERSION, "GS1-CBV-Version": VERSION}
DISCOVERY = {
    **HEADERS,
    "GS1-EPCIS-Min": VERSION,
    "GS1-EPCIS-Max": VERSION,
    "GS1-CBV-Min": VERSION,
    "GS1-CBV-Max": VERSION,
    "GS1-EPC-Format": ", ".join(each.value for each in EpcFormat),
    "GS1-Vendor-Version": "coldlink-1",
}
Parameters = dict[str, list[str]]


def negotiate(request: Request) -> None:
    """Raises 406 when the caller wants another version or another representation than JSON."""
    accepted = [part.split(";")[0].strip() for part in request.headers.get("accept", "*/*").split(",")]
    if not any(each in ("*/*", "application/*", "", *JSON_TYPES) for each in accepted):
        raise EpcisProblem(406, "NotAcceptableException", f"answers are JSON; you accept {', '.join(accepted)}")
    for name in ("EPCIS", "CBV"):
        least, most = (request.headers.get(f"gs1-{name.lower()}-{end}") for end in ("min", "max"))
        said = request.headers.get(f"gs1-{name.lower()}-version")
        if (least and _version(least) > (2, 0, 0)) or (most and _version(most) < (2, 0)):
            raise EpcisProblem(406, "NotAcceptableException", f"{name} {VERSION} is what is spoken here")
        if said and _version(said)[0] != 2:
            raise EpcisProblem(406, "NotAcceptableException", f"{name} {said} is not understood; {VERSION} is")


def epc_format(request: Request) -> EpcFormat:
    """Without the header the answer is in Digital Links."""
    text = request.headers.get("gs1-epc-format", EpcFormat.DIGITAL_LINK.value)
    try:
        return EpcFormat(text)
    except ValueError as error:
        raise EpcisProblem(406, "NotAcceptableException", f"there is no GS1-EPC-Format {text!r}") from error


async def json_body(request: Request) -> object:
    """Raises 413, 415, NotEpcisError."""
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media_type not in JSON_TYPES:
        raise EpcisProblem(415, "UnsupportedMediaTypeException", f"{media_type or 'nothing'} is not JSON")
    raw = bytearray()
    async for part in request.stream():
        raw += part
        if len(raw) > BYTE_LIMIT:
            raise EpcisProblem(413, "CaptureLimitExceededException", f"more than {BYTE_LIMIT} bytes; send it in parts")
    return parse_json(bytes(raw))


Format = Annotated[EpcFormat, Depends(epc_format)]
JsonBody = Annotated[object, Depends(json_body)]


def query_parameters(request: Request) -> Parameters:
    """As in the URL: alternatives stand between pipes (or the parameter is repeated)."""
    found: Parameters = {}
    for name, text in request.query_params.multi_items():
        found.setdefault(name, []).extend(text.split("|"))
    return found


def take_page(parameters: Parameters) -> tuple[int, str | None]:
    """perPage and nextPageToken, taken out of the parameters. Raises QueryParameterError."""
    per_page = parameters.pop("perPage", [str(PER_PAGE)])[0]
    token = parameters.pop("nextPageToken", [None])[0]
    if not (per_page.isascii() and per_page.isdecimal() and int(per_page) > 0):
        raise QueryParameterError("perPage", f"{per_page!r} is no number of results")
    return min(int(per_page), MOST_PER_PAGE), token


def token_of(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def read_token(token: str) -> Any:  # Any: whatever the resource put into it, checked by the resource
    """Raises QueryParameterError."""
    try:
        return json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, binascii.Error) as error:
        raise QueryParameterError("nextPageToken", "it was not given out here") from error


def next_link(request: Request, per_page: int, token: str) -> str:
    kept = [item for item in request.query_params.multi_items() if item[0] not in ("nextPageToken", "perPage")]
    query = urlencode([*kept, ("perPage", str(per_page)), ("nextPageToken", token)])
    return f'<{request.url.path}?{query}>; rel="next"'


def answer(
    content: object, status: int = 200, *, link: str | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    more = {"Link": link} if link else {}
    return JSONResponse(content, status, headers={**HEADERS, **more, **(headers or {})})


def collection(members: list[str]) -> dict[str, object]:
    return {"@context": CONTEXT, "type": "Collection", "member": members}


def _version(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split("."))
    except ValueError as error:
        raise EpcisProblem(406, "NotAcceptableException", f"{text!r} is no version such as {VERSION}") from error
