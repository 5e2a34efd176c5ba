"""How fast the gateway's half alone is: real conversation and buffer, real broker, and a peer that says yes at once.

The peer acknowledges what has reached it without looking at it, so that neither database nor decoding is in the figure.
Beside it, in the same run, libmosquitto publishes messages of a batch's size at QoS 1, as fast as it may: what the C
client and the broker can do with one message for each batch. Needs libmosquitto.so.1 (mosquitto-clients); without it,
no peer.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.figures import Figure
from bench.machine import Usage
from bench.rig import rig
from bench.sealed import FLUSH_S, REGISTERS, wander
from edge.buffer.contract import Draft
from edge.buffer.sqlite import SqliteBuffer
from edge.delivery.uplink import Uplink
from ground.mqtt import BrokerSettings, MqttLink
from wire.batch import split_flight
from wire.body import encode_body
from wire.entries import Quality, Reading
from wire.messages import Ack, read_hello
from wire.points import Point, PointTable
from wire.signature import SigningKey
from wire.topics import Lane, Topic, parse_topic, shard_filter

NAME = "uplink"
SECONDS = 10.0  # about; the number of readings is made from it
_EXPECTED_PER_S = 300_000
_POINTS = 60
_TIMEOUT_S = 180
_PEER_MESSAGES = 20_000


def run(seconds: float = SECONDS) -> list[Figure]:
    batches = round(seconds * _EXPECTED_PER_S / (_POINTS * FLUSH_S))
    with rig() as one:
        one.broker()
        before = Usage.of(os.getpid())
        buffer, table, key = _filled(one.folder / "buffer.db", batches)
        size = buffer.fill().used_bytes
        flights, took_s = asyncio.run(_deliver(buffer, table, key, one.broker_port))
        buffer.close(is_clean=True)
        readings = batches * _POINTS * FLUSH_S
        peer = _libmosquitto()
        raw = peer(one.broker_port, size // batches, _PEER_MESSAGES) if peer else None
    note = f"{flights:,} flights of {size // flights >> 10} KiB on average, one at a time"
    ratio = "" if raw is None else f"; {batches / took_s / raw:.2f} of libmosquitto's messages"
    peers = [] if raw is None else [Figure(NAME, "libmosquitto", raw, "messages/s", note=f"of {size // batches} bytes")]
    return [
        Figure(NAME, "readings", readings / took_s, "1/s", note=note),
        Figure(NAME, "batches", batches / took_s, "1/s", note=f"buffer to acknowledgement, each verified{ratio}"),
        *peers,
        Figure(NAME, "rss", Usage.of(os.getpid()).peak_rss_mib - before.rss_mib, "MiB", note="more than before, peak"),
    ]


def _filled(path: Path, batches: int) -> tuple[SqliteBuffer, PointTable, SigningKey]:
    dice, key = random.Random(1), SigningKey(bytes(range(32)))
    table = PointTable(
        tuple(Point(f"d{n // REGISTERS}", f"c{n % REGISTERS}", "Cel", "air_temperature") for n in range(_POINTS))
    )
    buffer = SqliteBuffer(path, "bench", key, 1 << 30)
    values = [dice.randrange(-250, 100) for _ in range(_POINTS)]
    for number in range(batches):
        first_at = (1 + number * FLUSH_S) * 1000
        entries: list[Reading] = []
        for second in range(FLUSH_S):
            wander(values, dice)
            at = first_at + 1000 * second
            entries += [Reading(n, at + n // REGISTERS, v, 1, Quality.GOOD, None) for n, v in enumerate(values)]
        body = encode_body(entries, first_at)
        buffer.append(Draft(bytes(16), 0, first_at, entries[-1].at, len(entries), table.digest, body))
    return buffer, table, key


async def _deliver(buffer: SqliteBuffer, table: PointTable, key: SigningKey, port: int) -> tuple[int, float]:
    """How many flights, and how long from the start to the last acknowledgement."""
    buffer.keep_points(table)
    peer = _YesSayer(port)
    with ThreadPoolExecutor(1) as executor:
        uplink = Uplink(
            buffer,
            BrokerSettings(port=port),
            gateway="bench",
            shard="s0",
            points=table.digest,
            key=key.public,
            agent="bench",
            executor=executor,
        )
        await asyncio.to_thread(peer.connected.wait)
        began = time.perf_counter()
        running = asyncio.create_task(uplink.run())
        while buffer.acknowledged + 1 < buffer.next_seq and time.perf_counter() - began < _TIMEOUT_S:
            await asyncio.sleep(0.01)
        took_s = time.perf_counter() - began
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    peer.link.stop()
    assert buffer.acknowledged + 1 == buffer.next_seq, "not all of it was acknowledged in time"
    return uplink.state.flights, took_s


class _YesSayer:
    """An ingest that believes everything."""

    def __init__(self, port: int) -> None:
        self.connected = threading.Event()
        self.link = MqttLink(
            BrokerSettings(port=port),
            "bench-peer",
            subscriptions=[(shard_filter("s0", lane), 1) for lane in (Lane.HELLO, Lane.BATCH)],
            on_message=self._message,
            on_connected=self.connected.set,
        )
        self.link.start()

    def _message(self, topic: str, payload: bytes) -> None:
        parsed = parse_topic(topic)
        assert parsed is not None
        if parsed.lane is Lane.HELLO:
            self._answer(parsed, Ack(read_hello(payload).epoch, 0, None))
        else:
            last = split_flight(payload)[0][-1]
            self._answer(parsed, Ack(last.header.epoch, last.header.seq, last.hash))

    def _answer(self, topic: Topic, ack: Ack) -> None:
        self.link.publish(str(topic._replace(lane=Lane.ACK)), ack.encode(), 1)


def _libmosquitto() -> Callable[[int, int, int], float] | None:
    """Messages of one size that it publishes a second at QoS 1; None when it is not here."""
    try:
        library = ctypes.CDLL("libmosquitto.so.1")
    except OSError:
        return None
    library.mosquitto_new.restype = ctypes.c_void_p
    library.mosquitto_lib_init()

    def publish(port: int, size: int, count: int) -> float:
        client = ctypes.c_void_p(library.mosquitto_new(b"bench-c", True, None))
        done, left = threading.Event(), [count]

        def published(*_: object) -> None:
            left[0] -= 1
            if not left[0]:
                done.set()

        callback = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)(published)
        library.mosquitto_publish_callback_set(client, callback)
        assert library.mosquitto_connect(client, b"127.0.0.1", port, 60) == 0
        library.mosquitto_loop_start(client)
        payload = os.urandom(size)
        began = time.perf_counter()
        for _ in range(count):
            assert library.mosquitto_publish(client, None, b"bench/raw", size, payload, 1, False) == 0
        assert done.wait(_TIMEOUT_S)
        took_s = time.perf_counter() - began
        library.mosquitto_disconnect(client)
        library.mosquitto_loop_stop(client, False)
        library.mosquitto_destroy(client)
        return count / took_s

    return publish
