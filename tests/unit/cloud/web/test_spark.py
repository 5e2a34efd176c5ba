from cloud.api.series import Bucket
from cloud.web.spark import Window, sparkline

MINUTE = 60_000
WINDOW = Window(0, 60 * MINUTE, 5 * MINUTE, 5 * MINUTE)


def buckets(values: dict[int, float]) -> list[Bucket]:
    return [Bucket(minute * MINUTE, value, value, value, 5) for minute, value in values.items()]


def test_nothing_measured_draws_nothing():
    assert sparkline([], WINDOW, None, 4) is None


def test_a_hole_is_a_hole_and_the_line_ends_before_it():
    spark = sparkline(buckets({0: 1, 5: 1, 30: 1, 35: 1}), WINDOW, None, 4)
    assert len(spark.lines) == 2
    assert [x for x, _ in spark.holes] == [16.67, 66.67]


def test_the_dot_stands_only_where_the_value_is_of_now():
    assert sparkline(buckets({50: 1, 55: 1}), WINDOW, None, 4).end is not None
    assert sparkline(buckets({0: 1, 5: 1}), WINDOW, None, 4).end is None


def test_a_short_peak_is_not_averaged_away():
    peak = [Bucket(0, 1, 1, 1, 5), Bucket(5 * MINUTE, 1, 2, 9, 5), Bucket(10 * MINUTE, 1, 1, 1, 5)]
    spark = sparkline(peak, WINDOW, None, 4)
    assert len(spark.hot) == 1


def test_the_band_lies_between_the_limits():
    spark = sparkline(buckets({0: 1}), WINDOW, 0, 4)
    high, low = spark.marks
    assert spark.band_top == high.y < low.y
    assert round(spark.band_top + spark.band_height, 1) == round(low.y, 1)
