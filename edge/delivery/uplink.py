"""Takes sealed batches to the ingest: lends a connection, a clock and a thread to edge/delivery/conversation.py."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Executor

from edge.buffer.contract import Buffer
from edge.delivery.conversation import ACK_TIMEOUT_S, Conversation, Signal, UplinkState
from ground.mqtt import BrokerSettings, MqttLink, Publication
from wire.errors import MalformedMessage
from wire.messages import Ack, Live, read_ack
from wire.topics import Lane, Topic

log = logging.getLogger(__name__)


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
        ack_timeout_s: float = ACK_TIMEOUT_S,
    ) -> None:
        self._conversation = Conversation(buffer, points=points, key=key, agent=agent, ack_timeout_s=ack_timeout_s)
        self._executor = executor
        self._topics = {lane: str(Topic(shard, gateway, lane)) for lane in Lane}
        self._events: asyncio.Queue[Signal | Ack] = asyncio.Queue()
        self._live: Publication | None = None
        self._loop = asyncio.get_running_loop()
        self._link = MqttLink(
            broker,
            f"coldlink-{gateway}",
            subscriptions=[(self._topics[Lane.ACK], 1)],
            on_message=self._message,
            on_connected=lambda: self._from_network(Signal.CONNECTED),
            on_disconnected=lambda _why: self._from_network(Signal.DISCONNECTED),
        )

    @property
    def state(self) -> UplinkState:
        return self._conversation.state

    def wake(self) -> None:
        self._events.put_nowait(Signal.SEALED)

    async def run(self) -> None:
        """Until cancelled. Each event is answered in the buffer's thread, where reading the disk holds up nobody."""
        self._link.start()
        try:
            while True:
                event = await self._next_event()
                messages = await self._loop.run_in_executor(
                    self._executor, self._conversation.on, event, self._loop.time()
                )
                for lane, payload in messages:
                    self._link.publish(self._topics[lane], payload, 1)
        finally:
            await asyncio.to_thread(self._link.stop)

    def send_live(self, live: Live) -> bool:
        """Newest values at QoS 0; skipped while the one before is still in the socket's queue, so it never piles up."""
        if self._live is not None and not self._live.is_done:
            return False
        self._live = self._link.publish(self._topics[Lane.LIVE], live.encode(), 0)
        return self._live is not None

    async def _next_event(self) -> Signal | Ack:
        try:
            async with asyncio.timeout_at(self._conversation.wake_at):
                return await self._events.get()
        except TimeoutError:
            return Signal.TIME

    # ---- from the network thread

    def _message(self, _topic: str, payload: bytes) -> None:
        try:
            ack = read_ack(payload)
        except MalformedMessage as error:
            log.warning("an acknowledgement cannot be read: %s", error)
            return
        self._from_network(ack)

    def _from_network(self, event: Signal | Ack) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._events.put_nowait, event)
