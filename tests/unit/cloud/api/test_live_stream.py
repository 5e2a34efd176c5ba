import asyncio
import json
import socket
import threading
from contextlib import asynccontextmanager

import uvicorn
from small_plant import NOW

from cloud.api.app import create_api
from cloud.api.times import iso
from cloud.live import Change, LiveValue


@asynccontextmanager
async def served(app):
    """A real server on a free port; it must stop although a stream is open."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1, lifespan="off")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task
        listener.close()


class Events:
    """A minimal reader of server-sent events."""

    def __init__(self, reader) -> None:
        self._reader = reader

    async def next(self) -> tuple[str, dict]:
        kind = None
        while True:
            line = (await asyncio.wait_for(self._reader.readline(), 10)).decode().strip()
            if line.startswith("event:"):
                kind = line.removeprefix("event:").strip()
            elif line.startswith("data:") and kind:
                return kind, json.loads(line.removeprefix("data:"))


@asynccontextmanager
async def following(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n")
    status = await reader.readline()
    assert b"200" in status
    yield Events(reader)
    writer.close()


def value(text: str, at: int = NOW - 40) -> LiveValue:
    return LiveValue("gw-01/probe/temperature", at, text, "°C", "good")


async def test_a_value_published_in_a_thread_arrives_with_its_own_time(context):
    async with served(create_api(context)) as port, following(port) as events:
        assert (await events.next())[0] == "heartbeat"
        threading.Thread(target=context.hub.publish_values, args=([value("-19.4")],)).start()
        kind, body = await events.next()
    assert (kind, body["now"]) == ("values", iso(NOW))
    assert body["values"] == [
        {
            "point": "gw-01/probe/temperature",
            "value": "-19.4",
            "unit": "°C",
            "quality": "good",
            "reason": None,
            "observed_at": iso(NOW - 40),
        }
    ]


async def test_changes_arrive_by_kind_and_key(context):
    async with served(create_api(context)) as port, following(port) as events:
        await events.next()
        context.hub.publish_changed([Change("alarm", "7")])
        assert await events.next() == ("changed", {"now": iso(NOW), "changes": [{"kind": "alarm", "key": "7"}]})


async def test_a_browser_that_leaves_is_forgotten(context):
    async with served(create_api(context)) as port:
        async with following(port) as events:
            await events.next()
            assert context.hub.subscribers == 1
        async with asyncio.timeout(10):
            while context.hub.subscribers:
                context.hub.publish_changed([Change("zone", "kho")])
                await asyncio.sleep(0.05)


async def test_an_open_stream_ends_when_the_hub_closes(context):
    async with served(create_api(context)) as port, following(port) as events:
        await events.next()
        context.hub.close()
        async with asyncio.timeout(5):
            while context.hub.subscribers:
                await asyncio.sleep(0.01)
