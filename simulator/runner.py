"""Runs a plant as a program: says when it is ready, stops at the first signal, leaves nothing behind."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path

from simulator.plan import PlantPlan
from simulator.plant import Plant


async def run_until_stopped(
    plan: PlantPlan, run_dir: Path, *, ledger: Path | None, cloud: str | None, as_json: bool
) -> None:
    """Returns after SIGINT or SIGTERM, with ptys, sockets and files put away."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for one in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(one, stop.set)
    async with Plant(plan, run_dir, ledger=ledger, cloud=cloud) as plant:
        running = asyncio.create_task(plant.run(), name="plant")
        stopping = asyncio.create_task(stop.wait(), name="stop signal")
        ready = json.dumps(plant.endpoints)
        print(json.dumps({"event": "plant ready"} | plant.endpoints) if as_json else f"plant ready {ready}", flush=True)
        try:
            await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            running.cancel()
            results = await asyncio.gather(running, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result
