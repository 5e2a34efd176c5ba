"""What a start says of the time before it: nothing was measured, or what was measured was not sealed."""

from __future__ import annotations

from edge.buffer.contract import LastSealed
from edge.buffer.sqlite import SqliteBuffer
from edge.clock import Clock
from wire.entries import Entry, Gap


def opening_entries(buffer: SqliteBuffer, clock: Clock) -> list[Entry]:
    """A buffer that lost everything to damage says so itself."""
    last = buffer.last_sealed()
    if last is None and buffer.is_mended:
        return []
    return [gap_before_now(last, clock.boot_id, clock.now_ms())]


def gap_before_now(last: LastSealed | None, boot: bytes, now_ms: int) -> Gap:
    """Pure: from where the buffer ends to this moment of this boot."""
    if last is None:
        return Gap("not_installed", None, None, now_ms, None, "")
    reason = "agent_stopped" if last.was_stopped else "agent_killed"
    if last.boot != boot:
        reason = "power_off"
    return Gap(reason, last.boot, last.last_at, now_ms, None, "")
