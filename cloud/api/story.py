"""What a lot went through, told on one time axis: its own stops and those of what it was made of."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from cloud import lots
from cloud.api.context import Context, NoQuery, Strict
from cloud.api.lots import LotDetail, LotKey, find_lot
from cloud.api.times import At, AtFromOutside
from cloud.api.values import Name

router = APIRouter(prefix="/lots", tags=["lots"])


class Columns(BaseModel):
    at: list[At]
    min: list[float]
    mean: list[float]
    max: list[float]


class LimitStep(BaseModel):
    key: str
    kind: Literal["above", "below"]
    setpoint: str
    severity: str
    from_at: At
    until_at: At


class ExposedBreach(BaseModel):
    """A confirmed breach of the zone, as far as the lot was there."""

    key: str
    limit: str
    kind: Literal["above", "below"]
    setpoint: str
    severity: str
    onset_at: At
    ended_at: At | None
    extreme: float | None
    exposed_from: At
    exposed_until: At


class Span(BaseModel):
    from_at: At
    until_at: At


class Stop(BaseModel):
    zone: str
    name: Name
    from_at: At
    until_at: At | None
    min: float | None
    max: float | None
    mean: float | None
    minutes_above: float
    minutes_below: float
    degree_minutes_above: float = Field(description="How far above the limit, times how long")
    kinetic_mean: float | None = Field(description="Mean kinetic temperature; shown, never judged by")
    unknown_minutes: float
    coverage: float = Field(description="Share of the stay in which the temperature was known")
    limits: list[LimitStep]
    unknown: list[Span]
    buckets: Columns
    breaches: list[ExposedBreach]


class VerdictNow(BaseModel):
    outcome: Literal["pass", "warn", "fail", "insufficient_data"]
    reason: str = Field(examples=["breach"])
    zone: str | None = Field(description="Where the reason is found")
    lot: str | None = Field(description="Whose stay that was: the lot's own, or an ancestor's")
    stage: Literal["provisional", "final"] = Field(
        description="Final: every gateway has delivered past its last moment"
    )
    version: int | None = Field(description="Late data that says something else makes a new version of a final one")
    final_at: At | None
    rule: str | None = Field(
        description="Which rule of which limit pack decided, if one did", examples=["own-haccp/dock"]
    )


class Finding(BaseModel):
    """What one rule of a limit pack says of one stay or deadline."""

    pack: str = Field(examples=["tcvn-12429-3"])
    rule: str = Field(examples=["core-within-6h"])
    name: Name
    citation: str = Field(examples=["TCVN 12429-3:2021, 4.2"])
    outcome: Literal["pass", "warn", "fail", "insufficient_data"]
    reason: str = Field(examples=["deadline_met"])
    counts: bool = Field(description="Whether the verdict listens to it")
    lot: str
    zone: str | None
    out_min: float
    tolerated_min: float
    unknown_min: float
    degree_min: float
    coverage: float | None
    worst: float | None
    due_at: At | None
    reached_at: At | None


class Inherited(BaseModel):
    """What an ancestor went through before it became part of the lot."""

    lot: str
    name: Name
    share: str | None = Field(description="null: it is in there, nobody weighed how much", examples=["0.6054"])
    until_at: At
    stops: list[Stop]


class Story(BaseModel):
    """Every stop on one time axis, those of its ancestors included."""

    lot: LotDetail
    now: At
    from_at: At
    until_at: At
    bucket_s: int
    verdict: VerdictNow
    findings: list[Finding] = Field(description="Of the limit packs of the food plan, if there is one")
    inherited: list[Inherited]
    stops: list[Stop]


class StoryQuery(Strict):
    buckets: int = Field(default=720, ge=10, le=5000)
    known_at: AtFromOutside | None = Field(default=None, description="As it was known then")


class VerdictVersion(BaseModel):
    version: int
    outcome: Literal["pass", "warn", "fail", "insufficient_data"]
    reason: str
    digest: str = Field(description="SHA-256 over exposures and verdict; equal facts have equal digests")
    computed_at: At


@router.get("/{key}/verdicts")
def show_verdicts(key: LotKey, context: Context, _: NoQuery) -> list[VerdictVersion]:
    """The final verdict in all its versions, oldest first; empty while it is provisional."""
    with context.store.read() as connection:
        found = lots.verdicts_of(connection, lots.lot_by_key(connection, key).id)
    return [VerdictVersion.model_validate(each, from_attributes=True) for each in found]


@router.get("/{key}/story")
def show_story(key: LotKey, context: Context, query: Annotated[StoryQuery, Query()]) -> Story:
    """The lot's stops, the temperature of every zone it was in on one time axis, and the verdict so far."""
    now_ms = context.now_ms()
    known_at = None if query.known_at is None else min(query.known_at, now_ms)
    with context.store.read() as connection:
        return read_story(connection, key, known_at or now_ms, buckets=query.buckets, known_at=known_at)


def read_story(connection: Connection, key: str, now_ms: int, *, buckets: int, known_at: int | None = None) -> Story:
    story = lots.lot_story(connection, key, now_ms, buckets=buckets, known_at=known_at)
    plan = lots.plan_at(connection, story.lot.created_at, known_at)
    final = lots.verdicts_of(connection, story.lot.id, now_ms)
    packs = {pack.pack: pack for pack in plan.packs} if plan else {}
    return Story(
        lot=find_lot(connection, story.lot.key),
        now=now_ms,
        from_at=story.from_at,
        until_at=story.until_at,
        bucket_s=story.bucket_ms // 1000,
        verdict=VerdictNow(
            outcome=story.verdict.outcome.value,
            reason=story.verdict.reason.value,
            zone=story.verdict.zone,
            lot=story.verdict.lot,
            rule=story.verdict.rule,
            stage="final" if final else "provisional",
            version=final[-1].version if final else None,
            final_at=final[-1].computed_at if final else None,
        ),
        findings=[_finding(finding, packs[finding.pack]) for finding in story.findings],
        inherited=[_inherited(part) for part in story.inherited],
        stops=[_stop(stop) for stop in story.stops],
    )


def _finding(finding: lots.Finding, pack: lots.Pack) -> Finding:
    rule = next(rule for rule in pack.rules if rule.key == finding.rule)
    return Finding(
        pack=finding.pack,
        rule=finding.rule,
        name=Name(vi=rule.name.vi, en=rule.name.en),
        citation=pack.citation,
        outcome=finding.met.value,
        reason=finding.reason.value,
        counts=finding.counts,
        lot=finding.lot,
        zone=finding.zone,
        out_min=finding.out_min,
        tolerated_min=finding.tolerated_min,
        unknown_min=finding.unknown_min,
        degree_min=finding.degree_min,
        coverage=finding.coverage,
        worst=finding.worst,
        due_at=finding.due_at,
        reached_at=finding.reached_at,
    )


def _inherited(part: lots.Inherited) -> Inherited:
    return Inherited(
        lot=part.lot.key,
        name=Name(vi=part.lot.name_vi, en=part.lot.name_en),
        share=None if part.share is None else f"{part.share:.4f}",
        until_at=part.until_at,
        stops=[_stop(stop) for stop in part.stops],
    )


def _stop(stop: lots.Stop) -> Stop:
    return Stop(
        zone=stop.zone,
        name=Name(vi=stop.name_vi, en=stop.name_en),
        from_at=stop.from_at,
        until_at=stop.until_at,
        min=stop.minimum,
        max=stop.maximum,
        mean=stop.mean,
        minutes_above=stop.minutes_above,
        minutes_below=stop.minutes_below,
        degree_minutes_above=round(stop.degree_minutes_above, 3),
        kinetic_mean=None if stop.kinetic_mean is None else round(stop.kinetic_mean, 3),
        unknown_minutes=stop.unknown_minutes,
        coverage=stop.coverage,
        limits=[
            LimitStep(
                key=step.key,
                kind=step.kind.value,
                setpoint=str(step.setpoint),
                severity=step.severity.value,
                from_at=step.from_at,
                until_at=step.until_at,
            )
            for step in stop.limits
        ],
        unknown=[Span(from_at=begin, until_at=end) for begin, end in stop.unknown],
        buckets=Columns(
            at=[bucket.at for bucket in stop.buckets],
            min=[round(bucket.low, 3) for bucket in stop.buckets],
            mean=[round(bucket.mean, 3) for bucket in stop.buckets],
            max=[round(bucket.high, 3) for bucket in stop.buckets],
        ),
        breaches=[
            ExposedBreach(
                key=breach.key,
                limit=breach.limit,
                kind=breach.kind.value,
                setpoint=str(breach.setpoint),
                severity=breach.severity.value,
                onset_at=breach.onset_at,
                ended_at=breach.ended_at,
                extreme=breach.extreme,
                exposed_from=breach.exposed_from,
                exposed_until=breach.exposed_until,
            )
            for breach in stop.breaches
        ],
    )
