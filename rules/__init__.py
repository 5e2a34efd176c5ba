"""What counts as a breach: readings and limits in, breaches out. Pure, the same at the edge and in the cloud."""

from rules.breach import Breach, BreachChange, BreachStatus, ChangeKind, Trigger, WatchState, breach_key
from rules.context import CONTEXT_OF_QUANTITY, ContextKind, ContextMark, Daily, Signal, with_marks
from rules.exposure import Exposure, exposure
from rules.knowledge import Knowledge, Known, Observation, OutOfOrderError, Segment, segments, unknown_spans
from rules.limit import Limit, LimitKind, Severity
from rules.watch import Entry, advance, pending_until, retire, settle

__all__ = [
    "CONTEXT_OF_QUANTITY",
    "Breach",
    "BreachChange",
    "BreachStatus",
    "ChangeKind",
    "ContextKind",
    "ContextMark",
    "Daily",
    "Entry",
    "Exposure",
    "Knowledge",
    "Known",
    "Limit",
    "LimitKind",
    "Observation",
    "OutOfOrderError",
    "Segment",
    "Severity",
    "Signal",
    "Trigger",
    "WatchState",
    "advance",
    "breach_key",
    "exposure",
    "pending_until",
    "retire",
    "segments",
    "settle",
    "unknown_spans",
    "with_marks",
]
