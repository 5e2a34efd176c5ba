"""First tables: what gateways sent, the plant it was measured in, its lots and its alarms.

Times named `*_at` are UTC milliseconds. Text that is a decimal number is exact and never a float.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_COUNTED = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # SQLite counts up INTEGER keys only
_TRUTH = sa.SmallInteger


def upgrade() -> None:
    _gateways()
    _deliveries()
    _plant()
    _measurements()
    _lots()
    _breaches_and_alarms()
    op.create_table("setting", _text("key", primary_key=True), _text("value"))


def _gateways() -> None:
    op.create_table(
        "gateway",
        _id(),
        _text("name", unique=True),
        _text("shard"),
        sa.Column("public_key", sa.LargeBinary),
        _at("first_seen_at"),
        _at("last_seen_at"),
    )
    op.create_table(
        "cursor",
        _ref("gateway_id", "gateway", primary_key=True),
        sa.Column("epoch", sa.LargeBinary, primary_key=True),
        sa.Column("through", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.LargeBinary),
        _at("updated_at"),
        sa.CheckConstraint("through >= 0"),
    )
    op.create_table(
        "point_table",
        _ref("gateway_id", "gateway", primary_key=True),
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        _text("body"),
    )
    op.create_table(
        "series",
        _id(),
        _ref("gateway_id", "gateway"),
        _text("device"),
        _text("point"),
        _text("unit"),
        _text("quantity"),
        sa.UniqueConstraint("gateway_id", "device", "point"),
    )
    op.create_table(
        "clock",
        _id(),
        _ref("gateway_id", "gateway"),
        sa.Column("boot", sa.LargeBinary, nullable=False),
        sa.Column("offset_ms", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("gateway_id", "boot", "offset_ms"),
    )
    op.create_table(
        "anchor",
        _ref("gateway_id", "gateway", primary_key=True),
        sa.Column("boot", sa.LargeBinary, primary_key=True),
        sa.Column("at_ms", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("utc_ms", sa.BigInteger, nullable=False),
        sa.Column("error_ms", sa.BigInteger, nullable=False),
    )


def _deliveries() -> None:
    op.create_table(
        "batch",
        _id(),
        _ref("gateway_id", "gateway"),
        sa.Column("epoch", sa.LargeBinary, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("boot", sa.LargeBinary, nullable=False),
        sa.Column("entries", sa.Integer, nullable=False),
        _maybe_at("first_at"),
        _maybe_at("last_at"),
        _at("received_at"),
        sa.Column("anchored", _TRUTH, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("gateway_id", "epoch", "seq"),
        sa.CheckConstraint("anchored IN (0, 1)"),
    )
    waiting = sa.text("anchored = 0")
    op.create_index(
        "batch_waiting_for_anchor",
        "batch",
        ["gateway_id", "boot"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.create_table(
        "quarantine",
        _id(),
        _text("gateway"),
        _text("topic"),
        _text("reason"),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        _at("received_at"),
        _maybe_at("replayed_at"),
    )
    op.create_index("quarantine_by_time", "quarantine", ["received_at"])
    op.create_index("quarantine_by_gateway", "quarantine", ["gateway"])


def _plant() -> None:
    op.create_table("site", _id(), _text("key", unique=True), _text("name_vi"), _text("name_en"))
    op.create_table(
        "zone",
        _id(),
        _ref("site_id", "site"),
        _text("key", unique=True),
        _text("name_vi"),
        _text("name_en"),
        sa.Column("position", sa.Integer, nullable=False, server_default="0"),
    )
    op.create_table(
        "installation",
        _id(),
        _text("series_name"),
        _ref("zone_id", "zone"),
        _text("role"),
        _at("from_at"),
        _maybe_at("until_at"),
        sa.UniqueConstraint("series_name", "zone_id", "from_at"),
        _half_open(),
    )
    op.create_index("installation_by_zone", "installation", ["zone_id", "from_at"])
    op.create_table(
        "read_point",
        _id(),
        _text("series_name"),
        sa.Column("antenna", sa.Integer, nullable=False, server_default="0"),
        _ref("zone_id", "zone"),
        _one_of("role", "inside", "outside", "presence"),
        _at("from_at"),
        _maybe_at("until_at"),
        _half_open(),
    )
    op.create_index("read_point_by_series", "read_point", ["series_name", "antenna"])
    op.create_table(
        "dirty_zone",
        _id(),
        _ref("zone_id", "zone"),
        _at("from_at"),
        _at("until_at"),
    )
    op.create_table("dirty_carrier", _id(), _text("epc"), _at("from_at"))


def _measurements() -> None:
    op.create_table("reason", _id(), _text("name", unique=True))
    # No foreign keys on the hot table: ids come from rows that the same transaction has read or written,
    # and three look-ups for each reading would cost more than the reading.
    op.create_table(
        "reading",
        sa.Column("series_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("observed_at", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("clock_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("value", sa.Double),
        sa.Column("detail", sa.BigInteger, nullable=False),
        sa.Column("batch_id", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "latest",
        _ref("series_id", "series", primary_key=True),
        _at("observed_at"),
        sa.Column("value", sa.Double),
        sa.Column("detail", sa.BigInteger, nullable=False),
        _at("received_at"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sighting",
        _id(),
        _ref("series_id", "series"),
        _text("epc"),
        _at("observed_at"),
        _at("last_at"),
        sa.Column("reads", sa.Integer, nullable=False),
        sa.Column("rssi_dbm", sa.Double),
        sa.Column("antenna", sa.Integer, nullable=False, server_default="0"),
        _ref("clock_id", "clock"),
        _ref("batch_id", "batch"),
        sa.UniqueConstraint("series_id", "epc", "antenna", "observed_at", "last_at"),
    )
    op.create_index("sighting_by_epc", "sighting", ["epc", "observed_at"])
    op.create_table(
        "weighing",
        _id(),
        _ref("series_id", "series"),
        _at("observed_at"),
        _ref("clock_id", "clock"),
        sa.Column("value", sa.Double, nullable=False),
        sa.Column("decimals", sa.Integer, nullable=False),
        _text("unit"),
        _maybe_text("mode"),
        sa.Column("stable_derived", _TRUTH, nullable=False),
        _ref("batch_id", "batch"),
        sa.UniqueConstraint("series_id", "observed_at", "clock_id"),
        sa.CheckConstraint("stable_derived IN (0, 1)"),
    )
    op.create_table(
        "gap",
        _id(),
        _ref("gateway_id", "gateway"),
        _text("reason"),
        _maybe_at("from_at"),
        _maybe_at("until_at"),
        _maybe_ref("series_id", "series"),
        _text("detail", server_default=""),
        _maybe_ref("batch_id", "batch"),
    )
    op.create_index("gap_by_time", "gap", ["gateway_id", "from_at"])


def _lots() -> None:
    op.create_table("product", _id(), _text("gtin", unique=True), _text("name_vi"), _text("name_en"))
    op.create_table(
        "lot",
        _id(),
        _text("key", unique=True),
        _text("gtin"),
        _text("name_vi"),
        _text("name_en"),
        _maybe_text("quantity_kg"),
        _at("created_at"),
        _at("recorded_at"),
    )
    op.create_index("lot_by_creation", "lot", ["created_at"])
    op.create_table(
        "carrier",
        _id(),
        _text("epc", unique=True),
        _text("kind"),
        _text("name"),
        _at("recorded_at"),
    )
    op.create_table(
        "carrier_load",
        _id(),
        _ref("carrier_id", "carrier"),
        _ref("lot_id", "lot"),
        _at("from_at"),
        _maybe_at("until_at"),
        _at("recorded_at"),
        sa.UniqueConstraint("carrier_id", "lot_id", "from_at"),
        _half_open(),
    )
    op.create_index("carrier_load_by_lot", "carrier_load", ["lot_id"])
    op.create_table(
        "lot_move",
        _id(),
        _maybe_ref("lot_id", "lot"),
        _maybe_ref("carrier_id", "carrier"),
        _maybe_ref("zone_id", "zone"),
        sa.Column("at", sa.BigInteger, nullable=False),
        _text("by"),
        _at("recorded_at"),
        sa.CheckConstraint("(lot_id IS NULL) <> (carrier_id IS NULL)"),
    )
    op.create_index("lot_move_by_lot", "lot_move", ["lot_id", "at"])
    op.create_index("lot_move_by_carrier", "lot_move", ["carrier_id", "at"])
    op.create_table(
        "residence",
        _id(),
        _ref("lot_id", "lot"),
        _maybe_ref("carrier_id", "carrier"),
        _ref("zone_id", "zone"),
        _at("from_at"),
        _maybe_at("until_at"),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("current", _TRUTH, nullable=False),
        sa.CheckConstraint("current IN (0, 1)"),
        _half_open(),
    )
    op.create_index("residence_by_lot", "residence", ["lot_id", "current", "from_at"])
    op.create_index("residence_by_zone", "residence", ["zone_id", "current", "from_at"])


def _breaches_and_alarms() -> None:
    op.create_table(
        "limit_rule",
        _id(),
        _ref("zone_id", "zone"),
        _text("key"),
        _one_of("kind", "above", "below"),
        _text("quantity"),
        _text("setpoint"),
        _text("deadband"),
        sa.Column("on_delay_s", sa.Integer, nullable=False),
        sa.Column("off_delay_s", sa.Integer, nullable=False),
        sa.Column("max_gap_s", sa.Integer, nullable=False),
        _one_of("severity", "low", "medium", "high"),
        _text("citation"),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("valid_from", sa.BigInteger, nullable=False),
        sa.Column("valid_until", sa.BigInteger),
        sa.UniqueConstraint("zone_id", "key", "version"),
    )
    op.create_table(
        "breach",
        _id(),
        _text("key"),
        sa.Column("version", sa.Integer, nullable=False),
        _ref("zone_id", "zone"),
        _ref("limit_id", "limit_rule"),
        _one_of("status", "pending", "active", "ended", "withdrawn"),
        _at("onset_at"),
        _maybe_at("confirmed_at"),
        _maybe_at("ended_at"),
        sa.Column("extreme", sa.Double),
        _maybe_at("extreme_at"),
        _at("computed_at"),
        sa.Column("current", _TRUTH, nullable=False),
        sa.UniqueConstraint("key", "version"),
        sa.CheckConstraint("current IN (0, 1)"),
    )
    op.create_index("breach_by_zone", "breach", ["zone_id", "current", "onset_at"])
    op.create_table(
        "breach_checkpoint",
        _ref("zone_id", "zone", primary_key=True),
        _ref("limit_id", "limit_rule", primary_key=True),
        sa.Column("at", sa.BigInteger, primary_key=True, autoincrement=False),
        _text("state"),
    )
    op.create_table(
        "alarm",
        _id(),
        _text("key", unique=True),
        _one_of("kind", "breach", "no_data"),
        _ref("zone_id", "zone"),
        _maybe_text("breach_key"),
        _one_of("severity", "low", "medium", "high"),
        _one_of("state", "unacknowledged", "acknowledged", "returned_unacknowledged", "normal"),
        _at("raised_at"),
        _at("onset_at"),
        _maybe_at("returned_at"),
        _maybe_text("ack_by"),
        _maybe_at("ack_at"),
        _maybe_text("ack_note"),
        sa.Column("detected_late", _TRUTH, nullable=False, server_default="0"),
        _at("updated_at"),
        sa.CheckConstraint("detected_late IN (0, 1)"),
    )
    op.create_index("alarm_by_state", "alarm", ["state", "raised_at"])
    op.create_index("alarm_by_zone", "alarm", ["zone_id", "raised_at"])
    op.create_table(
        "alarm_event",
        _id(),
        _ref("alarm_id", "alarm"),
        sa.Column("at", sa.BigInteger, nullable=False),
        _text("kind"),
        _maybe_text("by"),
        _maybe_text("note"),
    )
    op.create_index("alarm_event_by_alarm", "alarm_event", ["alarm_id", "at"])


def _id() -> sa.Column[int]:
    return sa.Column("id", _COUNTED, primary_key=True)


def _ref(name: str, table: str, *, primary_key: bool = False) -> sa.Column[int]:
    return sa.Column(
        name,
        sa.BigInteger,
        sa.ForeignKey(f"{table}.id"),
        primary_key=primary_key,
        nullable=False,
        autoincrement=False,
    )


def _maybe_ref(name: str, table: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, sa.ForeignKey(f"{table}.id"))


def _text(
    name: str, *, primary_key: bool = False, unique: bool = False, server_default: str | None = None
) -> sa.Column[str]:
    return sa.Column(
        name,
        sa.Text,
        primary_key=primary_key,
        unique=unique,
        nullable=False,
        server_default=server_default,
    )


def _maybe_text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text)


def _at(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _maybe_at(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger)


def _one_of(name: str, *values: str) -> sa.Column[str]:
    allowed = ", ".join(f"'{value}'" for value in values)
    return sa.Column(name, sa.Text, sa.CheckConstraint(f"{name} IN ({allowed})"), nullable=False)


def _half_open() -> sa.CheckConstraint:
    return sa.CheckConstraint("until_at IS NULL OR until_at >= from_at")
