"""What follows from new facts about lots, thought over after each commit: holds by breaches, final verdicts.

The work list `dirty_lot` is written with the facts themselves; a crash leaves the work to do. A lot that has left but
is not final yet stays on it.
"""

from sqlalchemy import Connection

from cloud.lots.finality import finish
from cloud.lots.holds import holds_due
from cloud.lots.ledger import record_event
from cloud.store import load_queries

_queries = load_queries("cloud.lots", "ledger.sql")


def settle(connection: Connection, now_ms: int) -> list[str]:
    """Call it after breaches have been evaluated. Gives the keys of the lots about which something is known anew."""
    dirty = connection.execute(_queries.dirty_lots).all()
    lot_ids = sorted({row.lot_id for row in dirty})
    holds = holds_due(connection, now_ms, lot_ids)
    waiting, later_holds = finish(connection, lot_ids, now_ms)
    for hold in [*holds, *later_holds]:
        record_event(connection, hold, now_ms)
    if dirty:
        connection.execute(_queries.forget_dirty_lots, {"through": max(row.id for row in dirty)})
    for lot_id in waiting:
        connection.execute(_queries.mark_lot, {"lot_id": lot_id})
    return [item.lot for hold in [*holds, *later_holds] for item in hold.subjects]
