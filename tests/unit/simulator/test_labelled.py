"""A labelled room: what went wrong is in its readings, and what did not is not."""

from itertools import pairwise

from simulator.labelled import LabelledRoom

BEGIN_S = 1_760_000_000
DAY_S = 86_400


def test_the_labels_cover_every_kind_in_ninety_days_and_never_overlap():
    labels = LabelledRoom(1, 90, BEGIN_S).labels()
    assert {label.kind for label in labels} == {"compressor", "heater", "door", "icing", "drift", "flat", "gap"}
    assert all(one.until_s + DAY_S < after.from_s for one, after in pairwise(labels))


def test_the_room_shows_what_its_labels_say():
    room = LabelledRoom(1, 13, BEGIN_S)
    compressor, flat, door = room.labels()[:3]
    minutes = list(room.minutes())
    assert len(minutes) == 13 * 1440

    def during(label):
        return [one for one in minutes if label.from_s <= one.at_s < label.until_s]

    assert max(one.controller for one in during(compressor)) > -14
    assert len({one.probe for one in during(flat)}) == 1
    assert all(one.is_door_open for one in during(door))
    quiet = [one for one in minutes if one.at_s < compressor.from_s]
    assert min(one.controller for one in quiet) < -20
    assert 0 < sum(one.is_defrost for one in quiet) / len(quiet) < 0.12


def test_the_same_seed_tells_the_same_room():
    assert list(LabelledRoom(2, 1, BEGIN_S).minutes()) == list(LabelledRoom(2, 1, BEGIN_S).minutes())
