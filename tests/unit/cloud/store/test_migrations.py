"""Migrations go forward only: each is run on a database with data that the version before it made."""

import sqlalchemy

from cloud.site import limits_of_zone
from cloud.store.engine import Store
from cloud.store.migrate import migrate
from cloud.store.sqlite import reader_engine, writer_engine


def test_limits_and_breaches_of_the_first_version_go_on_after_contexts_came(tmp_path):
    url = f"sqlite:///{tmp_path}/old.db"
    store = Store(writer_engine(url), reader_engine(url))
    with store.write() as connection:
        migrate(connection, "0001")
        run = connection.exec_driver_sql
        run("INSERT INTO site (id, key, name_vi, name_en) VALUES (1, 's', 's', 's')")
        run("INSERT INTO zone (id, site_id, key, name_vi, name_en) VALUES (1, 1, 'z', 'z', 'z')")
        run(
            "INSERT INTO limit_rule (id, zone_id, key, kind, quantity, setpoint, deadband, on_delay_s, off_delay_s,"
            " max_gap_s, severity, citation, version, valid_from)"
            " VALUES (1, 1, 'high', 'above', 'air_temperature', '-18', '0.5', 1800, 300, 300, 'high', '', 1, 0)"
        )
        run(
            "INSERT INTO breach (key, version, zone_id, limit_id, status, onset_at, computed_at, current)"
            " VALUES ('k', 1, 1, 1, 'pending', 5, 5, 1)"
        )
    with store.write() as connection:
        migrate(connection, "0002")
    with store.read() as connection:
        [held] = limits_of_zone(connection, 1)
        assert (held.limit.on_delay_s, dict(held.limit.context_delays_s), held.limit.degree_minutes) == (1800, {}, None)
        about, confirmed_by = connection.exec_driver_sql(
            "SELECT about, confirmed_by FROM limit_rule JOIN breach ON breach.limit_id = limit_rule.id"
        ).one()
        assert (about, confirmed_by) == ("goods", None)
        assert {"context_source", "context_span"} <= set(sqlalchemy.inspect(connection).get_table_names())
    store.close()
