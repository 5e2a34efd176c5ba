"""Server-sent events: what has just been measured or has changed."""

import json
from collections.abc import AsyncIterable

from fastapi import APIRouter
from fastapi.sse import EventSourceResponse, ServerSentEvent

from cloud.api.context import Context, NoQuery
from cloud.api.times import iso
from cloud.live import Change, LiveValue, News

HEARTBEAT_S = 5.0
RECONNECT_MS = 2000
router = APIRouter(tags=["live"])


@router.get("/live", response_class=EventSourceResponse)
async def follow(context: Context, _: NoQuery) -> AsyncIterable[ServerSentEvent]:
    """`values`: the newest value of points, at most every 150 ms; `changed`: things to ask for again;
    `heartbeat` every 5 s without other news. Every event carries `now`, the server's time."""
    async with context.hub.subscribe() as subscription:
        yield event("heartbeat", context.now_ms(), retry=RECONNECT_MS)
        async for news in subscription.news(HEARTBEAT_S):
            for each in events(news, context.now_ms()):
                yield each


def events(news: News, now_ms: int) -> list[ServerSentEvent]:
    found = []
    if news.values:
        found.append(event("values", now_ms, values=[_value(value) for value in news.values]))
    if news.changes:
        found.append(event("changed", now_ms, changes=[_change(change) for change in news.changes]))
    return found or [event("heartbeat", now_ms)]


def event(kind: str, now_ms: int, retry: int | None = None, **facts: list[dict[str, str | None]]) -> ServerSentEvent:
    body = {"now": iso(now_ms), **facts}
    return ServerSentEvent(event=kind, retry=retry, raw_data=json.dumps(body, ensure_ascii=False))


def _value(value: LiveValue) -> dict[str, str | None]:
    return {
        "point": value.point,
        "value": value.value,
        "unit": value.unit,
        "quality": value.quality,
        "reason": value.reason,
        "observed_at": iso(value.observed_at),
    }


def _change(change: Change) -> dict[str, str | None]:
    return {"kind": change.kind, "key": change.key}
