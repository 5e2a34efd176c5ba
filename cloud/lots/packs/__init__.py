"""Limits for food: dated, cited packs of rules, which of them a plant judges by, and what they say of a lot."""

from cloud.lots.packs.finding import Finding, Met, PackReason
from cloud.lots.packs.pack_file import FoodPlan, Pack, Rule, read_food_plan, read_pack
from cloud.lots.packs.plan import apply_food_plan, plan_at

__all__ = [
    "Finding",
    "FoodPlan",
    "Met",
    "Pack",
    "PackReason",
    "Rule",
    "apply_food_plan",
    "plan_at",
    "read_food_plan",
    "read_pack",
]
