"""`coldlink device record`: writes down what goes over a line while its devices are polled."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec

from edge.commissioning.target import BadTarget, Target, target
from edge.commissioning.transcript import Head, Scribe
from edge.config import Gateway, SerialBus
from edge.lines.bus import Chunk
from edge.lines.poller import make_poller
from edge.local.control_client import AgentConnection, NoAgent


def run(args: argparse.Namespace) -> int:
    place = target(args)
    if place.gateway is None:
        raise BadTarget("to record a line its devices must be known: name a settings FILE")
    output = Path(args.output)
    if output.exists():
        raise BadTarget(f"{output} is there already; a recording is never overwritten")
    count = asyncio.run(_record(place, place.gateway, output, args.seconds))
    print(json.dumps({"exchanges": count}) if args.json else f"{output}: {count} exchanges")
    return 0 if count else 1


async def _record(place: Target, gateway: Gateway, output: Path, seconds: float) -> int:
    kind = "modbus_tcp" if place.place.is_tcp else "modbus_rtu"
    baud, form = (None, None) if place.place.is_tcp else place.place.settings
    units = {unit: profile for unit, (_, profile) in place.devices.items()}
    head = Head(transcript=1, kind=kind, baud=baud, format=form, units=units)
    scribe = Scribe(head, gateway.profiles)
    count = 0
    with output.open("xb") as file:
        file.write(msgspec.json.encode(head) + b"\n")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                async for at_ms, frame, chunks in _exchanges(place, gateway):
                    spoken = scribe.note(at_ms, frame, chunks)
                    if spoken is not None:
                        file.write(msgspec.json.encode(spoken) + b"\n")
                        count += 1
    return count


async def _exchanges(place: Target, gateway: Gateway) -> AsyncIterator[tuple[float, bytes, Sequence[Chunk]]]:
    """Those of the running agent; without one, those of our own polling."""
    assert place.data_dir is not None
    try:
        async with AgentConnection(place.data_dir) as agent:
            async for one in agent.tap(place.place.name):
                chunks = [Chunk(after_ms / 1000, bytes.fromhex(raw)) for after_ms, raw in one.chunks]
                yield one.at_ms, bytes.fromhex(one.frame), chunks
    except NoAgent:
        async for exchange in _polled(place, gateway):
            yield exchange


async def _polled(place: Target, gateway: Gateway) -> AsyncIterator[tuple[float, bytes, Sequence[Chunk]]]:
    loop = asyncio.get_running_loop()
    (settings,) = (bus for bus in gateway.config.buses if bus.id == place.place.name)
    assert not isinstance(settings, SerialBus)
    index_of = {(point.device, point.key): index for index, point in enumerate(gateway.points())}
    poller = make_poller(settings, gateway, index_of, lambda _: None, lambda: int(loop.time() * 1000))
    heard: asyncio.Queue[tuple[float, bytes, Sequence[Chunk]]] = asyncio.Queue()
    began = loop.time()
    poller.bus.tap = lambda frame, chunks: heard.put_nowait(((loop.time() - began) * 1000, frame, chunks))
    polling = asyncio.create_task(poller.run(), name="polling")
    try:
        while True:
            yield await heard.get()
    finally:
        polling.cancel()
        await asyncio.wait([polling])
