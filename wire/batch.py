"""The envelope: a batch is sealed once, chained to the one before, signed, and never changes again.

    magic "CLB1" | codec | gateway length | gateway | epoch | seq | boot | offset | first_at | span | entries
    | prev | points | body length | body | signature

All integers are big-endian. The signature (Ed25519) covers every byte before it; the batch's hash is SHA-256 over all
bytes, signature included, and stands as `prev` in the next batch. Batches are self-delimiting, so a flight is simply
several of them in a row. Sizes are bounded before anything is allocated.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass

from wire.errors import MalformedBatch
from wire.signature import SIGNATURE_BYTES

MAGIC = b"CLB1"
CODEC_COLUMNS_DEFLATE = 1
NO_PREVIOUS = bytes(32)
MAX_BODY_BYTES = 1 << 20
MAX_ENTRIES = 200_000
MAX_FLIGHT_BYTES = 4 << 20

_GATEWAY = re.compile(rb"[a-z0-9][a-z0-9_-]{0,62}")
_START = struct.Struct(">4sBB")
_REST = struct.Struct(">16sQ16sqQII32s16sI")
_NOT_ANCHORED = -(1 << 63)
_MAX_TIME_MS = 1 << 53


@dataclass(frozen=True, slots=True)
class Header:
    """What is known of a batch without reading its body. Times are boot milliseconds of `boot`."""

    gateway: str
    epoch: bytes  # 16 random bytes made with the buffer: a wiped gateway never re-uses numbers
    seq: int  # from 1, without holes within the epoch
    boot: bytes  # the kernel's boot id, 16 bytes
    offset_ms: int | None  # UTC = at + offset_ms; None: the clock was not known good when this was sealed
    first_at: int
    last_at: int
    entries: int
    prev: bytes  # hash of the batch before; NO_PREVIOUS for seq 1
    points: bytes  # digest of the point table that the body's indices refer to


@dataclass(frozen=True, slots=True)
class SealedBatch:
    """A batch as it lies in the buffer and travels: `data` is all of it, byte for byte."""

    header: Header
    body: bytes
    data: bytes
    hash: bytes

    @property
    def signed(self) -> bytes:
        return self.data[:-SIGNATURE_BYTES]

    @property
    def signature(self) -> bytes:
        return self.data[-SIGNATURE_BYTES:]


def seal(header: Header, body: bytes, sign: Callable[[bytes], bytes]) -> SealedBatch:
    """Make the bytes of a batch. `sign` is the gateway's Ed25519 signature over what stands before it."""
    gateway = header.gateway.encode()
    if not is_gateway_name(header.gateway):
        raise ValueError(f"gateway {header.gateway!r}: 1 to 63 of a-z, 0-9, - and _, not beginning with - or _")
    if len(body) > MAX_BODY_BYTES or header.entries > MAX_ENTRIES:
        raise ValueError(f"a batch holds at most {MAX_ENTRIES} entries and {MAX_BODY_BYTES} bytes of body")
    signed = b"".join(
        (
            _START.pack(MAGIC, CODEC_COLUMNS_DEFLATE, len(gateway)),
            gateway,
            _REST.pack(
                header.epoch,
                header.seq,
                header.boot,
                _NOT_ANCHORED if header.offset_ms is None else header.offset_ms,
                header.first_at,
                header.last_at - header.first_at,
                header.entries,
                header.prev,
                header.points,
                len(body),
            ),
            body,
        )
    )
    data = signed + sign(signed)
    return SealedBatch(header, body, data, hashlib.sha256(data).digest())


def open_batch(data: bytes) -> SealedBatch:
    """Read exactly one batch. Raises MalformedBatch. Signature and body are not checked here."""
    batch, end = _read(data, 0)
    if end != len(data):
        raise MalformedBatch("trailing_bytes", f"{len(data) - end} after the batch")
    return batch


def split_flight(payload: bytes) -> tuple[list[SealedBatch], MalformedBatch | None]:
    """The batches of a flight, up to the first place that cannot be read, and what was wrong there."""
    if len(payload) > MAX_FLIGHT_BYTES:
        return [], MalformedBatch("flight_too_large", f"{len(payload)} bytes")
    batches: list[SealedBatch] = []
    position = 0
    while position < len(payload):
        try:
            batch, position = _read(payload, position)
        except MalformedBatch as error:
            return batches, error
        batches.append(batch)
    return batches, None


def is_gateway_name(name: str) -> bool:
    return name.isascii() and _GATEWAY.fullmatch(name.encode()) is not None


def _read(data: bytes, start: int) -> tuple[SealedBatch, int]:
    if len(data) - start < _START.size:
        raise MalformedBatch("truncated", "no room for the first fields")
    magic, codec, gateway_length = _START.unpack_from(data, start)
    if magic != MAGIC:
        raise MalformedBatch("bad_magic", magic.hex())
    if codec != CODEC_COLUMNS_DEFLATE:
        raise MalformedBatch("unknown_codec", str(codec))
    fields_at = start + _START.size + gateway_length
    body_at = fields_at + _REST.size
    if len(data) < body_at:
        raise MalformedBatch("truncated", "within the header")
    gateway = data[start + _START.size : fields_at]
    if not _GATEWAY.fullmatch(gateway):
        raise MalformedBatch("bad_gateway_name", repr(gateway[:80]))
    epoch, seq, boot, offset, first_at, span, entries, prev, points, body_length = _REST.unpack_from(data, fields_at)
    if body_length > MAX_BODY_BYTES or entries > MAX_ENTRIES:
        raise MalformedBatch("too_large", f"{body_length} bytes, {entries} entries")
    end = body_at + body_length + SIGNATURE_BYTES
    if len(data) < end:
        raise MalformedBatch("truncated", "within the body or signature")
    if seq < 1 or seq >= _MAX_TIME_MS or first_at + span > _MAX_TIME_MS:
        raise MalformedBatch("bad_header", f"seq {seq}, first_at {first_at}, span {span}")
    if offset != _NOT_ANCHORED and abs(offset) > _MAX_TIME_MS:
        raise MalformedBatch("bad_header", f"offset {offset}")
    header = Header(
        gateway=gateway.decode(),
        epoch=epoch,
        seq=seq,
        boot=boot,
        offset_ms=None if offset == _NOT_ANCHORED else offset,
        first_at=first_at,
        last_at=first_at + span,
        entries=entries,
        prev=prev,
        points=points,
    )
    whole = data[start:end]
    return SealedBatch(header, data[body_at : body_at + body_length], whole, hashlib.sha256(whole).digest()), end
