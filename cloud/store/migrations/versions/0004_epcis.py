"""EPCIS: events as they were captured or told, an index of what they name, captures, named queries, subscriptions.

`epcis_event` is append-only. An event and the declaration that it was wrong have the same ID and are two rows.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_COUNTED = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    _captures()
    _events()
    _queries()


def _captures() -> None:
    op.create_table(
        "epcis_capture",
        sa.Column("id", _COUNTED, primary_key=True),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("finished_at", sa.BigInteger, nullable=False),
        sa.Column("behaviour", sa.Text, sa.CheckConstraint("behaviour IN ('rollback', 'proceed')"), nullable=False),
        sa.Column("success", sa.SmallInteger, sa.CheckConstraint("success IN (0, 1)"), nullable=False),
        sa.Column("errors", sa.Text, nullable=False),
        sa.Column("envelope", sa.Text, nullable=False),
    )


def _events() -> None:
    op.create_table(
        "epcis_event",
        sa.Column("id", _COUNTED, primary_key=True),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("is_declaration", sa.SmallInteger, sa.CheckConstraint("is_declaration IN (0, 1)"), nullable=False),
        sa.Column("event_at", sa.BigInteger, nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("capture_id", sa.BigInteger, sa.ForeignKey("epcis_capture.id")),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("definitions", sa.Text, nullable=False),
        sa.UniqueConstraint("event_id", "is_declaration"),
    )
    op.create_index("epcis_event_by_time", "epcis_event", ["event_at", "id"])
    op.create_table(
        "epcis_name",
        sa.Column("field", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, primary_key=True),
        sa.Column("event", sa.BigInteger, sa.ForeignKey("epcis_event.id"), primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "epcis_told",
        sa.Column("fact", sa.Text, primary_key=True),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
    )


def _queries() -> None:
    op.create_table(
        "epcis_query",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("parameters", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "epcis_subscription",
        sa.Column("id", _COUNTED, primary_key=True),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        sa.Column("query", sa.Text, sa.ForeignKey("epcis_query.name"), nullable=False),
        sa.Column("dest", sa.Text, nullable=False),
        sa.Column("signature_token", sa.Text),
        sa.Column("schedule", sa.Text),
        sa.Column("report_if_empty", sa.SmallInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("after", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
        sa.Column("last_notified_at", sa.BigInteger),
    )
    op.create_index("epcis_subscription_by_query", "epcis_subscription", ["query"])
