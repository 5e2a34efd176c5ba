"""Data trust: which points of a zone can be believed, and when they could not."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from cloud.alarms.trust import PointTrust, trust_of_zone
from cloud.api.context import Context, NoQuery
from cloud.api.contexts import zone_id_of
from cloud.api.times import At
from rules import TrustState, TrustTest

router = APIRouter(prefix="/zones/{zone_key}/trust", tags=["zones"])


class Spell(BaseModel):
    reason: str = Field(description="A state, or the test that a suspect point failed", examples=["flat_line"])
    from_at: At
    until_at: At | None


class Trust(BaseModel):
    point: str
    quantity: str
    state: TrustState
    test: TrustTest | None
    since_at: At | None
    spells: list[Spell]


class ZoneTrust(BaseModel):
    zone: str
    now: At
    points: list[Trust]


@router.get("")
def show_trust(zone_key: str, context: Context, _: NoQuery) -> ZoneTrust:
    """Each point as fresh, stale, suspect (with its test) or failed, and when it was not fresh within the last day."""
    now = context.now_ms()
    with context.store.read() as connection:
        found = trust_of_zone(connection, zone_id_of(connection, zone_key), now)
    return ZoneTrust(zone=zone_key, now=now, points=[_told(trust) for trust in found])


def _told(trust: PointTrust) -> Trust:
    return Trust(
        point=trust.point,
        quantity=trust.quantity,
        state=trust.state,
        test=trust.test,
        since_at=trust.since_at,
        spells=[Spell(reason=s.reason, from_at=s.from_at, until_at=s.until_at) for s in trust.spells],
    )
