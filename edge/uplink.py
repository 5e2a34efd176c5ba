"""Takes sealed batches to the ingest: one flight at a time, moved on only by what the ingest's database has committed.

    hello --ack--> flight --ack--> flight ... ; no acknowledgement in time: send again, later each time

The broker is believed in nothing. What an acknowledgement means is decided by `judge`, a pure function; the rest of
this module carries it out.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeVar

from edge.buffer.contract import Buffer, BufferCorrupt
from ground.mqtt import BrokerSettings, MqttLink, Publication
from wire.errors import MalformedMessage
from wire.messages import Ack, Hello, Live, read_ack
from wire.topics import Lane, Topic

log = logging.getLogger(__name__)

ACK_TIMEOUT_S = 5.0
MAX_BACKOFF_S = 15.0
MIN_FLIGHT_BYTES = 8 << 10
MAX_FLIGHT_BYTES = 1 << 20
_FAST_ACK_S, _SLOW_ACK_S = 1.0, 4.0

T = TypeVar("T")


class Verdict(Enum):
    """What an acknowledgement says about our history."""

    FOREIGN_EPOCH = auto()  # meant for an earlier epoch of ours: no news
    ADVANCE = auto()  # committed up to there
    BEHIND = auto()  # the cloud has less than it once said (restored from a backup): send again from there
    OTHER_HISTORY = auto()  # the cloud knows batches of this epoch that we never sealed so: a cloned or old card


def judge(ack: Ack, *, epoch: bytes, acknowledged: int, next_seq: int, own_hash: bytes | None) -> Verdict:
    """Pure. `own_hash` is our hash of batch `ack.through`, None when the ring no longer holds it."""
    if ack.epoch != epoch:
        return Verdict.FOREIGN_EPOCH
    if ack.through >= next_seq:
        return Verdict.OTHER_HISTORY
    if ack.hash is not None and own_hash is not None and ack.hash != own_hash:
        return Verdict.OTHER_HISTORY
    return Verdict.BEHIND if ack.through < acknowledged else Verdict.ADVANCE


@dataclass
class UplinkState:
    """For the health readings and the local page."""

    is_connected: bool = False
    flights: int = 0
    sent_bytes: int = 0
    resent_flights: int = 0
    last_ack_ms: int | None = None


class Uplink:
    """Runs as a task; `wake` tells it that there is a new batch."""

    def __init__(
        self,
        buffer: Buffer,
        broker: BrokerSettings,
        *,
        gateway: str,
        shard: str,
        points: bytes,
        key: bytes,
        agent: str,
        executor: Executor,
        now_ms: Callable[[], int],
        ack_timeout_s: float = ACK_TIMEOUT_S,
    ) -> None:
        self._buffer, self._executor, self._now_ms = buffer, executor, now_ms
        self._points, self._key, self._agent = points, key, agent
        self._topics = {lane: str(Topic(shard, gateway, lane)) for lane in Lane}
        self._ack_timeout_s = ack_timeout_s
        self._flight_bytes = 64 << 10
        self._acks: asyncio.Queue[Ack | None] = asyncio.Queue()  # None: the connection was lost
        self._connected = asyncio.Event()
        self._work = asyncio.Event()
        self._live: Publication | None = None
        self._loop = asyncio.get_running_loop()
        self.state = UplinkState()
        self._link = MqttLink(
            broker,
            f"coldlink-{gateway}",
            subscriptions=[(self._topics[Lane.ACK], 1)],
            on_message=self._message,
            on_connected=lambda: self._from_network(self._connection_made),
            on_disconnected=lambda _why: self._from_network(self._connection_lost),
        )

    def wake(self) -> None:
        self._work.set()

    async def run(self) -> None:
        """Until cancelled. Each turn of the loop is one connection, greeted and then fed."""
        self._link.start()
        try:
            backoff_s = 1.0
            while True:
                await self._connected.wait()
                if await self._greet():
                    backoff_s = 1.0
                    await self._feed()
                else:
                    await asyncio.sleep(backoff_s * random.uniform(0.5, 1.5))
                    backoff_s = min(backoff_s * 2, MAX_BACKOFF_S)
        finally:
            await asyncio.to_thread(self._link.stop)

    def send_live(self, live: Live) -> bool:
        """Newest values at QoS 0; skipped while the one before is still in the socket's queue, so it never piles up."""
        if self._live is not None and not self._live.is_done:
            return False
        self._live = self._link.publish(self._topics[Lane.LIVE], live.encode(), 0)
        return self._live is not None

    # ---- the conversation

    async def _greet(self) -> bool:
        """Say who we are and what we hold; True when the ingest has answered with its cursor."""
        while not self._acks.empty():
            self._acks.get_nowait()
        hello = Hello(
            epoch=self._buffer.epoch,
            next=self._buffer.next_seq,
            oldest=self._buffer.oldest_seq,
            points=self._points,
            key=self._key,
            agent=self._agent,
        )
        self._link.publish(self._topics[Lane.HELLO], hello.encode(), 1)
        ack = await self._next_ack(self._ack_timeout_s)
        return ack is not None and await self._take(ack) is not Verdict.FOREIGN_EPOCH

    async def _feed(self) -> None:
        """Send flight after flight; returns when the ingest has to be greeted again."""
        silent = 0
        while self._connected.is_set():
            self._work.clear()
            flight = await self._next_flight()
            if flight is None:
                return
            if not flight:
                await self._idle()
                continue
            before = self._buffer.acknowledged
            if await self._fly(flight, before + len(flight)):
                silent = 0
                continue
            silent += 1
            self.state.resent_flights += 1
            self._flight_bytes = max(self._flight_bytes // 2, MIN_FLIGHT_BYTES)
            if self._buffer.acknowledged == before:
                await asyncio.sleep(random.uniform(0, min(2.0**silent, MAX_BACKOFF_S)))
                return  # greet again: the ingest may be new, or may want a point table

    async def _next_flight(self) -> list[bytes] | None:
        """None: the history had to be begun anew, or the ring no longer reaches back to where the ingest is."""
        if self._buffer.acknowledged + 1 < self._buffer.oldest_seq:
            return None
        try:
            return list(
                await self._in_thread(lambda: self._buffer.flight(self._buffer.acknowledged, self._flight_bytes))
            )
        except BufferCorrupt as error:
            log.error("a buffered batch cannot be trusted, what is good is sealed again: %s", error)  # noqa: TRY400  said
            await self._in_thread(lambda: self._buffer.begin_epoch(self._buffer.acknowledged))
            return None

    async def _idle(self) -> None:
        """Nothing to send: wait for a batch, an acknowledgement nobody asked for, or the end of the connection."""
        work = asyncio.ensure_future(self._work.wait())
        ack = asyncio.ensure_future(self._acks.get())
        try:
            await asyncio.wait({work, ack}, return_when=asyncio.FIRST_COMPLETED)
            if ack.done() and (unasked := ack.result()) is not None:
                await self._take(unasked)
        finally:
            work.cancel()
            ack.cancel()

    async def _fly(self, flight: list[bytes], last_seq: int) -> bool:
        """Send one flight and wait until all of it is committed; False when that did not come in time."""
        payload = b"".join(flight)
        began = self._loop.time()
        if self._link.publish(self._topics[Lane.BATCH], payload, 1) is None:
            return False
        self.state.flights += 1
        self.state.sent_bytes += len(payload)
        deadline = began + self._ack_timeout_s + len(payload) / MIN_FLIGHT_BYTES
        while (left := deadline - self._loop.time()) > 0 and self._connected.is_set():
            ack = await self._next_ack(left)
            if ack is None:
                return False
            verdict = await self._take(ack)
            if verdict in {Verdict.OTHER_HISTORY, Verdict.BEHIND}:
                return False
            if self._buffer.acknowledged >= last_seq:
                self._tune(self._loop.time() - began)
                return True
        return False

    def _tune(self, took_s: float) -> None:
        """A flight is as large as the line can take quickly: a slow line keeps its live lane alive between flights."""
        if took_s < _FAST_ACK_S:
            self._flight_bytes = min(self._flight_bytes * 2, MAX_FLIGHT_BYTES)
        elif took_s > _SLOW_ACK_S:
            self._flight_bytes = max(self._flight_bytes // 2, MIN_FLIGHT_BYTES)

    async def _take(self, ack: Ack) -> Verdict:
        own_hash = await self._in_thread(lambda: self._buffer.hash_at(ack.through)) if ack.through else None
        verdict = judge(
            ack,
            epoch=self._buffer.epoch,
            acknowledged=self._buffer.acknowledged,
            next_seq=self._buffer.next_seq,
            own_hash=own_hash,
        )
        match verdict:
            case Verdict.FOREIGN_EPOCH:
                return verdict
            case Verdict.OTHER_HISTORY:
                log.warning("the cloud knows another history of this gateway (a cloned or restored card?): new epoch")
                await self._in_thread(lambda: self._buffer.begin_epoch(self._buffer.acknowledged))
            case Verdict.BEHIND:
                log.warning("the cloud has committed %d, less than before: sending again from there", ack.through)
                self._buffer.acknowledge(ack.through)
            case Verdict.ADVANCE:
                self._buffer.acknowledge(ack.through)
                self.state.last_ack_ms = self._now_ms()
        if ack.want_points is not None:
            await self._send_points(ack.want_points)
        return verdict

    async def _send_points(self, digest: bytes) -> None:
        table = await self._in_thread(lambda: self._buffer.points(digest))
        if table is None:
            log.error("the ingest asks for the point table %s, which this gateway does not have", digest.hex())
            return
        self._link.publish(self._topics[Lane.POINTS], table.data, 1)

    async def _next_ack(self, timeout_s: float) -> Ack | None:
        try:
            return await asyncio.wait_for(self._acks.get(), timeout_s)
        except TimeoutError:
            return None

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await self._loop.run_in_executor(self._executor, call)

    # ---- from the network thread

    def _message(self, _topic: str, payload: bytes) -> None:
        try:
            ack = read_ack(payload)
        except MalformedMessage as error:
            log.warning("an acknowledgement cannot be read: %s", error)
            return
        self._from_network(lambda: self._acks.put_nowait(ack))

    def _from_network(self, call: Callable[[], None]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call)

    def _connection_made(self) -> None:
        self.state.is_connected = True
        self._connected.set()

    def _connection_lost(self) -> None:
        self.state.is_connected = False
        self._connected.clear()
        self._acks.put_nowait(None)  # whoever waits looks up
