"""Readings bind to a lot through where it was and what was installed there."""

from cloud.lots.binding import ReadingRange, bind, stays_of
from cloud.lots.residence import Residence, Stay
from cloud.site.repository import InstalledPoint


def test_parts_in_one_zone_are_one_stay():
    parts = [Residence(1, 5, 0, 10), Residence(2, 5, 4, 12), Residence(None, 5, 12, 20), Residence(1, 6, 10, None)]
    assert stays_of(parts) == [Stay(5, 0, 20), Stay(6, 10, None)]


def test_coming_back_is_another_stay():
    assert stays_of([Residence(1, 5, 0, 10), Residence(1, 5, 11, 20)]) == [Stay(5, 0, 10), Stay(5, 11, 20)]


def test_a_part_that_is_still_there_keeps_the_stay_open():
    assert stays_of([Residence(1, 5, 0, None), Residence(2, 5, 3, 9)]) == [Stay(5, 0, None)]


def test_a_probe_binds_only_while_it_was_installed():
    installed = {5: [InstalledPoint(1, 0, 15), InstalledPoint(2, 15, None)], 6: []}
    assert bind([Stay(5, 10, 20), Stay(6, 20, None), Stay(5, 30, None)], installed) == [
        ReadingRange(1, 5, 10, 15),
        ReadingRange(2, 5, 15, 20),
        ReadingRange(2, 5, 30, None),
    ]
