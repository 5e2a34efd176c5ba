"""Tells systemd that the agent is ready and alive (sd_notify(3)); without systemd it does nothing."""

from __future__ import annotations

import asyncio
import os
import socket


def notify(state: str) -> None:
    """`READY=1`, `WATCHDOG=1`, `STOPPING=1` or `STATUS=...`."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as one:
            one.sendto(state.encode(), address)
    except OSError:
        pass  # a supervisor that does not listen is no reason to stop measuring


async def pat() -> None:
    """Report being alive at half of the time that systemd allows; the event loop itself is what is watched."""
    allowed_us = int(os.environ.get("WATCHDOG_USEC", "0"))
    if not allowed_us:
        return
    while True:
        notify("WATCHDOG=1")
        await asyncio.sleep(allowed_us / 2_000_000)
