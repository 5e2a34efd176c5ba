"""Topics: `coldlink/v1/<shard>/<gateway>/<lane>`. Identity is what the topic says, never what a payload says."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

from wire.batch import is_gateway_name

ROOT = "coldlink/v1"

_SHARD = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


class Lane(StrEnum):
    """Edge to cloud, but for ACK."""

    HELLO = "hello"  # QoS 1: epoch, next seq, oldest kept, key
    POINTS = "points"  # QoS 1: a point table, when asked for
    BATCH = "batch"  # QoS 1: a flight of sealed batches
    LIVE = "live"  # QoS 0: newest values for screens
    ACK = "ack"  # QoS 1, cloud to edge: what the database has committed


_LANES = frozenset(lane.value for lane in Lane)


class Topic(NamedTuple):
    shard: str
    gateway: str
    lane: Lane

    def __str__(self) -> str:
        return f"{ROOT}/{self.shard}/{self.gateway}/{self.lane.value}"


def parse_topic(text: str) -> Topic | None:
    """None when it is not one of ours."""
    parts = text.split("/")
    if len(parts) != 5 or "/".join(parts[:2]) != ROOT:
        return None
    shard, gateway, lane = parts[2:]
    if not is_shard_name(shard) or not is_gateway_name(gateway) or lane not in _LANES:
        return None
    return Topic(shard, gateway, Lane(lane))


def shard_filter(shard: str, lane: Lane) -> str:
    """The subscription of an ingest worker that owns `shard`."""
    return f"{ROOT}/{shard}/+/{lane.value}"


def is_shard_name(name: str) -> bool:
    return _SHARD.fullmatch(name) is not None
