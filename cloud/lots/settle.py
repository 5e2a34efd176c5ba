"""What follows from new facts about lots, thought over after each commit: holds for those that met a breach.

The work list `dirty_lot` is written with the facts themselves; a crash leaves the work to do.
"""

from sqlalchemy import Connection

from cloud.lots.holds import holds_due
from cloud.lots.ledger import record_event
from cloud.store import load_queries

_queries = load_queries("cloud.lots", "ledger.sql")


def settle(connection: Connection, now_ms: int) -> list[str]:
    """Call it after breaches have been evaluated. Gives the keys of the lots about which something is known anew."""
    dirty = connection.execute(_queries.dirty_lots).all()
    moved = sorted({row.lot_id for row in dirty})
    holds = holds_due(connection, now_ms, moved)
    for hold in holds:
        record_event(connection, hold, now_ms)
    if dirty:
        connection.execute(_queries.forget_dirty_lots, {"through": max(row.id for row in dirty)})
    return [item.lot for hold in holds for item in hold.subjects]
