"""What a breach is, and where the watch over one limit stands. The machine that makes breaches is in watch.py."""

import hashlib
import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from rules.context import ContextKind
from rules.grace import NO_GRACE, Grace, Mark
from rules.knowledge import Known
from rules.limit import Limit


class BreachStatus(StrEnum):
    PENDING = "pending"
    ACTIVE = "active"
    ENDED = "ended"
    WITHDRAWN = "withdrawn"  # stated once, but never confirmed, or disproved by later data


class Trigger(StrEnum):
    """Why a breach was confirmed."""

    DELAY = "delay"
    DEGREE_MINUTES = "degree_minutes"


@dataclass(frozen=True, slots=True)
class Breach:
    """The fact that a limit was exceeded over [onset_at, ended_at)."""

    key: str
    onset_at: int  # the first moment beyond the setpoint
    extreme: float
    extreme_at: int
    confirmed_at: int | None = None
    ended_at: int | None = None  # the first moment of the calm that lasted for the off-delay
    confirmed_by: Trigger | None = None

    @property
    def status(self) -> BreachStatus:
        if self.ended_at is not None:
            return BreachStatus.ENDED
        return BreachStatus.PENDING if self.confirmed_at is None else BreachStatus.ACTIVE

    def minutes(self, until: int) -> float:
        """Minutes from the onset to the end, or to `until` while it lasts."""
        return ((until if self.ended_at is None else self.ended_at) - self.onset_at) / 60_000


class ChangeKind(StrEnum):
    OPENED = "opened"
    CONFIRMED = "confirmed"
    ENDED = "ended"
    DROPPED = "dropped"  # it was within the setpoint again before it was confirmed


class BreachChange(NamedTuple):
    kind: ChangeKind
    breach: Breach


@dataclass(frozen=True, slots=True)
class WatchState:
    """Where the watch over one limit stands at `at`: all that is needed to go on from there."""

    at: int | None = None  # None: no observation yet
    known: tuple[Known, ...] = ()
    breach: Breach | None = None
    held_ms: int = 0  # known time that counts towards the delay now running
    calm_at: int | None = None  # since when an active breach is back within its deadband
    heat: int = 0  # of a pending breach: milli-kelvin x milliseconds beyond the setpoint
    is_excused: bool = False  # the pending breach began in a grace
    grace: Grace = NO_GRACE

    def to_json(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "WatchState":
        """Also of an earlier version: what it did not know yet has its default."""
        raw = json.loads(text)
        known = tuple(Known(*entry) for entry in raw.pop("known"))
        breach, grace = raw.pop("breach"), raw.pop("grace", {})
        return cls(known=known, breach=_breach(breach) if breach else None, grace=_grace(grace), **raw)


def breach_key(limit: Limit, onset_at: int) -> str:
    name = f"{limit.zone}/{limit.key}/{limit.version}/{onset_at}"
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def _breach(raw: dict[str, Any]) -> Breach:  # Any: what json.loads gives
    trigger = raw.pop("confirmed_by", None)
    return Breach(**raw, confirmed_by=Trigger(trigger) if trigger else None)


def _grace(raw: dict[str, Any]) -> Grace:  # Any: what json.loads gives
    marks = (Mark(source, ContextKind(kind), at, until_at) for source, kind, at, until_at in raw.get("marks", ()))
    return Grace(tuple(marks), raw.get("until_at"))
