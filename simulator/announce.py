"""Tells the cloud's public interface which lots there are and what carries them; never holds up the plant.

Facts are sent in order, each until it is taken; sending again changes nothing on the other side.
"""

from __future__ import annotations

import asyncio
import json
import logging
import urllib.error
import urllib.request
from typing import Protocol

from simulator.ancestry import Post, carcass_of, cut_posts, iso, ship_posts, slaughter_posts
from simulator.flow import Carrier, Lot

log = logging.getLogger(__name__)

_TIMEOUT_S = 5.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 30.0
_WORTH_ANOTHER_TRY = {408, 425, 429}  # and whatever is the server's own trouble, 5xx


class Announcer(Protocol):
    """Who wants to hear about lots."""

    def lot(self, lot: Lot) -> None: ...

    def cut(self, lot: Lot) -> None: ...

    def load(self, lot: Lot, carrier: Carrier) -> None: ...

    def move(self, lot: Lot, zone: str | None, at_ms: int) -> None: ...


class Silent:
    """Nobody listens."""

    def lot(self, lot: Lot) -> None: ...

    def cut(self, lot: Lot) -> None: ...

    def load(self, lot: Lot, carrier: Carrier) -> None: ...

    def move(self, lot: Lot, zone: str | None, at_ms: int) -> None: ...


def lot_posts(lot: Lot) -> list[Post]:
    """The lot begins: as carcasses where the plant cuts, as itself where it does not."""
    if lot.cut_ms is not None:
        return slaughter_posts(lot)
    body = {
        "key": lot.number,
        "gtin": lot.gtin,
        "name": {"vi": lot.product.vi, "en": lot.product.en},
        "quantity_kg": lot.quantity_kg,
        "created_at": iso(lot.created_ms),
    }
    return [Post("/api/v1/lots", body)]


def load_posts(lot: Lot, carrier: Carrier) -> list[Post]:
    return [
        Post("/api/v1/carriers", {"epc": carrier.epc, "kind": carrier.kind, "name": carrier.name}),
        Post(f"/api/v1/carriers/{carrier.epc}/load", {"lot": lot.number, "at": iso(lot.loaded_ms)}),
    ]


def move_posts(lot: Lot, zone: str | None, at_ms: int) -> list[Post]:
    key = carcass_of(lot) if lot.cut_ms is not None and at_ms < lot.cut_ms else lot.number
    leaving = ship_posts(lot, at_ms) if zone is None else []
    return [*leaving, Post(f"/api/v1/lots/{key}/move", {"zone": zone, "at": iso(at_ms), "by": "scan"})]


class HttpAnnouncer:
    """Queues what it is told; `run` sends it, and is cancelled when the plant stops."""

    def __init__(self, url: str) -> None:
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"{url!r} is not the address of a cloud; try http://127.0.0.1:8080")
        self._url = url.rstrip("/")
        self._posts: asyncio.Queue[Post] = asyncio.Queue()
        self.sent = self.refused = 0

    def lot(self, lot: Lot) -> None:
        self._put(lot_posts(lot))

    def cut(self, lot: Lot) -> None:
        self._put(cut_posts(lot))

    def load(self, lot: Lot, carrier: Carrier) -> None:
        self._put(load_posts(lot, carrier))

    def move(self, lot: Lot, zone: str | None, at_ms: int) -> None:
        self._put(move_posts(lot, zone, at_ms))

    async def drained(self) -> None:
        """Returns when all that was said so far has been taken or refused."""
        await self._posts.join()

    async def run(self) -> None:
        while True:
            post = await self._posts.get()
            await self._deliver(post)
            self._posts.task_done()

    def _put(self, posts: list[Post]) -> None:
        for post in posts:
            self._posts.put_nowait(post)

    async def _deliver(self, post: Post) -> None:
        wait_s, is_down = _FIRST_WAIT_S, False
        while True:
            problem = await asyncio.to_thread(self._send, post)
            if problem is None:
                break
            if not is_down:
                log.warning("the cloud takes no lots at present: %s", problem)
                is_down = True
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, _LONGEST_WAIT_S)
        if is_down:
            log.info("the cloud takes lots again")

    def _send(self, post: Post) -> str | None:
        """None when it is done with (taken, or refused for good); else why it is worth another try."""
        request = urllib.request.Request(  # noqa: S310  the scheme was checked
            self._url + post.path,
            json.dumps(post.body).encode(),
            {"Content-Type": "application/json"},
            method="POST",
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S):  # noqa: S310
                self.sent += 1
                return None
        except urllib.error.HTTPError as error:
            with error:
                if error.code >= 500 or error.code in _WORTH_ANOTHER_TRY:
                    return f"HTTP {error.code}"
                log.warning("the cloud refuses %s: HTTP %d %s", post.path, error.code, error.read(300))
                self.refused += 1
                return None
        except OSError as error:
            return str(error)
