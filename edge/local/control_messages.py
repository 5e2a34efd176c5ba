"""What is said on the agent's control socket: one JSON object a line, each with a `type`.

-> {"type": "status"}                                   <- {"type": "status", "gateway": ..., "buses": [...]}
-> {"type": "talk", "bus": "line-1", "frame": "0703..."} <- {"type": "heard", "chunks": [[23.4, "0703..."]]}
-> {"type": "tap", "bus": "line-1"}                     <- {"type": "exchange", ...} for every exchange from now on
whatever cannot be done                                 <- {"type": "failure", "reason": ..., "detail": ...}
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from edge.local.status import AgentStatus

Hex = Annotated[str, Meta(pattern=r"^([0-9a-f]{2})*$", max_length=600)]
Milliseconds = Annotated[float, Meta(ge=0, le=10_000)]

MAX_LINE = 1 << 20


class StatusRequest(msgspec.Struct, frozen=True, tag="status", forbid_unknown_fields=True):
    pass


class TalkRequest(msgspec.Struct, frozen=True, kw_only=True, tag="talk", forbid_unknown_fields=True):
    """One exchange of plain bytes in a pause between polls. `is_write`: a person has consented to a change."""

    bus: str
    frame: Hex
    wait_ms: Milliseconds
    quiet_ms: Milliseconds
    enough: int = 0
    likely_ms: Milliseconds = 0
    baud: Annotated[int, Meta(ge=300, le=4_000_000)] | None = None
    format: Annotated[str, Meta(pattern=r"^[78][NEO][12]$")] | None = None
    is_write: bool = False


class TapRequest(msgspec.Struct, frozen=True, kw_only=True, tag="tap", forbid_unknown_fields=True):
    bus: str


Asked = StatusRequest | TalkRequest | TapRequest


class Heard(msgspec.Struct, frozen=True, kw_only=True, tag="heard"):
    """Milliseconds after the request was sent, and what came then."""

    chunks: tuple[tuple[float, str], ...]
    is_echoing: bool


class Exchange(msgspec.Struct, frozen=True, kw_only=True, tag="exchange"):
    at_ms: float
    frame: str
    chunks: tuple[tuple[float, str], ...]


class Failure(msgspec.Struct, frozen=True, kw_only=True, tag="failure"):
    reason: str
    detail: str = ""


Told = AgentStatus | Heard | Exchange | Failure
