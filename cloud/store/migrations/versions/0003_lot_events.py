"""The ledger of goods: what was received, made, put together, held and shipped; verdicts in versions; food plans.

`lot_event` is append-only: what was wrong is named by a later event of kind `correction` and never touched itself.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_COUNTED = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    _events()
    _verdicts()
    _plans()
    op.add_column("carrier_load", sa.Column("until_recorded_at", sa.BigInteger))
    # What was breached before this ledger existed holds nothing back afterwards.
    op.execute("INSERT INTO setting (key, value) SELECT 'lots.held_through', COALESCE(MAX(id), 0) FROM breach")


def _events() -> None:
    op.create_table(
        "lot_event",
        sa.Column("id", _COUNTED, primary_key=True),
        sa.Column("event_id", sa.Text, nullable=False, unique=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("zone_id", sa.BigInteger, sa.ForeignKey("zone.id")),
        sa.Column("carrier_id", sa.BigInteger, sa.ForeignKey("carrier.id")),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("biz_step", sa.Text, nullable=False),
        sa.Column("disposition", sa.Text, nullable=False),
        sa.Column("breach_key", sa.Text),
        sa.Column("corrects", sa.Text),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.CheckConstraint("(kind = 'correction') = (corrects IS NOT NULL)"),
    )
    op.create_index("lot_event_by_time", "lot_event", ["at", "id"])
    op.create_index("lot_event_by_correction", "lot_event", ["corrects"])
    op.create_index("lot_event_by_kind", "lot_event", ["kind", "at"])
    op.create_table(
        "lot_event_item",
        sa.Column("event", sa.BigInteger, sa.ForeignKey("lot_event.id"), primary_key=True, autoincrement=False),
        sa.Column("side", sa.Text, sa.CheckConstraint("side IN ('input', 'output', 'subject')"), primary_key=True),
        sa.Column("lot_id", sa.BigInteger, sa.ForeignKey("lot.id"), primary_key=True, autoincrement=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("quantity_kg", sa.Text),
        sa.Column("pieces", sa.BigInteger),
        sqlite_with_rowid=False,
    )
    op.create_index("lot_event_item_by_lot", "lot_event_item", ["lot_id", "side"])


def _verdicts() -> None:
    op.create_table(
        "lot_verdict",
        sa.Column("id", _COUNTED, primary_key=True),
        sa.Column("lot_id", sa.BigInteger, sa.ForeignKey("lot.id"), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("computed_at", sa.BigInteger, nullable=False),
        sa.Column("current", sa.SmallInteger, sa.CheckConstraint("current IN (0, 1)"), nullable=False),
        sa.UniqueConstraint("lot_id", "version"),
    )
    op.create_table(
        "dirty_lot",
        sa.Column("id", _COUNTED, primary_key=True),
        sa.Column("lot_id", sa.BigInteger, sa.ForeignKey("lot.id"), nullable=False),
    )
    op.create_index("dirty_lot_by_lot", "dirty_lot", ["lot_id"])


def _plans() -> None:
    op.create_table(
        "food_plan",
        sa.Column("id", _COUNTED, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("from_at", sa.BigInteger, nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
    )
