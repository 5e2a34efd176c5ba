"""What people decided about a lot, and what happened to it, in words."""

from dataclasses import dataclass

from sqlalchemy import Connection

from cloud import lots
from cloud.api.lot_events import Event, shown
from cloud.web import states
from cloud.web.pages import Page
from cloud.web.states import Look


@dataclass(frozen=True, slots=True)
class StandingView:
    """`text` says since when and why; `choices` are the kinds of decision that make sense now."""

    look: Look
    is_free: bool
    since: str
    text: str
    open_breaches: list[str]
    choices: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class LedgerRow:
    event: Event
    look: str
    title: str
    text: str
    is_corrected: bool


_CHOICES = {
    "free": ("hold", "recall"),
    "held": ("release", "downgrade", "reject", "recall"),
    "rejected": ("release", "downgrade"),
    "recalled": ("release",),
    "destroyed": (),
}
_LOOKS = {"hold": "raised", "recall": "raised", "reject": "raised", "release": "ack", "downgrade": "ack"}
N_ = states.N_
VERBS = {
    "hold": N_("Hold this lot"),
    "release": N_("Release"),
    "downgrade": N_("Downgrade"),
    "reject": N_("Reject"),
    "recall": N_("Recall"),
}


def standing_view(page: Page, connection: Connection, lot_id: int) -> StandingView:
    [held] = lots.standings(connection, [lot_id]).values()
    look = states.STANDINGS[held.state.value]
    return StandingView(
        look=look,
        is_free=held.state is lots.State.FREE,
        since=look.say(page.words) if held.since is None else _since(page, look, held.since),
        text=": ".join(part for part in (_name(page, held.by), held.reason) if part),
        open_breaches=sorted({met.breach for met in lots.open_breaches(connection, lot_id, held)}),
        choices=[(kind, page.words(VERBS[kind])) for kind in _CHOICES[held.state.value]],
    )


def ledger_rows(page: Page, connection: Connection, lot_id: int) -> list[LedgerRow]:
    """The newest first."""
    events = [shown(recorded) for recorded in lots.events_of_lot(connection, lot_id)]
    return [
        LedgerRow(
            event=event,
            look=_LOOKS.get(event.kind, ""),
            title=page.words(states.LOT_EVENTS[event.kind]),
            text=_text(page, event),
            is_corrected=event.corrected_at is not None,
        )
        for event in reversed(events)
    ]


def _since(page: Page, look: Look, at: int) -> str:
    return page.words("{state} since {at}", state=look.say(page.words), at=page.formats.when(at))


def _name(page: Page, by: str) -> str:
    return page.words("Automatic") if by == "coldlink" else by


def _text(page: Page, event: Event) -> str:
    words, f = page.words, page.formats
    parts = []
    if event.inputs:
        parts.append(words("of {lots}", lots=", ".join(item.lot for item in event.inputs)))
        parts.append("→ " + ", ".join(item.lot for item in event.outputs))
    parts += [f"{f.number(item.quantity_kg, 1)} kg" for item in event.subjects if item.quantity_kg is not None]
    if event.core_celsius is not None:
        parts.append(words("core {value}", value=f.quantity(event.core_celsius, "°C", 1)))
    parts += [part for part in (event.source, event.destination) if part]
    parts += [f"{paper.type} {paper.number}" for paper in event.documents]
    parts += [part for part in (event.reason, _name(page, event.by)) if part]
    return " · ".join(parts)
