"""Gaps: time of which nothing is known, and why. An end in a boot without a clock gets its UTC when that is known."""

from cloud.ingest.moments import Moment, base_of_boot
from cloud.ingest.rows import TimeBase
from cloud.ingest.work import Work
from cloud.store.queries import load_queries

_queries = load_queries("cloud.ingest")


def store_gap(
    work: Work,
    gateway_id: int,
    reason: str,
    begin: Moment | int | None,
    until: Moment | int | None,
    *,
    detail: str,
    series_id: int | None = None,
    batch_id: int | None = None,
    own_boot: bytes | None = None,
) -> None:
    """Ends are moments of the gateway, UTC, or None: unknown or still open. The same gap again changes nothing.

    Args:
        batch_id: the batch that declares it; ends in its `own_boot` are placed again with it.
    """
    from_at, until_at = _utc(work, gateway_id, begin), _utc(work, gateway_id, until)
    values = {"gateway_id": gateway_id, "reason": reason, "from_at": from_at, "until_at": until_at}
    values |= {"series_id": series_id, "detail": detail, "batch_id": batch_id}
    is_settled = all(
        utc is not None or not isinstance(end, Moment) for utc, end in ((from_at, begin), (until_at, until))
    )
    if is_settled and work.connection.execute(_queries.same_gap, values).first():
        return
    gap_id = work.connection.execute(_queries.insert_gap, values).scalar_one()
    work.outcome.counts["gaps"] += 1
    for is_until, end in enumerate((begin, until)):
        if isinstance(end, Moment) and end.boot != own_boot:
            _tie_end(work, gateway_id, gap_id, is_until, end)


def close_gap(
    work: Work,
    gateway_id: int,
    reason: str,
    begin: Moment | None,
    until: Moment | None,
    *,
    detail: str,
    series_id: int | None,
) -> bool:
    """A gap that was told while it was open comes a second time with its end."""
    from_at, until_at = _utc(work, gateway_id, begin), _utc(work, gateway_id, until)
    if from_at is None or until_at is None:
        return False
    closed = work.connection.execute(
        _queries.close_gap,
        {"gateway_id": gateway_id, "reason": reason, "from_at": from_at, "until_at": until_at}
        | {"series_id": series_id, "detail": detail},
    )
    return closed.rowcount > 0


def close_losses(work: Work, gateway_id: int, until: Moment) -> None:
    """The first batch after lost ones shows where the loss ends."""
    until_at = _utc(work, gateway_id, until)
    for gap_id in work.connection.execute(_queries.open_losses, {"gateway_id": gateway_id}).scalars().all():
        work.connection.execute(_queries.end_gap, {"id": gap_id, "until_at": until_at})
        _tie_end(work, gateway_id, gap_id, 1, until)


def settle_ends(work: Work) -> None:
    """Ends of gaps in boots that have just got their place in time, or a better one."""
    unsure = work.book.boots_of_unsure_gap_ends(work.connection)
    for gateway_id, boot in {**work.outcome.placed_boots, **work.outcome.moved_boots}:
        if (gateway_id, boot) not in unsure and (gateway_id, boot) not in work.outcome.moved_boots:
            continue
        base = base_of_boot(work, gateway_id, boot)
        if base is not None:
            _settle(work, gateway_id, boot, base)
            if not base.is_uncertain:
                unsure.discard((gateway_id, boot))


def _settle(work: Work, gateway_id: int, boot: bytes, base: TimeBase) -> None:
    key = {"gateway_id": gateway_id, "boot": boot}
    for row in work.connection.execute(_queries.gap_ends_of_boot, key).all():
        if row.is_until:
            work.connection.execute(_queries.end_gap, {"id": row.gap_id, "until_at": base.utc(row.at_ms)})
        else:
            work.connection.execute(_queries.begin_gap, {"id": row.gap_id, "from_at": base.utc(row.at_ms)})
    work.connection.execute(_queries.settle_gap_ends, key | {"is_sure": int(not base.is_uncertain)})


def _utc(work: Work, gateway_id: int, end: Moment | int | None) -> int | None:
    if not isinstance(end, Moment):
        return end
    base = base_of_boot(work, gateway_id, end.boot)
    return None if base is None else base.utc(end.at)


def _tie_end(work: Work, gateway_id: int, gap_id: int, is_until: int, end: Moment) -> None:
    base = base_of_boot(work, gateway_id, end.boot)
    is_sure = base is not None and not base.is_uncertain
    key = {"gateway_id": gateway_id, "boot": end.boot}
    work.connection.execute(
        _queries.tie_gap_end, key | {"gap_id": gap_id, "is_until": is_until, "at_ms": end.at, "is_sure": int(is_sure)}
    )
    if not is_sure:
        work.book.boots_of_unsure_gap_ends(work.connection).add((gateway_id, end.boot))
