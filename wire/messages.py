"""The small messages beside the batches: hello, acknowledgement and live values. JSON, a few hundred bytes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from wire.entries import Quality, Reading
from wire.errors import MalformedMessage
from wire.points import DIGEST_BYTES
from wire.signature import KEY_BYTES

MAX_MESSAGE_BYTES = 4096
MAX_LIVE_BYTES = 1 << 20
UNKNOWN_HASH = bytes(32)  # of a batch that is not stored: it was declared lost
GONE_REASONS = ("thinned", "buffer_corrupt")

_MAX_INT = 1 << 53
_MAX_DECIMALS = 12
_MAX_REASON = 64


@dataclass(frozen=True, slots=True)
class Gone:
    """Batches that the gateway sealed and can no longer send, though it still has older or newer ones."""

    first: int
    last: int
    reason: str  # thinned: a summary follows in later batches; buffer_corrupt: the card did not keep them


@dataclass(frozen=True, slots=True)
class Hello:
    """What a gateway says on connecting; the ingest answers with its cursor for `epoch`."""

    epoch: bytes
    next: int  # the seq that the gateway will seal next
    oldest: int  # the lowest seq that it can still send; = next when it has none
    points: bytes  # digest of the point table in use
    key: bytes  # Ed25519 public key
    agent: str  # name and version of the program, for people
    gone: Gone | None = None  # what cannot come next; it counts only for an ingest whose next batch is among these

    def encode(self) -> bytes:
        return _dump(
            {
                "v": 1,
                "epoch": self.epoch.hex(),
                "next": self.next,
                "oldest": self.oldest,
                "points": self.points.hex(),
                "key": self.key.hex(),
                "agent": self.agent,
                "gone": self.gone and [self.gone.first, self.gone.last, self.gone.reason],
            }
        )


@dataclass(frozen=True, slots=True)
class Ack:
    """What the ingest's database has committed: every batch of `epoch` up to `through`, the last with `hash`."""

    epoch: bytes
    through: int  # 0: nothing yet
    hash: bytes | None  # of the batch `through`; None when that batch never arrived (0, or declared as not kept)
    want_points: bytes | None = None  # digest of a point table that the ingest lacks
    known: bytes | None = None  # answers a hello that the ingest is ahead of: its hash of that hello's last batch

    def encode(self) -> bytes:
        return _dump(
            {
                "v": 1,
                "epoch": self.epoch.hex(),
                "through": self.through,
                "hash": None if self.hash is None else self.hash.hex(),
                "want_points": None if self.want_points is None else self.want_points.hex(),
                "known": None if self.known is None else self.known.hex(),
            }
        )


@dataclass(frozen=True, slots=True)
class Live:
    """The newest reading of each changed point. For screens only: neither history nor alarms of record use it."""

    points: bytes
    offset_ms: int | None
    readings: tuple[Reading, ...]

    def encode(self) -> bytes:
        rows = [[r.point, r.at, r.mantissa, r.decimals, int(r.quality), r.reason] for r in self.readings]
        return _dump({"v": 1, "points": self.points.hex(), "offset_ms": self.offset_ms, "r": rows})


def read_hello(data: bytes) -> Hello:
    """Raises MalformedMessage, as all of these."""
    raw = _load(data, MAX_MESSAGE_BYTES)
    agent = raw.get("agent", "")
    if not isinstance(agent, str) or len(agent) > 80 or not agent.isprintable():
        raise MalformedMessage("bad_field", "agent")
    hello = Hello(
        epoch=_hex(raw, "epoch", 16),
        next=_number(raw, "next", 1),
        oldest=_number(raw, "oldest", 1),
        points=_hex(raw, "points", DIGEST_BYTES),
        key=_hex(raw, "key", KEY_BYTES),
        agent=agent,
        gone=_gone(raw.get("gone")),
    )
    if hello.oldest > hello.next:
        raise MalformedMessage("bad_field", f"oldest {hello.oldest} is after next {hello.next}")
    if hello.gone is not None and hello.gone.last >= hello.next:
        raise MalformedMessage("bad_field", f"batch {hello.gone.last} cannot be gone, next is {hello.next}")
    return hello


def read_ack(data: bytes) -> Ack:
    raw = _load(data, MAX_MESSAGE_BYTES)
    return Ack(
        epoch=_hex(raw, "epoch", 16),
        through=_number(raw, "through", 0),
        hash=None if raw.get("hash") is None else _hex(raw, "hash", 32),
        want_points=None if raw.get("want_points") is None else _hex(raw, "want_points", DIGEST_BYTES),
        known=None if raw.get("known") is None else _hex(raw, "known", 32),
    )


def read_live(data: bytes) -> Live:
    raw = _load(data, MAX_LIVE_BYTES)
    rows = raw.get("r")
    if not isinstance(rows, list):
        raise MalformedMessage("bad_field", "r")
    offset = raw.get("offset_ms")
    if offset is not None:
        offset = _number(raw, "offset_ms", -_MAX_INT)
    return Live(_hex(raw, "points", DIGEST_BYTES), offset, tuple(_live_reading(row) for row in rows))


def _gone(row: object) -> Gone | None:
    match row:
        case None:
            return None
        case [int(first), int(last), str(reason)] if 1 <= first <= last <= _MAX_INT and reason in GONE_REASONS:
            return Gone(first, last, reason)
    raise MalformedMessage("bad_field", "gone")


def _live_reading(row: object) -> Reading:
    match row:
        case [int(point), int(at), int() | None as mantissa, int(decimals), int(quality), str() | None as reason]:
            pass
        case _:
            raise MalformedMessage("bad_live_reading", repr(row)[:120])
    if not (0 <= point < _MAX_INT and 0 <= at < _MAX_INT and 0 <= decimals <= _MAX_DECIMALS and 0 <= quality <= 2):
        raise MalformedMessage("bad_live_reading", repr(row)[:120])
    if (mantissa is not None and abs(mantissa) > _MAX_INT) or (reason is not None and len(reason) > _MAX_REASON):
        raise MalformedMessage("bad_live_reading", repr(row)[:120])
    return Reading(point, at, mantissa, decimals, Quality(quality), reason)


def _dump(raw: dict[str, Any]) -> bytes:
    return json.dumps(raw, separators=(",", ":")).encode()


def _load(data: bytes, limit: int) -> dict[str, Any]:
    if len(data) > limit:
        raise MalformedMessage("message_too_large", f"{len(data)} bytes")
    try:
        raw = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise MalformedMessage("not_json", str(error)) from error
    if not isinstance(raw, dict):
        raise MalformedMessage("not_an_object")
    if raw.get("v") != 1:
        raise MalformedMessage("unknown_version", repr(raw.get("v"))[:40])
    return raw


def _hex(raw: dict[str, Any], key: str, size: int) -> bytes:
    text = raw.get(key)
    try:
        value = bytes.fromhex(text) if isinstance(text, str) and len(text) == 2 * size else b""
    except ValueError as error:
        raise MalformedMessage("bad_field", key) from error
    if len(value) != size:
        raise MalformedMessage("bad_field", key)
    return value


def _number(raw: dict[str, Any], key: str, least: int) -> int:
    value = raw.get(key)
    if type(value) is not int or not least <= value <= _MAX_INT:
        raise MalformedMessage("bad_field", key)
    return value
