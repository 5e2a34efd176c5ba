"""Limit packs: what the shipped ones say, and what rules say of measured stays."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.lots.packs import Finding, Met, PackReason, Rule, read_food_plan, read_pack
from cloud.lots.packs.finding import Core, Subject, judge_band, judge_cores, judge_deadline
from cloud.lots.packs.pack_file import Band, Deadline, Name, Tolerance, WeightStep
from cloud.lots.verdict import Outcome, Reason, Verdict, with_findings
from ground.configfile import ConfigError
from rules import Segment

PACKS = Path(__file__).parents[4] / "firmware-config" / "limit-packs"
SITES = PACKS.parent / "sites"
MINUTE, HOUR = 60_000, 3_600_000
NAME = Name(vi="x", en="x")
SUBJECT = Subject("pack", "LOT", "zone")
FROZEN = Rule(
    key="frozen",
    name=NAME,
    stages=("frozen_storage",),
    band=Band(high=Decimal(-18)),
    tolerance=Tolerance(max_min=60, high=Decimal(-15)),
    max_out_min=5,
)
CHILLED = Rule(
    key="core",
    name=NAME,
    deadline=Deadline(
        after="slaughter",
        reach_celsius=Decimal(4),
        within_h=8,
        by_weight=(WeightStep(below_kg=1.8, within_h=4), WeightStep(below_kg=3.6, within_h=6)),
    ),
)


@pytest.mark.parametrize("path", sorted(PACKS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_pack_can_be_read_and_says_where_it_comes_from(path):
    pack = read_pack(path)
    assert pack.pack == path.stem
    assert pack.citation


def test_the_plan_of_the_example_site_names_its_zones_and_packs():
    plan = read_food_plan(SITES / "binh-minh.food.yaml")
    zones = {line.split("key:")[1].strip() for line in (SITES / "binh-minh.site.yaml").read_text().splitlines()
             if line.startswith("  - key:")}  # fmt: skip
    assert set(plan.stages) <= zones
    assert [pack.pack for pack in plan.packs] == ["tcvn-12429-3", "qcvn-02-09", "own-haccp"]


@pytest.mark.parametrize(
    ("rule", "key"),
    [
        ("{key: a, name: {vi: a, en: a}}", "rules[0]"),
        ("{key: a, name: {vi: a, en: a}, band: {high: 4}}", "rules[0].stages"),
        ("{key: a, name: {vi: a, en: a}, stages: [cutting], band: {}}", "rules[0].band"),
        ("{key: a, name: {vi: a, en: a}, stages: [cutting], band: {low: 5, high: 4}}", "rules[0].band"),
        ("{key: a, name: {vi: a, en: a}, stages: [attic], band: {high: 4}}", "rules[0].stages"),
        (
            "{key: a, name: {vi: a, en: a}, stages: [cutting], quantity: core_temperature, band: {high: 4}}",
            "measured_by",
        ),
    ],
)
def test_a_rule_that_says_half_is_refused_with_its_key(tmp_path, rule, key):
    path = tmp_path / "bad.yaml"
    path.write_text(
        "pack: bad\nedition: '1'\nname: {vi: a, en: a}\ncitation: somewhere\nchecked: 2026-01-01\ncertainty: own\n"
        f"rules: [{rule}]\n"
    )
    with pytest.raises(ConfigError) as refusal:
        read_pack(path)
    assert key in str(refusal.value)


def stay(*parts):
    """(minutes, value) one after the other."""
    found, at = [], 0
    for minutes, value in parts:
        found.append(Segment(at, at + minutes * MINUTE, value))
        at += minutes * MINUTE
    return found


@pytest.mark.parametrize(
    ("parts", "met", "reason"),
    [
        ([(600, -20.0)], Met.PASS, PackReason.WITHIN_BAND),
        ([(600, -18.0)], Met.PASS, PackReason.WITHIN_BAND),
        ([(500, -20.0), (60, -16.0)], Met.WARN, PackReason.WITHIN_TOLERANCE),
        ([(500, -20.0), (61, -16.0)], Met.FAIL, PackReason.TOLERANCE_USED_UP),
        ([(500, -20.0), (5, -10.0)], Met.WARN, PackReason.SHORTLY_OUT),
        ([(500, -20.0), (6, -10.0)], Met.FAIL, PackReason.OUT_OF_BAND),
        ([(500, -20.0), (30, None)], Met.INSUFFICIENT_DATA, PackReason.COVERAGE_TOO_LOW),
        ([(500, -20.0), (26, None)], Met.PASS, PackReason.WITHIN_BAND),
        ([(500, -20.0), (300, None), (6, -10.0)], Met.FAIL, PackReason.OUT_OF_BAND),
        ([(60, None)], Met.INSUFFICIENT_DATA, PackReason.COVERAGE_TOO_LOW),
    ],
)
def test_a_band_with_its_tolerance(parts, met, reason):
    found = judge_band(SUBJECT, FROZEN, FROZEN.band, stay(*parts), stay(*parts))
    assert (found.met, found.reason) == (met, reason)


def test_degree_minutes_count_how_far_and_how_long():
    found = judge_band(SUBJECT, FROZEN, FROZEN.band, stay((10, -16.0), (20, -17.5)), stay((30, -17.5)))
    assert (found.degree_min, found.tolerated_min, found.worst) == (30, 30, -16.0)


@pytest.mark.parametrize(
    ("cores", "piece_kg", "now_h", "reason"),
    [
        ([(5.9, 3.9)], 2.1, 9, PackReason.DEADLINE_MET),
        ([(2, 9.0), (5, 4.0)], 2.1, 9, PackReason.DEADLINE_MET),
        ([(6, 4.1)], 2.1, 9, PackReason.DEADLINE_MISSED),
        ([(6.5, 3.0)], 2.1, 9, PackReason.NOT_MEASURED),
        ([], 2.1, 9, PackReason.NOT_MEASURED),
        ([], 2.1, 5, PackReason.DEADLINE_RUNNING),
        ([(5, 3.0)], 1.5, 9, PackReason.NOT_MEASURED),
        ([(7, 3.0)], 4.0, 9, PackReason.DEADLINE_MET),
        ([(5, 3.0)], None, 9, PackReason.NOT_MEASURED),
        ([(-1, 3.0)], 2.1, 9, PackReason.NOT_MEASURED),
    ],
)
def test_a_deadline_by_weight_is_met_only_by_a_measured_core(cores, piece_kg, now_h, reason):
    taken = [Core(round(hours * HOUR), celsius) for hours, celsius in cores]
    assert judge_deadline(SUBJECT, CHILLED, 0, piece_kg, taken, now_h * HOUR).reason is reason


def test_a_core_that_nobody_measured_proves_nothing_and_counts_only_where_it_must_be_measured():
    for must in (False, True):
        rule = Rule(key="core", name=NAME, stages=("cutting",), quantity="core_temperature", measured_by="hand",
                    must_measure=must, band=Band(high=Decimal(7)))  # fmt: skip
        found = judge_cores(SUBJECT, rule, rule.band, [])
        assert (found.met, found.counts) == (Met.INSUFFICIENT_DATA, must)
        assert judge_cores(SUBJECT, rule, rule.band, [Core(1, 6.0), Core(2, 7.1)]).met is Met.FAIL
        assert judge_cores(SUBJECT, rule, rule.band, [Core(1, 7.0)]).met is Met.PASS


def finding(met, *, counts=True):
    return Finding("pack", "rule", met, PackReason.OUT_OF_BAND, "LOT", "zone", counts=counts)


@pytest.mark.parametrize(
    ("before", "mets", "after"),
    [
        (Outcome.PASS, [Met.PASS, Met.WARN], Outcome.WARN),
        (Outcome.PASS, [Met.FAIL, Met.INSUFFICIENT_DATA], Outcome.FAIL),
        (Outcome.FAIL, [Met.PASS], Outcome.FAIL),
        (Outcome.INSUFFICIENT_DATA, [Met.WARN], Outcome.INSUFFICIENT_DATA),
        (Outcome.PASS, [], Outcome.PASS),
    ],
)
def test_the_worst_decides(before, mets, after):
    verdict = Verdict(before, Reason.WITHIN_LIMITS)
    assert with_findings(verdict, [finding(met) for met in mets]).outcome is after
    assert with_findings(verdict, [finding(Met.FAIL, counts=False)]) is verdict


def test_packs_decide_alone_where_no_zone_has_a_limit():
    verdict = Verdict(Outcome.INSUFFICIENT_DATA, Reason.NO_LIMIT)
    said = with_findings(verdict, [finding(Met.PASS)])
    assert (said.outcome, said.reason, said.rule) == (Outcome.PASS, Reason.RULE, "pack/rule")


values = st.one_of(st.none(), st.sampled_from([-22.0, -18.0, -17.0, -15.0, -14.0, -5.0]))


@given(st.lists(st.tuples(st.integers(1, 90), values), min_size=1, max_size=12))
def test_minutes_agree_with_counting_them_one_by_one(parts):
    found = judge_band(SUBJECT, FROZEN, FROZEN.band, stay(*parts), stay(*parts))
    each = [value for minutes, value in parts for _ in range(minutes)]
    assert found.unknown_min == sum(value is None for value in each)
    assert found.out_min == sum(value is not None and value > -15 for value in each)
    assert found.tolerated_min == sum(value is not None and -18 < value <= -15 for value in each)
    assert found.degree_min == sum(value + 18 for value in each if value is not None and value > -18)
    assert found.met is not Met.PASS or all(value is None or value <= -18 for value in each)
