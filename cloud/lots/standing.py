"""Whether a lot may go on its way: free, held, rejected ... as people decided, in the order of their decisions. Pure.

free --hold--> held --release--> free           held --downgrade--> free, as something lesser
                held --reject--> rejected        any --recall--> recalled        any --destroy--> destroyed
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from cloud.lots.events import EventKind, LotEvent


class State(StrEnum):
    FREE = "free"
    HELD = "held"
    REJECTED = "rejected"
    RECALLED = "recalled"
    DESTROYED = "destroyed"


@dataclass(frozen=True, slots=True)
class Standing:
    state: State
    since: int | None = None
    by: str = ""
    reason: str = ""
    holds: Sequence[LotEvent] = ()  # those that nobody has lifted
    settled_breaches: frozenset[str] = frozenset()  # breaches that a person has decided on
    is_downgraded: bool = False

    @property
    def may_leave(self) -> bool:
        return self.state is State.FREE


_ENDING = {
    EventKind.REJECT: State.REJECTED,
    EventKind.RECALL: State.RECALLED,
    EventKind.DESTROY: State.DESTROYED,
}
_LIFTING = {EventKind.RELEASE, EventKind.DOWNGRADE}


def standing(events: Iterable[LotEvent]) -> Standing:
    """`events` are the lot's own; corrected ones must not be among them."""
    holds: dict[str, LotEvent] = {}
    settled: set[str] = set()
    end: LotEvent | None = None
    is_downgraded = False
    for event in sorted(events, key=lambda event: (event.at, event.event_id)):
        if event.kind is EventKind.HOLD:
            holds[event.breach or event.event_id] = event
        elif event.kind in _LIFTING:
            lifted = [event.breach] if event.breach else list(holds)
            for key in lifted:
                holds.pop(key, None)
            settled.update(lifted)
            end = None
            is_downgraded = is_downgraded or event.kind is EventKind.DOWNGRADE
        elif event.kind in _ENDING:
            end = event
    return _standing(end, list(holds.values()), frozenset(settled), is_downgraded=is_downgraded)


def _standing(
    end: LotEvent | None, holds: Sequence[LotEvent], settled: frozenset[str], *, is_downgraded: bool
) -> Standing:
    if end is None and not holds:
        return Standing(State.FREE, settled_breaches=settled, is_downgraded=is_downgraded)
    why = end or holds[0]
    state = State.HELD if end is None else _ENDING[end.kind]
    return Standing(state, why.at, why.by, why.reason, holds, settled, is_downgraded)
