"""Contexts that explain a warm room for a while, and delays that depend on them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_COUNTED = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.add_column("limit_rule", sa.Column("context_delays", sa.Text, nullable=False, server_default="{}"))
    op.add_column("limit_rule", sa.Column("degree_minutes", sa.Text))
    op.add_column("limit_rule", sa.Column("about", sa.Text, nullable=False, server_default="goods"))
    op.add_column("breach", sa.Column("confirmed_by", sa.Text))
    _sources()
    _spans()


def _sources() -> None:
    """Where contexts come from without a person's word: an instrument's quantity, or a daily time."""
    op.create_table(
        "context_source",
        sa.Column("id", _COUNTED, primary_key=True),
        sa.Column("zone_id", sa.BigInteger, sa.ForeignKey("zone.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("quantity", sa.Text),
        sa.Column("above", sa.Text),
        sa.Column("at_minute", sa.Integer),
        sa.Column("minutes", sa.Integer),
        sa.Column("from_at", sa.BigInteger, nullable=False),
        sa.Column("until_at", sa.BigInteger),
        sa.CheckConstraint("(quantity IS NULL) <> (at_minute IS NULL)"),
    )
    op.create_index("context_source_by_zone", "context_source", ["zone_id"])


def _spans() -> None:
    """A person's word: from then until then there is maintenance, or goods are taken in."""
    op.create_table(
        "context_span",
        sa.Column("id", _COUNTED, primary_key=True),
        sa.Column("zone_id", sa.BigInteger, sa.ForeignKey("zone.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("from_at", sa.BigInteger, nullable=False),
        sa.Column("until_at", sa.BigInteger, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("note", sa.Text),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("zone_id", "kind", "from_at", "until_at"),
        sa.CheckConstraint("until_at > from_at"),
    )
