"""Trust: each test names what is wrong with a point, and lets go when it is right again."""

import math

import pytest

from rules import PointJudge, TrustSettings, distrust

MINUTE = 60_000
HOUR = 60 * MINUTE


def wave(minutes, middle=-20.5, swing=0.5):
    """A thermostat at work, as a sensor of 0.1 K shows it."""
    return [(m * MINUTE, round(middle + swing * math.sin(m / 7), 1)) for m in range(minutes)]


def reasons(told, until_at, **how):
    return [(spell.reason, spell.from_at // MINUTE) for spell in distrust({"p": told}, until_at, **how)]


def test_a_probe_at_work_is_believed():
    assert reasons(wave(600), 600 * MINUTE) == []


@pytest.mark.parametrize(
    ("odd", "reason"),
    [(-80.0, "range"), (-5.0, "spike"), (-16.8, "rate"), (None, "failed")],
)
def test_one_odd_reading_is_named_and_forgiven(odd, reason):
    told = wave(60)
    told[30] = (30 * MINUTE, odd)
    spells = distrust({"p": told}, 60 * MINUTE)
    assert (spells[0].reason, spells[0].from_at) == (reason, 30 * MINUTE)
    assert spells[-1].until_at is not None and spells[-1].until_at <= 33 * MINUTE


def test_a_leap_that_stays_is_the_truth():
    told = [*wave(30), *((m * MINUTE, -5.0) for m in range(30, 60))]
    assert [reason for reason, _ in reasons(told, 60 * MINUTE)] == ["spike"]
    assert distrust({"p": told}, 60 * MINUTE)[0].until_at == 31 * MINUTE


def test_silence_makes_a_point_stale_after_its_own_limit():
    told = [*wave(30), *((m * MINUTE, -20.5) for m in range(60, 70))]
    assert reasons(told, 80 * MINUTE) == [("stale", 34), ("stale", 74)]
    assert distrust({"p": told}, 80 * MINUTE)[0].until_at == 60 * MINUTE


def test_a_line_that_stands_still_is_suspect_after_hours_and_later_for_a_coarse_sensor():
    told = [*wave(60), *((m * MINUTE, -20.5) for m in range(60, 600))]
    [(reason, since)] = reasons(told, 600 * MINUTE)
    assert reason == "flat_line" and 295 <= since <= 301
    assert reasons(told, 600 * MINUTE, settings=TrustSettings(resolution=1.0)) == []


def test_two_that_disagree_for_hours_are_both_named():
    sound, drifting = wave(1200), [(at, round(value + at / HOUR * 0.3, 1)) for at, value in wave(1200)]
    found = distrust({"sound": sound, "drifting": drifting}, 1200 * MINUTE)
    assert {spell.point for spell in found if spell.reason == "disagreement"} == {"sound", "drifting"}


def test_a_warm_door_for_half_an_hour_is_no_disagreement():
    near = [(at, value + (4.0 if 300 < at / MINUTE < 330 else 0.0)) for at, value in wave(600)]
    found = distrust({"near": near, "far": wave(600)}, 600 * MINUTE)
    assert [spell.reason for spell in found if spell.reason == "disagreement"] == []


def test_a_probe_that_sees_no_defrost_is_iced_in_or_dead():
    defrosts = [(h * HOUR, h * HOUR + 25 * MINUTE) for h in (2, 5, 8)]
    assert reasons(wave(700, swing=0.2), 700 * MINUTE, defrosts=defrosts) == [("defrost_unseen", 355)]
    bumps = [
        (at, value + (2.0 if any(begin <= at <= end for begin, end in defrosts) else 0.0)) for at, value in wave(700)
    ]
    assert reasons(bumps, 700 * MINUTE, defrosts=defrosts) == []


def test_what_is_suspect_is_fresh_again_when_it_moves():
    judge = PointJudge()
    for minute in range(400):
        judge.take(minute * MINUTE, -20.5)
    assert judge.trust.test == "flat_line"
    assert judge.take(400 * MINUTE, -20.3).state == "fresh"
