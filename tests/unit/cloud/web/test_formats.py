from zoneinfo import ZoneInfo

import pytest

from cloud.web.formats import Formats
from cloud.web.words import load_words

NOW = 1_795_246_320_000  # 21/11/2026 14:32 in Viet Nam
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def formats(lang="vi") -> Formats:
    return Formats(load_words(lang), ZoneInfo("Asia/Ho_Chi_Minh"), NOW)


@pytest.mark.parametrize(
    ("value", "decimals", "vi", "en"),
    [
        ("-19.4", None, "−19,4", "−19.4"),
        ("-19.40", None, "−19,40", "−19.40"),
        ("0.485", None, "0,485", "0.485"),
        ("12345.6", None, "12.345,6", "12,345.6"),
        ("1000", None, "1.000", "1,000"),
        ("-0.0", None, "0,0", "0.0"),
        (-0.04, 1, "0,0", "0.0"),
        (0.25, 1, "0,3", "0.3"),
        (-0.25, 1, "−0,3", "−0.3"),
        (1e-7, 1, "0,0", "0.0"),
        (None, None, "—", "—"),
    ],
)
def test_numbers_are_written_as_the_language_does(value, decimals, vi, en):
    assert formats("vi").number(value, decimals) == vi
    assert formats("en").number(value, decimals) == en


@pytest.mark.parametrize(
    ("ms", "vi", "en"),
    [
        (0, "0 giây", "0 s"),
        (4400, "4 giây", "4 s"),
        (59_499, "59 giây", "59 s"),
        (59_500, "1 phút", "1 min"),
        (54 * MINUTE, "54 phút", "54 min"),
        (60 * MINUTE, "1 giờ", "1 h"),
        (65 * MINUTE, "1 giờ 05", "1 h 05"),
        (33 * HOUR, "1 ngày 9 giờ", "1 d 9 h"),
        (2 * DAY, "2 ngày", "2 d"),
        (-5000, "0 giây", "0 s"),
    ],
)
def test_durations_are_as_long_as_they_need_to_be(ms, vi, en):
    assert formats("vi").duration(ms) == vi
    assert formats("en").duration(ms) == en


def test_times_are_those_of_the_site_with_as_much_date_as_needed():
    f = formats()
    assert f.when(NOW) == "14:32"
    assert f.when(NOW - DAY) == "14:32 20/11"
    assert f.when(NOW - 365 * DAY) == "14:32 21/11/2025"
    assert f.span(NOW - DAY, NOW - DAY + HOUR) == "14:32 20/11 → 15:32"
    assert f.span(NOW - HOUR, None) == "13:32 → nay"


def test_limits_read_as_a_range():
    f = formats()
    assert f.limit("-24", "-18") == "−24 … −18 °C"
    assert f.limit(None, "4.0") == "≤ 4 °C"
    assert f.limit("-1.5", None) == "≥ −1,5 °C"
    assert f.limit(None, "100") == "≤ 100 °C"
