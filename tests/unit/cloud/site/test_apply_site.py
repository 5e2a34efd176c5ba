"""A site description becomes facts with a time, once."""

from pathlib import Path

import msgspec
import pytest

from cloud.site import apply_site, limits_of_zone, read_site, zone_by_key, zones
from cloud.site.site_file import with_on_delay
from cloud.store import open_store
from ground.configfile import ConfigError

EXAMPLE = Path(__file__).parents[4] / "firmware-config" / "sites" / "binh-minh.site.yaml"
NOW = 1_800_000_000_000


@pytest.fixture
def store(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/site.db")
    yield store
    store.close()


def changed(site, zone_key, **limit_facts):
    def change(zone):
        if zone.key != zone_key:
            return zone
        first, *rest = zone.limits
        return msgspec.structs.replace(zone, limits=[msgspec.structs.replace(first, **limit_facts), *rest])

    return msgspec.structs.replace(site, zones=[change(zone) for zone in site.zones])


def count(connection, table):
    return connection.exec_driver_sql(f"SELECT COUNT(*) FROM {table}").scalar()


def test_the_example_site_is_taken_whole(store):
    site = read_site(EXAMPLE)
    with store.write() as connection:
        apply_site(connection, site, NOW)
        assert [zone.key for zone in zones(connection)] == [zone.key for zone in site.zones]
        assert count(connection, "installation") == 17
        assert count(connection, "read_point") == 2


def test_the_same_file_again_changes_nothing(store):
    site = read_site(EXAMPLE)
    with store.write() as connection:
        apply_site(connection, site, NOW)
        connection.exec_driver_sql("DELETE FROM dirty_zone")
        again = apply_site(connection, read_site(EXAMPLE), NOW + 1)
        assert (again.installations, again.read_points, again.limits) == (0, 0, 0)
        assert count(connection, "dirty_zone") == 0


def test_a_changed_limit_is_a_new_version_from_now_on(store):
    site = read_site(EXAMPLE)
    with store.write() as connection:
        apply_site(connection, site, NOW)
        apply_site(connection, changed(site, "kho-lanh-b", on_delay_s=60), NOW + 5)
        zone = zone_by_key(connection, "kho-lanh-b")
        versions = [held.limit for held in limits_of_zone(connection, zone.id) if held.limit.key == "high"]
    assert [(limit.version, limit.on_delay_s) for limit in versions] == [(1, 1800), (2, 60)]
    assert [(limit.valid_from, limit.valid_until) for limit in versions] == [
        (site.since_ms, NOW + 5),
        (NOW + 5, None),
    ]


def test_a_removed_limit_ends_and_may_come_back(store):
    site = read_site(EXAMPLE)
    bare = msgspec.structs.replace(site, zones=[msgspec.structs.replace(zone, limits=[]) for zone in site.zones])
    with store.write() as connection:
        apply_site(connection, site, NOW)
        assert apply_site(connection, bare, NOW + 5).limits == 23
        assert apply_site(connection, bare, NOW + 6).limits == 0
        assert apply_site(connection, site, NOW + 9).limits == 23
        zone = zone_by_key(connection, "pha-loc")
        spans = [(held.limit.valid_from, held.limit.valid_until) for held in limits_of_zone(connection, zone.id)]
    assert spans == [(site.since_ms, NOW + 5), (NOW + 9, None)]


def test_a_probe_that_moves_leaves_one_zone_when_it_enters_another(store):
    site = read_site(EXAMPLE)
    moved = {zone.key: zone for zone in site.zones}
    probe = moved["be-1"].points[0]
    moved["be-1"] = msgspec.structs.replace(moved["be-1"], points=[])
    moved["lanh-khi"] = msgspec.structs.replace(moved["lanh-khi"], points=[*moved["lanh-khi"].points, probe])
    with store.write() as connection:
        apply_site(connection, site, NOW)
        apply_site(connection, msgspec.structs.replace(site, zones=list(moved.values())), NOW + 5)
        spans = connection.exec_driver_sql(
            "SELECT zone.key, from_at, until_at FROM installation JOIN zone ON zone.id = zone_id"
            " WHERE series_name = 'gw-01/be-1-probe/temperature' ORDER BY from_at"
        ).all()
    assert spans == [("be-1", site.since_ms, NOW + 5), ("lanh-khi", NOW + 5, None)]


def test_quick_limits_are_never_slower_than_the_true_ones():
    quick = with_on_delay(read_site(EXAMPLE), 20)
    assert {limit.on_delay_s for zone in quick.zones for limit in zone.limits} == {20}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("since: yesterday\nzones: []", "since: 'yesterday' is no date"),
        ("since: 2026-01-01\nzones: [{key: a, name: {vi: a, en: a}}, {key: a, name: {vi: a, en: a}}]", "stands twice"),
        (
            (
                "since: 2026-01-01\nzones: [{key: a, name: {vi: a, en: a}}]\n"
                "read_points: [{point: g/d/p, zone: b, role: inside}]"
            ),
            "'b' is no zone of this site; known: a",
        ),
        ("since: 2026-01-01\nzones: [{key: a, name: {vi: a, en: a}, limit: []}]", "did you mean `limits`"),
    ],
)
def test_a_mistake_is_named_with_what_would_be_right(tmp_path, wrong, said):
    path = tmp_path / "a.site.yaml"
    path.write_text(f"key: x\nname: {{vi: x, en: x}}\n{wrong}\n")
    with pytest.raises(ConfigError) as refusal:
        read_site(path)
    assert said in str(refusal.value)


CONTEXTS = """
key: a
name: {vi: a, en: a}
since: 2026-01-01
zones:
  - key: store
    name: {vi: a, en: a}
    points: [{point: g/c/evaporator, quantity: evaporator_temperature}]
    contexts:
      - {kind: defrost, quantity: evaporator_temperature, above: 2}
      - {kind: defrost, daily_at: ["02:00", "14:30"], minutes: 25}
    limits: [{key: high, kind: above, setpoint: -18, context_delays_s: {defrost: 4800}, degree_minutes: "300"}]
"""


def written(tmp_path, text):
    (tmp_path / "site.yaml").write_text(text)
    return read_site(tmp_path / "site.yaml")


def test_contexts_come_from_a_warm_coil_or_a_timetable_in_site_time(store, tmp_path):
    site = written(tmp_path, CONTEXTS)
    with store.write() as connection:
        assert apply_site(connection, site, NOW).contexts == 3
        assert apply_site(connection, site, NOW + 1).contexts == 0
        rows = connection.exec_driver_sql(
            "SELECT quantity, above, at_minute, minutes FROM context_source ORDER BY at_minute"
        ).all()
        [held] = limits_of_zone(connection, zone_by_key(connection, "store").id)
    assert rows == [("evaporator_temperature", "2", None, None), (None, None, 450, 25), (None, None, 1140, 25)]
    assert dict(held.limit.context_delays_s) == {"defrost": 4800}
    assert str(held.limit.degree_minutes) == "300"


def test_a_source_that_the_file_names_no_more_ends(store, tmp_path):
    with store.write() as connection:
        apply_site(connection, written(tmp_path, CONTEXTS), NOW)
        changed = apply_site(connection, written(tmp_path, CONTEXTS.replace('"02:00", ', "")), NOW + 5).contexts
        ends = connection.exec_driver_sql("SELECT until_at FROM context_source WHERE at_minute = 1140").scalar()
    assert (changed, ends) == (1, NOW + 5)


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("quantity: evaporator_temperature, above: 2", "above: 2", "it needs one source"),
        ("{kind: defrost, quantity: evaporator_temperature", "{kind: defrost, quantity: coil", "no point of this zone"),
        ('"02:00"', '"25:00"', "25:00"),
        ("kind: defrost, daily_at", "kind: dfrost, daily_at", "dfrost"),
    ],
)
def test_a_context_that_could_never_be_is_refused(tmp_path, right, wrong, said):
    with pytest.raises(ConfigError, match=said):
        written(tmp_path, CONTEXTS.replace(right, wrong))
