"""A stored value as it left the instrument: exact decimal text, quality and reason."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy import Connection, Row

from cloud.api.times import At
from cloud.api.zone_state import Quality
from cloud.store.queries import load_queries

_QUALITIES: tuple[Quality, ...] = ("good", "uncertain", "bad")
_queries = load_queries("cloud.api")

Reasons = Mapping[int, str]


class Name(BaseModel):
    vi: str = Field(examples=["Kho lạnh A"])
    en: str = Field(examples=["Cold store A"])


class Measured(BaseModel):
    """One value with all that travels with it."""

    value: str | None = Field(description="Exact decimal, as the instrument resolved it", examples=["-19.4"])
    unit: str = Field(examples=["°C"])
    quality: Quality
    reason: str | None = Field(default=None, examples=["timeout"])
    observed_at: At
    received_at: At | None = None
    time_uncertain: bool = Field(default=False, description="`observed_at` is only bounded, or in the future")


def exact(value: float | None, detail: int) -> str | None:
    return None if value is None else f"{value:.{detail & 0xF}f}"


def quality_of(detail: int) -> Quality:
    return _QUALITIES[min(detail >> 4 & 3, 2)]


def time_is_uncertain(detail: int) -> bool:
    return bool(detail >> 6 & 1)


def reason_of(detail: int, reasons: Reasons) -> str | None:
    return reasons.get(detail >> 8)


def read_reasons(connection: Connection) -> Reasons:
    return {row.id: row.name for row in connection.execute(_queries.reasons)}


def measured(row: Row[Any], reasons: Reasons) -> Measured:
    """From a row with value, detail, unit, observed_at and received_at."""
    return Measured(
        value=exact(row.value, row.detail),
        unit=row.unit,
        quality=quality_of(row.detail),
        reason=reason_of(row.detail, reasons),
        observed_at=row.observed_at,
        received_at=row.received_at,
        time_uncertain=time_is_uncertain(row.detail),
    )
