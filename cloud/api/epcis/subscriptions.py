"""Who is told what a named query finds, by webhook."""

from fastapi import APIRouter, Depends, Response
from fastapi.responses import JSONResponse

from cloud.api.context import Context
from cloud.api.epcis.protocol import JsonBody, answer, negotiate
from cloud.api.times import iso
from cloud.trace.epcis.subscriptions import (
    Subscription,
    subscribe,
    subscription_by_key,
    subscriptions_of,
    unsubscribe,
)

router = APIRouter(prefix="/queries/{name}/subscriptions", dependencies=[Depends(negotiate)])


@router.post("")
def add_subscription(name: str, body: JsonBody, context: Context) -> JSONResponse:
    with context.store.write() as connection:
        made = subscribe(connection, name, body, context.now_ms())
    return answer(_json(made), 201, headers={"Location": f"/epcis/queries/{name}/subscriptions/{made.key}"})


@router.get("")
def list_subscriptions(name: str, context: Context) -> JSONResponse:
    with context.store.read() as connection:
        return answer([_json(each) for each in subscriptions_of(connection, name)])


@router.get("/{key}")
def show_subscription(name: str, key: str, context: Context) -> JSONResponse:
    with context.store.read() as connection:
        return answer(_json(subscription_by_key(connection, name, key)))


@router.delete("/{key}")
def drop_subscription(name: str, key: str, context: Context) -> Response:
    with context.store.write() as connection:
        unsubscribe(connection, name, key)
    return Response(status_code=204)


def _json(subscription: Subscription) -> dict[str, object]:
    """Never the signature token."""
    told = subscription.last_notified_at
    return {
        "subscriptionID": subscription.key,
        "dest": subscription.dest,
        "createdAt": iso(subscription.created_at),
        **({"lastNotifiedAt": iso(told)} if told is not None else {}),
        **({"stream": True} if subscription.schedule is None else {"schedule": dict(subscription.schedule)}),
        "reportIfEmpty": subscription.reports_empty,
    }
