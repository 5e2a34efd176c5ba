"""What may be set is what the profile offers: by number or by name, within the narrower of range and type."""

import pytest

from edge.commissioning.setup_item import BadWish, find_item, label, wanted_value
from edge.profiles.profile import load_profile, profile_files

MB8ART = load_profile(profile_files()["comwintop-mb8art"])
XY = load_profile(profile_files()["generic-xy-md02"])


@pytest.mark.parametrize(
    ("profile", "key", "text", "raw"),
    [
        (MB8ART, "address", "12", 12),
        (MB8ART, "address", "0x0c", 12),
        (MB8ART, "baud", "19200", 4),
        (MB8ART, "baud", "4", 4),
        (MB8ART, "channel_1_type", "PT1000", 0x0201),
        (XY, "temperature_correction", "-5", -5),
    ],
)
def test_a_wish_becomes_a_raw_value(profile, key, text, raw):
    assert wanted_value(find_item(profile, key), text) == raw


@pytest.mark.parametrize(
    ("profile", "key", "text", "said"),
    [
        (MB8ART, "address", "0", "between 1 and 247"),
        (MB8ART, "address", "twelve", "neither a number"),
        (MB8ART, "baud", "14400", "not one of 1200"),
        (XY, "temperature_correction", "101", "between -100 and 100"),
    ],
)
def test_what_cannot_be_is_said_with_what_can(profile, key, text, said):
    with pytest.raises(BadWish, match=said):
        wanted_value(find_item(profile, key), text)


def test_an_unknown_item_is_answered_with_the_known_ones():
    with pytest.raises(BadWish, match="address, baud, temperature_correction"):
        find_item(XY, "adress")


def test_values_are_shown_with_their_names():
    assert label(find_item(MB8ART, "baud"), 3) == "9600 (3)"
    assert label(find_item(XY, "baud"), 9600) == "9600"
    assert label(find_item(XY, "address"), None) == "unknown"
