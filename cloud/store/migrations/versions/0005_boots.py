"""Boots whose clock becomes known late, or known better: ends of gaps that go with it, and batches by boot."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "gap_end",
        sa.Column("gap_id", sa.BigInteger, sa.ForeignKey("gap.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("is_until", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("gateway_id", sa.BigInteger, sa.ForeignKey("gateway.id"), nullable=False),
        sa.Column("boot", sa.LargeBinary, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("is_sure", sa.SmallInteger, nullable=False),  # 0: the time of that boot is not known, or not well
        sa.CheckConstraint("is_until IN (0, 1) AND is_sure IN (0, 1)"),
    )
    op.create_index("gap_end_by_boot", "gap_end", ["gateway_id", "boot"])
    op.add_column("batch", sa.Column("boot_last_at", sa.BigInteger))  # boot ms, also while the boot has no UTC
    op.add_column("batch", sa.Column("offset_ms", sa.BigInteger))  # as its header says; NULL: it knew no UTC
    op.create_index("batch_by_boot", "batch", ["gateway_id", "boot", "boot_last_at"])
