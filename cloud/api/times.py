"""Times at the border: ISO 8601 in UTC with milliseconds outside, whole milliseconds inside."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SCHEMA = {"type": "string", "format": "date-time", "examples": ["2026-11-21T07:32:05.250Z"]}


def iso(at_ms: int) -> str:
    moment = _EPOCH + timedelta(milliseconds=at_ms)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03}Z"


def parse_iso(text: object) -> int:
    if not isinstance(text, str):
        raise ValueError("a time is text such as 2026-11-21T07:32:05.250Z")  # noqa: TRY004  pydantic wants ValueError
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a time such as 2026-11-21T07:32:05.250Z") from error
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} does not say its zone; UTC is written 2026-11-21T07:32:05.250Z")
    return (moment - _EPOCH) // timedelta(milliseconds=1)


At = Annotated[int, PlainSerializer(iso, return_type=str, when_used="json"), WithJsonSchema(_SCHEMA)]
"""A time we say."""

AtFromOutside = Annotated[int, BeforeValidator(parse_iso), WithJsonSchema(_SCHEMA)]
"""A time we are told."""
