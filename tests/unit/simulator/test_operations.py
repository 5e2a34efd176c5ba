"""Defrosts and doors by the clock: the same for the same seed, in working hours, as many as the plan says."""

import itertools

from simulator.operations import DAY_S, Timetable, day_begins, defrosts, door_openings, site_day

DAY = 20_778


def test_a_site_day_begins_at_midnight_in_viet_nam():
    assert day_begins(DAY) % DAY_S == 17 * 3600
    assert site_day(day_begins(DAY)) == DAY
    assert site_day(day_begins(DAY) - 1) == DAY - 1


def test_defrosts_are_spread_evenly_and_repeat_for_the_same_seed():
    spans = defrosts(1, "kho-lanh-a", 4, DAY)
    assert spans == defrosts(1, "kho-lanh-a", 4, DAY)
    assert spans != defrosts(2, "kho-lanh-a", 4, DAY)
    assert [round(b.from_s - a.from_s) for a, b in itertools.pairwise(spans)] == [6 * 3600] * 3


def test_a_zone_without_defrost_has_none():
    assert defrosts(1, "be-1", 0, DAY) == []


def test_doors_open_in_working_hours():
    spans = door_openings(1, "kho-lanh-a", 13, DAY)
    assert len(spans) == 13
    for begin, end in spans:
        assert 5 * 3600 <= begin - day_begins(DAY) <= 20 * 3600
        assert 60 <= end - begin <= 300


def test_the_timetable_knows_what_is_on_at_each_moment():
    table = Timetable(1, "kho-lanh-a", defrosts_per_day=4, doors_per_day=13)
    begin, end = defrosts(1, "kho-lanh-a", 4, DAY)[1]
    assert not table.is_defrost(begin - 1)
    assert table.is_defrost(begin) and table.is_defrost(end - 1)
    assert not table.is_defrost(end)
    opened, shut = door_openings(1, "kho-lanh-a", 13, DAY)[-1]
    assert table.is_door_open(opened) and not table.is_door_open(shut + 1)


def test_a_defrost_reaches_over_midnight():
    seed = next(s for s in range(3000) if defrosts(s, "z", 1, DAY)[0].until_s > day_begins(DAY + 1))
    table = Timetable(seed, "z", defrosts_per_day=1, doors_per_day=0)
    assert table.is_defrost(day_begins(DAY + 1))


def test_faster_physics_shortens_what_people_and_clocks_do():
    begin, end = defrosts(1, "z", 4, DAY)[0]
    table = Timetable(1, "z", defrosts_per_day=4, doors_per_day=0, shorten=20)
    assert table.is_defrost(begin)
    assert not table.is_defrost(begin + (end - begin) / 20 + 1)
