"""What counts as a breach: readings and limits in, breaches out. Pure, the same at the edge and in the cloud."""

from rules.breach import (
    Breach,
    BreachChange,
    BreachStatus,
    ChangeKind,
    WatchState,
    advance,
    breach_key,
    pending_until,
    retire,
    settle,
)
from rules.exposure import Exposure, exposure
from rules.knowledge import Knowledge, Known, Observation, OutOfOrderError, Segment, segments, unknown_spans
from rules.limit import Limit, LimitKind, Severity

__all__ = [
    "Breach",
    "BreachChange",
    "BreachStatus",
    "ChangeKind",
    "Exposure",
    "Knowledge",
    "Known",
    "Limit",
    "LimitKind",
    "Observation",
    "OutOfOrderError",
    "Segment",
    "Severity",
    "WatchState",
    "advance",
    "breach_key",
    "exposure",
    "pending_until",
    "retire",
    "segments",
    "settle",
    "unknown_spans",
]
