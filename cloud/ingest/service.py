"""The ingest as one thing with a lifetime: links to the broker, a thread that commits, counters."""

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Self

from cloud.ingest.book import Book
from cloud.ingest.flight import Flight
from cloud.ingest.handover import Handover
from cloud.ingest.live_lane import LiveLane
from cloud.ingest.stats import IngestStats
from cloud.ingest.worker import Committed, Worker
from cloud.live import LiveValue
from cloud.store.engine import Store
from ground.mqtt import BrokerSettings, MqttLink
from wire.messages import Ack
from wire.topics import Lane, Topic, parse_topic, shard_filter

log = logging.getLogger(__name__)

_RECORD_LANES = (Lane.HELLO, Lane.POINTS, Lane.BATCH)


class Ingest:
    """An async context manager. The callbacks run in threads of the ingest: they must be quick and must not raise.

    Args:
        listed: the gateways that may deliver and their public keys; None lets any in that says hello.
        on_committed: after each commit; other threads do what takes time.
        on_live: the newest values, not yet and perhaps never stored.
    """

    def __init__(
        self,
        store: Store,
        broker: BrokerSettings,
        shards: Sequence[str],
        *,
        listed: Mapping[str, bytes] | None,
        now_ms: Callable[[], int],
        on_committed: Callable[[Committed], None],
        on_live: Callable[[Iterable[LiveValue]], None],
    ) -> None:
        self.stats = IngestStats()
        self._handover = Handover()
        self._worker = Worker(
            store,
            self._handover,
            Book(listed),
            self.stats,
            now_ms=now_ms,
            acknowledge=self._acknowledge,
            on_committed=on_committed,
        )
        self._thread = threading.Thread(target=self._worker.run, name="ingest")
        name = f"coldlink-ingest-{'-'.join(shards)}-{os.getpid()}"
        self._record_link = MqttLink(
            broker,
            name,
            subscriptions=[(shard_filter(shard, lane), 1) for shard in shards for lane in _RECORD_LANES],
            on_message=self._message,
            on_connected=self._worker.greet_gateways,
        )
        self._live_link = MqttLink(
            broker,
            f"{name}-live",
            subscriptions=[(shard_filter(shard, Lane.LIVE), 0) for shard in shards],
            on_message=LiveLane(store, self.stats, on_live).take,
        )

    def start(self) -> None:
        self._thread.start()
        self._record_link.start()
        self._live_link.start()

    def stop(self) -> None:
        """Blocks until what is in hand is committed and acknowledged, or known not to be."""
        self._worker.stop()
        self._thread.join()
        self._record_link.stop()
        self._live_link.stop()

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await asyncio.to_thread(self.stop)

    @property
    def is_connected(self) -> bool:
        return self._record_link.is_connected

    def _message(self, topic: str, payload: bytes) -> None:
        parsed = parse_topic(topic)
        if parsed is not None and parsed.lane in _RECORD_LANES and not self._handover.put(Flight(parsed, payload)):
            self.stats.dropped += 1

    def _acknowledge(self, topic: Topic, ack: Ack) -> bool:
        return self._record_link.publish(str(topic), ack.encode(), 1) is not None
