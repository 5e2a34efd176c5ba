"""Builds the cloud from its settings and owns its lifetime. No decisions here; nothing imports this but the command."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import msgspec
import uvicorn
from fastapi import FastAPI

from cloud.alarms import set_alarms_since
from cloud.api.app import create_api
from cloud.api.context import ApiContext
from cloud.config import CloudConfig
from cloud.ingest.service import Ingest
from cloud.ingest.worker import Committed
from cloud.live import Change, LiveHub
from cloud.lots.packs import apply_food_plan, read_food_plan
from cloud.site import apply_site, read_site, zones
from cloud.store import Store, open_store
from cloud.thinker import Thinker
from cloud.trace.epcis.herald import Herald
from cloud.trace.settings import NO_SETTINGS, TraceSettings, read_trace
from cloud.web.app import add_pages

log = logging.getLogger(__name__)

_STREAMS_END_S = 3


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def run(config: CloudConfig) -> None:
    """Until SIGTERM or SIGINT. Prints one line `ready http://HOST:PORT` when batches are taken and pages served."""
    listener = _bind(config.listen.host, config.listen.port)
    store = open_store(config.database)
    try:
        _apply_site(store, config)
        _apply_food_plan(store, config)
        async with _parts(store, config, _trace(config, listener)) as context:
            app = create_api(context)
            add_pages(app, lang=config.language)
            await _serve(app, context.hub, listener)
    finally:
        store.close()
        listener.close()
    log.info("stopped")


@asynccontextmanager
async def _parts(store: Store, config: CloudConfig, trace: TraceSettings) -> AsyncIterator[ApiContext]:
    hub = LiveHub(now_ms)
    thinker = Thinker(store, hub, now_ms)

    def on_committed(committed: Committed) -> None:
        hub.publish_values(committed.newest)
        hub.publish_changed(Change("gateway", name) for name in committed.gateways)
        thinker.wake()

    ingest = Ingest(
        store,
        config.broker,
        config.shards,
        listed=config.listed,
        now_ms=now_ms,
        on_committed=on_committed,
        on_live=hub.publish_values,
    )
    herald = Herald(store, now_ms, settings=trace)
    thinker.start()
    herald.start()
    try:
        async with ingest:
            yield ApiContext(store, hub, now_ms, ingest.stats.picture, trace)
    finally:
        await asyncio.to_thread(thinker.stop)
        await asyncio.to_thread(herald.stop)


async def _serve(app: FastAPI, hub: LiveHub, listener: socket.socket) -> None:
    settings = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=_STREAMS_END_S,
    )
    server = _Server(settings)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        hub.close()  # open streams would keep the server waiting
        server.should_exit = True

    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop)
    host, port = listener.getsockname()[:2]
    print(f"ready http://{host}:{port}", flush=True)
    await server.serve(sockets=[listener])


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling: the whole process has one owner."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _bind(host: str, port: int) -> socket.socket:
    """Before anything else is opened: a port that is taken is said at once."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.set_inheritable(True)
    return listener


def _trace(config: CloudConfig, listener: socket.socket) -> TraceSettings:
    """Without an address of its own a firm's links lead to where its pages are."""
    trace = NO_SETTINGS if config.trace is None else read_trace(Path(config.trace))
    host, port = listener.getsockname()[:2]
    return trace if trace.base_url else msgspec.structs.replace(trace, base_url=f"http://{host}:{port}")


def _apply_site(store: Store, config: CloudConfig) -> None:
    if config.site is None:
        return
    site = read_site(Path(config.site))
    with store.write() as connection:
        if not zones(connection):
            set_alarms_since(connection, now_ms())  # what ended before this cloud began alarms nobody
        changes = apply_site(connection, site, now_ms())
    log.info(
        "site %s: %d installations, %d read points, %d limits changed",
        site.key,
        changes.installations,
        changes.read_points,
        changes.limits,
    )


def _apply_food_plan(store: Store, config: CloudConfig) -> None:
    if config.food_plan is None:
        return
    plan = read_food_plan(Path(config.food_plan))
    with store.write() as connection:
        if apply_food_plan(connection, plan, now_ms()):
            log.info("food plan %s: %s", plan.plan, ", ".join(f"{pack.pack} {pack.edition}" for pack in plan.packs))
