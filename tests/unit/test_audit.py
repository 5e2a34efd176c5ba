"""The audit sees what is wrong, excuses only what was declared, and is silent when all is well."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldlink.audit import (
    AuditInputError,
    Fate,
    GapSpan,
    LedgerColumn,
    StoredColumn,
    compare,
    compare_tags,
    pack_decimal,
    unpack_decimal,
)

POINT = "probe/temperature"
START = 1_700_000_000_000


def ledger(*rows):
    column = LedgerColumn()
    for time, value, *fate in rows:
        column.add(START + time, pack_decimal(value), fate[0] if fate else Fate.MUST)
    return column


def stored(*rows):
    column = StoredColumn()
    for time, value in rows:
        if value is None:
            column.bad_times.append(START + time)
        else:
            column.times.append(START + time)
            column.values.append(pack_decimal(value))
    return column


def audit(given_out, found, gaps=()):
    report = compare({POINT: ledger(*given_out)}, [(POINT, stored(*found))], gaps)
    return report, report.points[0]


def gap(reason, from_at, until_at, point=None):
    return GapSpan(reason, START + from_at, START + until_at, point)


SOUND = [(0, "-19.4"), (1000, "-19.3"), (2000, "-19.3"), (3000, "-19.1")]


def test_what_was_stored_as_it_was_is_clean():
    report, point = audit(SOUND, [(time - 30, value) for time, value in SOUND])
    assert report.is_clean
    assert (point.produced, point.stored) == (4, 4)


def test_equal_decimals_written_differently_are_equal():
    assert audit([(0, "-19.40"), (1000, "0.0")], [(0, "-19.4"), (1000, "-0")])[0].is_clean


@pytest.mark.parametrize(
    ("given_out", "found", "what"),
    [
        (SOUND, SOUND[:2] + SOUND[3:], "lost"),
        (SOUND, [*SOUND[:2], (1010, "-19.3"), *SOUND[2:]], "duplicated"),
        (SOUND, [*SOUND[:3], (3000, "-19.2")], "altered"),
        ([*SOUND, (4000, "7", Fate.MUST_NOT)], [*SOUND, (4000, "7")], "spoilt"),
        (SOUND, [*SOUND, (9000, "-18.0")], "invented"),
        ([(0, "1"), (300, "2")], [(0, "2"), (300, "1")], "out_of_order"),
    ],
)
def test_each_wrong_has_its_name(given_out, found, what):
    report, point = audit(given_out, found)
    assert getattr(point, what) == 1
    assert not report.is_clean
    others = {"lost", "duplicated", "altered", "spoilt", "invented", "out_of_order"} - {what}
    assert all(getattr(point, other) == 0 for other in others)


def test_a_value_stored_far_from_its_time_is_lost_and_invented():
    _, point = audit([(0, "1")], [(1500, "1")])
    assert (point.lost, point.invented) == (1, 1)


def test_spoilt_and_withheld_values_are_not_missed():
    report, point = audit([*SOUND, (4000, "7", Fate.MUST_NOT)], SOUND)
    assert report.is_clean
    assert point.undelivered == 1


def test_a_late_answer_may_be_taken_or_refused():
    row = (4000, "7", Fate.MAY)
    assert audit([*SOUND, row], SOUND)[0].is_clean
    assert audit([*SOUND, row], [*SOUND, (4000, "7")])[0].is_clean


def test_a_bad_reading_instead_of_the_value_is_a_refusal_and_excuses_one():
    assert audit(SOUND, [SOUND[0], SOUND[1], (2000, None), SOUND[3]])[1].refused == 1
    _, point = audit([(0, "1"), (100, "2")], [(50, None)])
    assert (point.refused, point.lost) == (1, 1)


@pytest.mark.parametrize("reason", ["agent_killed", "power_off"])
def test_what_was_read_and_not_sealed_is_counted_apart(reason):
    report, point = audit(SOUND, SOUND[:1] + SOUND[3:], [gap(reason, 100, 2900)])
    assert report.is_clean
    assert (point.unsealed, point.lost) == (2, 0)
    assert (report.gaps, report.longest_gap_ms, report.longest_unsealed_ms) == (1, 2800, 1000)


def test_a_gap_of_another_point_or_time_excuses_nothing():
    elsewhere = [gap("agent_killed", 100, 2900, "probe/humidity"), gap("agent_killed", 9000, 9900)]
    assert audit(SOUND, SOUND[:1] + SOUND[3:], elsewhere)[1].lost == 2


def test_what_the_gateway_declared_as_not_kept_is_not_lost_in_silence():
    assert audit(SOUND, SOUND[:1] + SOUND[3:], [gap("not_kept", 100, 2900)])[1].declared == 2


@pytest.mark.parametrize("reason", ["quarantined", "same_instant"])
def test_a_gap_that_the_cloud_made_excuses_nothing(reason):
    assert audit(SOUND, SOUND[:1] + SOUND[3:], [gap(reason, 0, 9000)])[1].lost == 2


def test_a_point_that_never_arrived_is_lost_whole():
    report = compare({POINT: ledger(*SOUND)}, [], [])
    assert report.points[0].lost == 4


def test_a_point_outside_the_ledger_is_not_judged():
    report = compare({}, [("gateway/uptime", stored(*SOUND))], [])
    assert report.is_clean
    assert report.points_not_in_ledger == 1


def test_a_constant_value_with_one_missing_is_lost_where_it_was():
    times = range(0, 100_000, 1000)
    found = [(time - 40, "-19.4") for time in times if time != 50_000]
    report, point = audit([(time, "-19.4") for time in times], found)
    assert point.lost == 1
    assert [one.time - START for one in report.examples] == [50_000]


@given(
    values=st.lists(st.integers(0, 3), min_size=1, max_size=60),
    jitter=st.integers(0, 400),
    drop=st.sets(st.integers(0, 59), max_size=10),
    seed=st.integers(0, 100),
)
def test_with_jitter_and_losses_the_count_is_exact(values, jitter, drop, seed):
    dice = random.Random(seed)
    given_out = [(n * 1000, str(value)) for n, value in enumerate(values)]
    found = sorted(
        (time - dice.randint(0, jitter), value) for n, (time, value) in enumerate(given_out) if n not in drop
    )
    _, point = audit(given_out, found)
    assert point.lost == len(given_out) - len(found)
    assert (point.duplicated, point.altered, point.invented) == (0, 0, 0)


@pytest.mark.parametrize(
    ("given_out", "found", "verdict"),
    [(5, 5, {}), (5, 3, {"lost": 2}), (5, 6, {"duplicated": 1}), (0, 2, {"invented": 2})],
)
def test_reads_of_a_tag_are_compared_as_sums(given_out, found, verdict):
    rows = {"door/abcd": ledger(*((n * 100, "0") for n in range(given_out)))} if given_out else {}
    [one] = compare_tags(rows, {"door/abcd": found}, [])
    expected = {"lost": 0, "duplicated": 0, "invented": 0} | verdict
    assert {name: getattr(one, name) for name in expected} == expected


def test_reads_that_were_still_being_counted_at_a_kill_are_counted_apart():
    rows = {"door/abcd": ledger((0, "0"), (100, "0"), (13_000, "0"), (30_000, "0"), (40_000, "0"))}
    [one] = compare_tags(rows, {"door/abcd": 1}, [gap("agent_killed", 12_050, 14_000)], tolerance_ms=10)
    assert (one.unsealed, one.lost) == (1, 3)


@given(mantissa=st.integers(-(10**15), 10**15), places=st.integers(0, 12))
def test_packed_decimals_are_equal_exactly_when_the_numbers_are(mantissa, places):
    text = format(mantissa, "d") if not places else None
    if text is None:
        digits = str(abs(mantissa)).rjust(places + 1, "0")
        text = ("-" if mantissa < 0 else "") + digits[:-places] + "." + digits[-places:]
    assert pack_decimal(text) == pack_decimal(text + ("0" if places else ""))
    assert pack_decimal(unpack_decimal(pack_decimal(text))) == pack_decimal(text)


@pytest.mark.parametrize("wrong", ["", "abc", "1e5", "nan", "1.2.3"])
def test_what_is_no_decimal_is_refused(wrong):
    with pytest.raises(AuditInputError):
        pack_decimal(wrong)


def test_what_a_second_kill_cost_is_not_laid_to_the_first():
    rows = [(0, "1"), (500, "2"), (1000, "3"), (5400, "4")]
    report, point = audit(rows, [], [gap("agent_killed", -100, 5000), gap("agent_killed", 5000, 9000)])
    assert (point.unsealed, report.longest_unsealed_ms) == (4, 1000)
