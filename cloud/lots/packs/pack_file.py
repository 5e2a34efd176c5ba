"""Limit packs and food plans as files: YAML, read once, into types.

A pack says what a regulation or a house asks for, with its citation, when somebody last compared the two, and how sure
that is. A food plan says by which packs a plant judges, and which of its zones is which stage.
"""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ground.configfile import ConfigError, load

Slug = Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9_.-]{0,63}$")]
Minutes = Annotated[float, Meta(ge=0, le=100_000)]
Share = Annotated[float, Meta(ge=0, le=1)]
Stage = Literal[
    "chilling", "cutting", "packing", "freezing", "chilled_storage", "frozen_storage", "dispatch", "transport"
]
ProductClass = Literal["fresh", "frozen"]


class Name(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    vi: str
    en: str


class Band(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Both ends belong to it."""

    low: Decimal | None = None
    high: Decimal | None = None

    def holds(self, value: float) -> bool:
        return (self.low is None or value >= float(self.low)) and (self.high is None or value <= float(self.high))


class Tolerance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A wider band in which a stay may be for some time in all."""

    max_min: Minutes
    low: Decimal | None = None
    high: Decimal | None = None


class WeightStep(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    below_kg: Annotated[float, Meta(gt=0)]
    within_h: Annotated[float, Meta(gt=0)]


class Deadline(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The core must be this cold, in time; measured in the thickest part, because air never proves a core."""

    after: Literal["slaughter", "cut", "pack"]
    reach_celsius: Decimal
    within_h: Annotated[float, Meta(gt=0)]
    by_weight: tuple[WeightStep, ...] = ()  # the lightest that fits counts; else `within_h`

    def hours_for(self, piece_kg: float | None) -> float:
        """A weight that nobody knows has the shortest time."""
        if piece_kg is None:
            return min([self.within_h, *(step.within_h for step in self.by_weight)])
        fitting = [step for step in self.by_weight if piece_kg < step.below_kg]
        return min(fitting, key=lambda step: step.below_kg).within_h if fitting else self.within_h


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Either a band that holds in some stages, or a deadline."""

    key: Slug
    name: Name
    stages: tuple[Stage, ...] = ()
    products: tuple[ProductClass, ...] = ()  # none: all
    quantity: Literal["air_temperature", "core_temperature"] = "air_temperature"
    measured_by: Literal["instrument", "hand"] = "instrument"
    must_measure: bool = False  # by hand: a stay without a measurement cannot pass
    band: Band | None = None
    tolerance: Tolerance | None = None
    max_out_min: Minutes = 0  # outside band and tolerance, in all; a door may open
    max_gap_min: Annotated[float, Meta(gt=0, le=1440)] = 15
    min_coverage: Share = 0.95
    deadline: Deadline | None = None
    severity: Literal["fail", "warn"] = "fail"


class Pack(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pack: Slug
    edition: str
    name: Name
    citation: Annotated[str, Meta(min_length=4)]
    checked: date
    certainty: Literal["read", "second_hand", "to_be_checked", "own"]
    rules: Annotated[tuple[Rule, ...], Meta(min_length=1)]


class _PlanFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    plan: Slug
    since: date
    packs: tuple[str, ...]
    stages: dict[Slug, Stage]
    products: dict[str, ProductClass] = {}


class FoodPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A plan with its packs in it: a snapshot that a verdict can be explained by years later."""

    plan: Slug
    since: date
    packs: tuple[Pack, ...]
    stages: dict[Slug, Stage]
    products: dict[str, ProductClass] = {}


def read_pack(path: Path) -> Pack:
    """Raises ConfigError, which names file, key, value and what would be right."""
    pack = load(path, Pack)
    seen: set[str] = set()
    for number, rule in enumerate(pack.rules):
        key = f"rules[{number}]"
        if rule.key in seen:
            raise ConfigError(path, f"{rule.key!r} stands twice", key=f"{key}.key", hint="once is enough")
        seen.add(rule.key)
        _refuse_half_a_rule(path, key, rule)
    return pack


def read_food_plan(path: Path) -> FoodPlan:
    """Raises ConfigError. Packs lie where the plan says, relative to it."""
    file = load(path, _PlanFile)
    packs = tuple(read_pack(path.parent / name) for name in file.packs)
    return FoodPlan(plan=file.plan, since=file.since, packs=packs, stages=file.stages, products=file.products)


def _refuse_half_a_rule(path: Path, key: str, rule: Rule) -> None:
    if (rule.band is None) == (rule.deadline is None):
        raise ConfigError(path, "a rule has either a band or a deadline", key=key, hint="write one of them")
    if rule.band is None:
        return
    if not rule.stages:
        raise ConfigError(path, "a band holds in stages", key=f"{key}.stages", hint="name at least one")
    if rule.band.low is None and rule.band.high is None:
        raise ConfigError(path, "the band has no end", key=f"{key}.band", hint="write low, high or both")
    if rule.band.low is not None and rule.band.high is not None and rule.band.low > rule.band.high:
        raise ConfigError(path, f"{rule.band.low} is above {rule.band.high}", key=f"{key}.band", hint="low <= high")
    if (rule.measured_by == "hand") != (rule.quantity == "core_temperature"):
        raise ConfigError(
            path, rule.measured_by, key=f"{key}.measured_by", hint="cores are measured by hand, air by instruments"
        )
