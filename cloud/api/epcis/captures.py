"""Documents of many events come in here; a job says what became of each."""

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from cloud.api.context import Context
from cloud.api.epcis.problems import EpcisProblem
from cloud.api.epcis.protocol import (
    BYTE_LIMIT,
    EVENT_LIMIT,
    JsonBody,
    answer,
    negotiate,
    next_link,
    query_parameters,
    read_token,
    take_page,
    token_of,
)
from cloud.api.times import iso
from cloud.live import Change
from cloud.trace.epcis.adopt import adopt
from cloud.trace.epcis.capture import ErrorBehaviour, Job, capture, job_by_key, jobs_before, vars_of
from cloud.trace.epcis.document import read_document
from cloud.trace.epcis.errors import QueryParameterError

router = APIRouter(prefix="/capture", dependencies=[Depends(negotiate)])
LIMITS = {
    "GS1-EPCIS-Capture-Limit": str(EVENT_LIMIT),
    "GS1-EPCIS-Capture-File-Size-Limit": str(BYTE_LIMIT),
    "GS1-Capture-Error-Behaviour": "rollback, proceed",
}
_FAR = 1 << 62


@router.post("")
def take(request: Request, body: JsonBody, context: Context) -> JSONResponse:
    """202 with the address of the job; 400 with every reason when an event is wrong and none shall be taken alone."""
    behaviour = _behaviour(request)
    incoming = read_document(body)
    if len(incoming.events) > EVENT_LIMIT:
        raise EpcisProblem(413, "CaptureLimitExceededException", f"more than {EVENT_LIMIT} events; send them in parts")
    with context.store.write() as connection:
        outcome = capture(connection, incoming, behaviour, context.now_ms())
        adopted = list(adopt(connection, outcome.recorded, context.trace, context.now_ms()))
    context.hub.publish_changed([Change("lot")] if adopted else [])
    notes = [reason for _, reason in adopted if reason is not None]
    where = f"/epcis/capture/{outcome.job.key}"
    headers = {"Location": where, "GS1-Capture-Error-Behaviour": behaviour.value}
    facts = {"coldlink:facts": len(adopted) - len(notes), "coldlink:notes": notes}
    return answer({**_job(outcome.job), **facts}, 202, headers=headers)


@router.get("")
def list_jobs(request: Request, context: Context) -> JSONResponse:
    """The newest first."""
    per_page, token = take_page(query_parameters(request))
    before = _FAR if token is None else read_token(token)
    if not isinstance(before, int):
        raise QueryParameterError("nextPageToken", "it was not given out here")
    with context.store.read() as connection:
        jobs = jobs_before(connection, before, per_page + 1)
    link = next_link(request, per_page, token_of(jobs[per_page - 1].number)) if len(jobs) > per_page else None
    return answer([_job(job) for job in jobs[:per_page]], link=link)


@router.get("/{key}")
def show_job(key: str, context: Context) -> JSONResponse:
    with context.store.read() as connection:
        return answer(_job(job_by_key(connection, key)))


def _behaviour(request: Request) -> ErrorBehaviour:
    text = request.headers.get("gs1-capture-error-behaviour", ErrorBehaviour.ROLLBACK.value)
    try:
        return ErrorBehaviour(text)
    except ValueError as error:
        detail = f"GS1-Capture-Error-Behaviour {text!r} is neither rollback nor proceed"
        raise EpcisProblem(400, "ValidationException", detail) from error


def _job(job: Job) -> dict[str, object]:
    return {
        "captureID": job.key,
        "createdAt": iso(job.created_at),
        "finishedAt": iso(job.finished_at),
        "running": False,
        "success": job.is_success,
        "captureErrorBehaviour": job.behaviour.value,
        "errors": [vars_of(error) for error in job.errors],
    }
