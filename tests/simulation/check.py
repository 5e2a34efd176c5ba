"""Ledger against database: exactly once, in order, at the right time, and a gap for whatever is not there."""

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from cloud.ingest.bounds import SURE_WITHIN_MS
from cloud.store.detail import is_time_uncertain, reason_id_of
from tests.simulation.cloud import Cloud
from tests.simulation.gateway import TABLE, Gateway
from tests.simulation.ledger import Fate, Ledger, Row

MOST_TIME_ERROR_MS = 1000
_UNBOUNDED = {"not_installed", "buffer_corrupt", "not_kept", "thinned"}


class Stored(NamedTuple):
    point: int
    observed_at: int
    is_uncertain: bool


class Gap(NamedTuple):
    reason: str
    from_at: int | None
    until_at: int | None

    def covers(self, at: int, slack_ms: int) -> bool:
        after = self.from_at is None or self.from_at <= at + slack_ms
        return after and (self.until_at is None or at <= self.until_at + slack_ms)


@dataclass
class Verdict:
    faults: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


def judge(
    ledger: Ledger, cloud: Cloud, gateways: list[Gateway], *, is_ring_cut: bool, is_history_plain: bool
) -> Verdict:
    """`is_ring_cut`: the buffer was too small for what it had to hold; then a declared gap excuses what is missing."""
    verdict = Verdict(list(cloud.violations))
    for gateway in gateways:
        if not gateway.is_heard:
            state = f"{gateway.buffer.acknowledged} of {gateway.buffer.next_seq - 1}, {gateway.conversation.phase.name}"
            verdict.faults.append(f"{gateway} was not heard out: {state}")
    stored, gaps = _read(cloud, verdict)
    slack_ms = _time_slack(cloud)
    for row in ledger.rows.values():
        found = stored.get(row.value, [])
        _check_stored(row, found, verdict)
        if not found:
            is_covered = any(gap.covers(row.true_ms, slack_ms) for gap in gaps)
            _check_missing(row, verdict, is_covered=is_covered, is_ring_cut=is_ring_cut)
    for value in stored.keys() - ledger.rows.keys():
        verdict.faults.append(f"invented: {value}")
    if is_history_plain:  # an old card tells of boots again, and two machines of one name of two at once
        _check_order(ledger, stored, verdict)
    return verdict


def _read(cloud: Cloud, verdict: Verdict) -> tuple[dict[int, list[Stored]], list[Gap]]:
    stored: dict[int, list[Stored]] = {}
    with cloud.store.read() as connection:
        reasons = dict(connection.exec_driver_sql("SELECT id, name FROM reason").fetchall())
        keys = {point.key: index for index, point in enumerate(TABLE.points)}
        points = {id_: keys[key] for id_, key in connection.exec_driver_sql("SELECT id, point FROM series")}
        found = connection.exec_driver_sql("SELECT series_id, observed_at, value, detail FROM reading")
        for series_id, observed_at, value, detail in found:
            if reasons.get(reason_id_of(detail)) != "thinned_mean":
                one = Stored(points[series_id], observed_at, is_time_uncertain(detail))
                stored.setdefault(int(value), []).append(one)
        gaps = [Gap(*row) for row in connection.exec_driver_sql("SELECT reason, from_at, until_at FROM gap")]
        waiting = connection.exec_driver_sql("SELECT count(*) FROM batch WHERE anchored = 0").scalar_one()
    if waiting:
        verdict.faults.append(f"{waiting} batches never got their place in time")
    unknown = [gap for gap in gaps if gap.reason in _UNBOUNDED and gap.from_at is None]
    for gap in gaps:
        verdict.counts[gap.reason] += 1
        is_explained = gap.until_at is not None and any(one.covers(gap.until_at, 0) for one in unknown)
        if gap.reason not in _UNBOUNDED and None in {gap.from_at, gap.until_at} and not is_explained:
            verdict.faults.append(f"a gap without an end: {gap}")
    return stored, gaps


def _time_slack(cloud: Cloud) -> int:
    """How far an end of a gap may be off: it can lie in a boot that never knew the time."""
    with cloud.store.read() as connection:
        found = connection.exec_driver_sql("SELECT min(error_ms) FROM anchor GROUP BY gateway_id, boot").scalars()
        return max((error for error in found if error > SURE_WITHIN_MS), default=0)


def _check_stored(row: Row, found: list[Stored], verdict: Verdict) -> None:
    verdict.counts[row.fate.name] += 1
    if len(found) > 1:
        verdict.faults.append(f"stored {len(found)} times: {row}")
    for one in found[:1]:
        verdict.counts["stored"] += 1
        if one.point != row.point:
            verdict.faults.append(f"stored at another point: {row}")
        if abs(one.observed_at - row.true_ms) <= MOST_TIME_ERROR_MS:
            continue
        verdict.counts["uncertain"] += 1
        if not one.is_uncertain:
            verdict.faults.append(f"{one.observed_at - row.true_ms} ms off: {row}")


def _check_missing(row: Row, verdict: Verdict, *, is_covered: bool, is_ring_cut: bool) -> None:
    if row.fate is Fate.SEALED and not is_ring_cut:
        verdict.faults.append(f"lost: {row}")
    elif not is_covered:
        verdict.faults.append(f"missing without a gap: {row}")


def _check_order(ledger: Ledger, stored: dict[int, list[Stored]], verdict: Verdict) -> None:
    """In the order of their stored times the readings of a point are in the order in which they were measured."""
    for point in range(len(TABLE.points)):
        column = sorted(
            (rows[0].observed_at, ledger.rows[value].true_ms)
            for value, rows in stored.items()
            if value in ledger.rows and rows[0].point == point
        )
        for (_, one), (_, following) in pairwise(column):
            if one > following + MOST_TIME_ERROR_MS:
                verdict.faults.append(f"out of order: {one} before {following} at point {point}")
                break
