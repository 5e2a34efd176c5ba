"""What counts as a breach: readings and limits in, breaches out. Pure, the same at the edge and in the cloud."""

from rules.breach import Breach, BreachChange, BreachStatus, ChangeKind, Trigger, WatchState, breach_key
from rules.context import CONTEXT_OF_QUANTITY, ContextKind, ContextMark, Daily, Signal, with_marks
from rules.distrust import Distrust, distrust
from rules.exposure import Exposure, exposure
from rules.foretell import Foretold, foretell
from rules.knowledge import Knowledge, Known, Observation, OutOfOrderError, Segment, segments, unknown_spans
from rules.limit import Limit, LimitKind, Severity
from rules.trust import PointJudge, Trust, TrustSettings, TrustState, TrustTest
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
    "Distrust",
    "Entry",
    "Exposure",
    "Foretold",
    "Knowledge",
    "Known",
    "Limit",
    "LimitKind",
    "Observation",
    "OutOfOrderError",
    "PointJudge",
    "Segment",
    "Severity",
    "Signal",
    "Trigger",
    "Trust",
    "TrustSettings",
    "TrustState",
    "TrustTest",
    "WatchState",
    "advance",
    "breach_key",
    "distrust",
    "exposure",
    "foretell",
    "pending_until",
    "retire",
    "segments",
    "settle",
    "unknown_spans",
    "with_marks",
]
