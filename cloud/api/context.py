"""What every resource needs of the house, handed to the API once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Query, Request
from pydantic import BaseModel, ConfigDict

from cloud.live import LiveHub
from cloud.store.engine import Store
from cloud.trace.settings import NO_SETTINGS, TraceSettings

Fact = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class ApiContext:
    """`ingest_stats` is a picture of the ingest's counters; empty where no ingest runs in this process."""

    store: Store
    hub: LiveHub
    now_ms: Callable[[], int]
    ingest_stats: Callable[[], Mapping[str, Fact]] = dict
    trace: TraceSettings = NO_SETTINGS


def context_of(request: Request) -> ApiContext:
    return cast("ApiContext", request.app.state.context)


Context = Annotated[ApiContext, Depends(context_of)]


class Strict(BaseModel):
    """What comes from outside: an unknown key is an error, not a wish ignored."""

    model_config = ConfigDict(extra="forbid")


class _NoKeys(Strict):
    pass


NoQuery = Annotated[_NoKeys, Query()]
"""For a resource without query keys, so that it refuses all of them."""
