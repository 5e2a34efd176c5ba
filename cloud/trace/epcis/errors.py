"""What can be wrong with what others send us.

EpcisError            asking again in the same words never helps
├── NotEpcisError         not JSON, or not an EPCIS document at all
├── InvalidEventError     events that say what cannot be; each fault names its JSON path
├── DuplicateEventError   an event of this ID is in the books and this is no error declaration of it
├── QueryParameterError   a parameter that does not exist, or a value it cannot have
├── QueryTooLargeError    more events than the caller said it can take
├── UnknownNameError      no event, job, query or subscription of this name
└── NameTakenError        there is another query of this name
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Fault(NamedTuple):
    """`path` is where in the document, as $.epcisBody.eventList[0].eventTime; `reason` what would be right."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class EpcisError(Exception):
    """Base of all below."""


class NotEpcisError(EpcisError):
    pass


class InvalidEventError(EpcisError):
    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = list(faults)
        super().__init__("; ".join(map(str, faults)))


class DuplicateEventError(EpcisError):
    def __init__(self, event_id: str) -> None:
        self.event_id = event_id
        super().__init__(f"event {event_id} is in the books; what was wrong is declared with an errorDeclaration")


class QueryParameterError(EpcisError):
    def __init__(self, parameter: str, reason: str) -> None:
        self.parameter, self.reason = parameter, reason
        super().__init__(f"{parameter}: {reason}")


class QueryTooLargeError(EpcisError):
    def __init__(self, most: int) -> None:
        self.most = most
        super().__init__(f"more than maxEventCount={most} events match")


class UnknownNameError(EpcisError):
    def __init__(self, what: str, name: str) -> None:
        self.what, self.name = what, name
        super().__init__(f"there is no {what} {name!r}")


class NameTakenError(EpcisError):
    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"there is another query {name!r}")
