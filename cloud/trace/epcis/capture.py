"""Takes documents: what is right enters the books, what is not is said with its path. A job tells what became of it.

Everything is decided before the answer is given: a job is always finished when somebody asks for it.
"""

from __future__ import annotations

import enum
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from cloud.store import load_queries
from cloud.trace.epcis.books import record_event
from cloud.trace.epcis.document import Captured, Incoming
from cloud.trace.epcis.errors import DuplicateEventError, InvalidEventError, UnknownNameError

_queries = load_queries("cloud.trace.epcis")


class ErrorBehaviour(enum.Enum):
    """What happens to the right events of a document when others are wrong."""

    ROLLBACK = "rollback"
    PROCEED = "proceed"


@dataclass(frozen=True, slots=True)
class CaptureError:
    """`type` is an EPCIS exception; `detail` begins with the path in the document."""

    type: str
    title: str
    status: int
    detail: str


@dataclass(frozen=True, slots=True)
class Job:
    number: int
    key: str
    created_at: int
    finished_at: int
    behaviour: ErrorBehaviour
    is_success: bool
    errors: Sequence[CaptureError]


@dataclass(frozen=True, slots=True)
class Outcome:
    job: Job
    recorded: Sequence[Captured]


def capture(connection: Connection, incoming: Incoming, behaviour: ErrorBehaviour, now_ms: int) -> Outcome:
    """Raises InvalidEventError when an event is wrong and all shall be taken or none."""
    if incoming.faults and behaviour is ErrorBehaviour.ROLLBACK:
        raise InvalidEventError(incoming.faults)
    errors = [_invalid(str(fault)) for fault in incoming.faults]
    number = _open_job(connection, incoming, behaviour, now_ms)
    recorded: list[Captured] = []
    savepoint = connection.begin_nested()
    for event in incoming.events:
        try:
            record_event(connection, event, now_ms, number)
            recorded.append(event)
        except DuplicateEventError as error:
            errors.append(_duplicate(event.path, error))
    if errors and behaviour is ErrorBehaviour.ROLLBACK:
        savepoint.rollback()
        recorded = []
    else:
        savepoint.commit()
    connection.execute(
        _queries.close_capture,
        {"id": number, "success": int(not errors), "errors": json.dumps([vars_of(error) for error in errors])},
    )
    return Outcome(_job_of_number(connection, number), recorded)


def job_by_key(connection: Connection, key: str) -> Job:
    """Raises UnknownNameError."""
    row = connection.execute(_queries.capture_by_key, {"key": key}).first()
    if row is None:
        raise UnknownNameError("capture job", key)
    return _job(row)


def jobs_before(connection: Connection, number: int, count: int) -> list[Job]:
    """The newest first."""
    return [_job(row) for row in connection.execute(_queries.captures, {"before": number, "count": count})]


def vars_of(error: CaptureError) -> dict[str, str | int]:
    return {"type": error.type, "title": error.title, "status": error.status, "detail": error.detail}


def _open_job(connection: Connection, incoming: Incoming, behaviour: ErrorBehaviour, now_ms: int) -> int:
    row = {
        "key": secrets.token_hex(12),
        "created_at": now_ms,
        "finished_at": now_ms,
        "behaviour": behaviour.value,
        "success": 0,
        "errors": "[]",
        "envelope": json.dumps(incoming.envelope, ensure_ascii=False),
    }
    return int(connection.execute(_queries.insert_capture, row).scalar_one())


def _job_of_number(connection: Connection, number: int) -> Job:
    return jobs_before(connection, number + 1, 1)[0]


def _invalid(detail: str) -> CaptureError:
    return CaptureError("epcisException:ValidationException", "An event says what cannot be", 400, detail)


def _duplicate(path: str, error: DuplicateEventError) -> CaptureError:
    return CaptureError(
        "epcisException:ResourceAlreadyExistsException", "The event is there already", 409, f"{path}.eventID: {error}"
    )


def _job(row: Row[Any]) -> Job:  # Any: a row of a textual query has no static shape
    return Job(
        number=row.id,
        key=row.key,
        created_at=row.created_at,
        finished_at=row.finished_at,
        behaviour=ErrorBehaviour(row.behaviour),
        is_success=bool(row.success),
        errors=[CaptureError(**error) for error in json.loads(row.errors)],
    )
