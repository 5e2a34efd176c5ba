"""What goes in comes out: exact decimals, buckets, the newest."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.store import open_store, readings
from cloud.store.detail import (
    TIME_UNCERTAIN,
    decimals_of,
    exact_text,
    is_time_uncertain,
    pack_detail,
    quality_of,
    reason_id_of,
)
from wire.entries import Quality

GOOD = pack_detail(1)
BAD = pack_detail(0, Quality.BAD, 3)


@pytest.fixture
def store(tmp_path):
    opened = open_store(f"sqlite:///{tmp_path}/coldlink.db")
    with opened.write() as connection:
        connection.exec_driver_sql("INSERT INTO gateway VALUES (1, 'gw-01', 's0', NULL, 0, 0)")
        connection.exec_driver_sql("INSERT INTO series VALUES (7, 1, 'probe', 'temperature', 'Cel', 'air_temperature')")
    yield opened
    opened.close()


def _fill(store, *rows):
    with store.write() as connection:
        return readings.insert_readings(connection, [(7, at, 1, value, detail, 1) for at, value, detail in rows])


def test_a_repeated_reading_changes_nothing(store):
    assert _fill(store, (1000, -19.4, GOOD), (2000, -19.3, GOOD)) == 2
    assert _fill(store, (2000, -99.0, GOOD), (3000, None, BAD)) == 1
    with store.read() as connection:
        assert readings.range(connection, 7, 1000, 3001) == [
            (1000, -19.4, GOOD),
            (2000, -19.3, GOOD),
            (3000, None, BAD),
        ]


def test_a_range_is_half_open(store):
    _fill(store, (1000, 1.0, GOOD), (2000, 2.0, GOOD))
    with store.read() as connection:
        assert [row.observed_at for row in readings.range(connection, 7, 1000, 2000)] == [1000]


def test_buckets_count_bad_readings_but_never_their_values(store):
    _fill(store, (1000, -20.0, GOOD), (1500, -18.0, GOOD), (1600, 99.0, BAD), (2500, None, BAD))
    with store.read() as connection:
        assert readings.buckets(connection, 7, 1000, 3000, 2) == [
            (1000, -20.0, -19.0, -18.0, 3, 1),
            (2000, None, None, None, 1, 1),
        ]


@given(width=st.integers(1, 100_000), n=st.integers(1, 50))
def test_there_are_never_more_buckets_than_asked_for(width, n):
    from_at, until_at = 5_000, 5_000 + width
    bucket_ms = max(1, -((from_at - until_at) // n))
    assert (width - 1) // bucket_ms + 1 <= n or width < n


def test_the_newest_stays_the_newest(store):
    with store.write() as connection:
        readings.upsert_latest(connection, [(7, 2000, -19.0, GOOD, 2100)])
        readings.upsert_latest(connection, [(7, 1000, -5.0, GOOD, 9000)])
    with store.read() as connection:
        [row] = readings.latest(connection)
    assert (row.name, row.observed_at, row.value) == ("gw-01/probe/temperature", 2000, -19.0)


def test_a_series_is_found_by_its_full_name(store):
    with store.read() as connection:
        assert readings.series_by_name(connection, "gw-01/probe/temperature") == (7, "Cel", "air_temperature")
        assert readings.series_by_name(connection, "gw-01/probe/humidity") is None
        assert readings.series_by_name(connection, "probe") is None


@given(
    decimals=st.integers(0, 12), quality=st.sampled_from(Quality), reason_id=st.integers(0, 1 << 30), late=st.booleans()
)
def test_detail_gives_back_what_was_packed(decimals, quality, reason_id, late):
    detail = pack_detail(decimals, quality, reason_id) | (TIME_UNCERTAIN if late else 0)
    assert decimals_of(detail) == decimals
    assert quality_of(detail) is quality
    assert reason_id_of(detail) == reason_id
    assert is_time_uncertain(detail) is late


@given(mantissa=st.integers(-(10**15), 10**15), decimals=st.integers(0, 12))
def test_a_decimal_of_fifteen_digits_survives_the_database(mantissa, decimals):
    text = exact_text(mantissa / 10**decimals, pack_detail(decimals))
    assert Decimal(text) == Decimal(mantissa).scaleb(-decimals)
    assert text == format(Decimal(mantissa).scaleb(-decimals), "f")
