"""How far the points of a zone can be believed: the last day through `rules.distrust`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from cloud.site.contexts import context_sources
from cloud.store import load_queries
from cloud.store.detail import decimals_of, quality_of
from cloud.store.readings import StoredReading
from rules import CONTEXT_OF_QUANTITY, ContextKind, Distrust, TrustSettings, TrustState, TrustTest, distrust
from wire.entries import Quality

LOOK_BACK_MS = 24 * 3_600_000
_MINUTE_MS = 60_000
_SETTLES_MS = 6 * 3_600_000  # what begins with the window is judged from then on only: a flat line needs its hours

_queries = load_queries("cloud.alarms")


@dataclass(frozen=True, slots=True)
class PointTrust:
    """`state` now; `spells` are the times of the last day in which it was not FRESH."""

    point: str
    quantity: str
    state: TrustState
    test: TrustTest | None
    since_at: int | None
    spells: tuple[Distrust, ...]


def trust_of_zone(connection: Connection, zone_id: int, now_ms: int) -> list[PointTrust]:
    """Of each point that tells a quantity of the goods' surroundings; others there are its neighbours."""
    from_at = now_ms - LOOK_BACK_MS - _SETTLES_MS
    defrosts = _defrosts(connection, zone_id, from_at, now_ms)
    by_quantity: dict[str, dict[str, list[StoredReading]]] = {}
    for row in connection.execute(_queries.points_told, {"zone_id": zone_id, "now": now_ms}):
        if row.quantity not in CONTEXT_OF_QUANTITY:
            told = by_quantity.setdefault(row.quantity, {})
            told[row.name] = list(_each_minute(connection, row.series_id, max(from_at, row.from_at), now_ms))
    return [
        trust for quantity, told in by_quantity.items() for trust in _judged(quantity, told, defrosts, now_ms=now_ms)
    ]


def _judged(
    quantity: str, told: Mapping[str, list[StoredReading]], defrosts: list[tuple[int, int]], *, now_ms: int
) -> Iterator[PointTrust]:
    decimals = min((decimals_of(reading.detail) for said in told.values() for reading in said), default=1)
    spells = distrust(
        {name: [(reading.observed_at, reading.value) for reading in said] for name, said in told.items()},
        now_ms,
        defrosts,
        TrustSettings(resolution=10.0**-decimals),
    )
    for name, said in told.items():
        own = [spell for spell in spells if spell.point == name]
        recent = tuple(s for s in own if s.until_at is None or s.until_at > now_ms - LOOK_BACK_MS)
        if not said:
            yield PointTrust(name, quantity, TrustState.STALE, None, None, ())
        elif own and own[-1].until_at is None:
            yield PointTrust(name, quantity, *_named(own[-1].reason), own[-1].from_at, recent)
        else:
            since_at = own[-1].until_at if own else None
            yield PointTrust(name, quantity, TrustState.FRESH, None, since_at, recent)


def _named(reason: str) -> tuple[TrustState, TrustTest | None]:
    if reason in {TrustState.STALE, TrustState.FAILED}:
        return TrustState(reason), None
    return TrustState.SUSPECT, TrustTest(reason)


def _each_minute(connection: Connection, series_id: int, from_at: int, until_at: int) -> Iterator[StoredReading]:
    """The last reading of each minute, values of bad ones left out: tests of hours need no seconds."""
    rows = connection.execute(
        _queries.readings_told, {"series_id": series_id, "from_at": from_at, "until_at": until_at}
    )
    last: StoredReading | None = None
    for at, value, detail in rows:
        if last is not None and at // _MINUTE_MS != last.observed_at // _MINUTE_MS:
            yield last
        last = StoredReading(at, None if quality_of(detail) is Quality.BAD else value, detail)
    if last is not None:
        yield last


def _defrosts(connection: Connection, zone_id: int, from_at: int, until_at: int) -> list[tuple[int, int]]:
    sources = context_sources(connection, zone_id, [ContextKind.DEFROST])
    found: list[tuple[int, int]] = []
    is_on = False
    for mark in sources.told(connection, from_at, until_at, _MINUTE_MS):
        if mark.until_at > mark.at and not is_on:
            found.append((mark.at, mark.at))
        if is_on:
            found[-1] = (found[-1][0], mark.at)
        is_on = mark.until_at > mark.at
    return found
