"""Watches for zones that nobody hears any more: no data is its own alarm, ended by data.

Not yet arrived is not the same as never measured: while a gateway delivers what it kept during an outage, its zones
are not called silent.
"""

from dataclasses import dataclass

from sqlalchemy import Connection

from cloud.alarms.lifecycle import AlarmEvent, AlarmEventKind, AlarmKind, AlarmState, state_of
from cloud.alarms.repository import write_event
from cloud.site.repository import (
    InstalledPoint,
    last_observation_at,
    limits_of_zone,
    next_observation_at,
    points_of_zone,
    zones,
)
from cloud.store import load_queries
from rules import Severity

SILENT_AFTER_MS = 5 * 60_000
_DELIVERING_MS = 60_000  # a batch within this time: the gateway is there and busy
_queries = load_queries("cloud.alarms")


@dataclass(frozen=True, slots=True)
class _OpenSilence:
    id: int
    state: AlarmState
    onset_at: int
    is_acknowledged: bool


def watch_silence(connection: Connection, now_ms: int, silent_after_ms: int = SILENT_AFTER_MS) -> list[AlarmEvent]:
    """Call every few seconds. A zone that never spoke is not silent: it is not in service yet."""
    known = _open_silences(connection)
    events = []
    for zone in zones(connection):
        points = _points(connection, zone.id, now_ms)
        heard_at = last_observation_at(connection, points, now_ms - silent_after_ms, now_ms + 1)
        silence = known.get(zone.id)
        if heard_at is not None and silence is not None:
            events.append(_end(connection, zone.id, silence, points, now_ms))
        elif heard_at is None and silence is None and not _is_catching_up(connection, points, now_ms, silent_after_ms):
            events += _begin(connection, zone.id, points, now_ms)
    return events


def _points(connection: Connection, zone_id: int, now_ms: int) -> list[InstalledPoint]:
    """What ought to be heard now: the points that the zone's limits are about."""
    quantities = {
        held.limit.quantity
        for held in limits_of_zone(connection, zone_id)
        if held.limit.valid_until is None and held.limit.is_about_goods
    }
    return [
        point
        for quantity in sorted(quantities)
        for point in points_of_zone(connection, zone_id, quantity)
        if point.until_at is None or point.until_at > now_ms
    ]


def _open_silences(connection: Connection) -> dict[int, _OpenSilence]:
    return {
        row.zone_id: _OpenSilence(row.id, AlarmState(row.state), row.onset_at, row.ack_at is not None)
        for row in connection.execute(_queries.open_silence_alarms)
    }


def _is_catching_up(connection: Connection, points: list[InstalledPoint], now_ms: int, silent_after_ms: int) -> bool:
    """Whether one of the gateways is delivering, and what it delivers still lies in the past."""
    newest = [connection.execute(_queries.newest_batch_beside, {"series_id": p.series_id}).first() for p in points]
    return any(
        batch is not None
        and batch.last_at is not None
        and now_ms - batch.received_at < _DELIVERING_MS
        and batch.last_at < now_ms - silent_after_ms
        for batch in newest
    )


def _begin(connection: Connection, zone_id: int, points: list[InstalledPoint], now_ms: int) -> list[AlarmEvent]:
    last_at = last_observation_at(connection, points, 0, now_ms + 1)
    if last_at is None:
        return []
    state = state_of(is_true=True, is_acknowledged=False)
    alarm_id = connection.execute(
        _queries.insert_alarm,
        {
            "key": f"no_data/{zone_id}/{last_at}/{now_ms}",
            "kind": AlarmKind.NO_DATA,
            "zone_id": zone_id,
            "breach_key": None,
            "severity": Severity.HIGH,  # what nobody knows may be anything
            "state": state,
            "now": now_ms,
            "onset_at": last_at,
            "returned_at": None,
            "detected_late": 0,
        },
    ).scalar_one()
    event = AlarmEvent(alarm_id, AlarmEventKind.RAISED, now_ms, state, zone_id, AlarmKind.NO_DATA)
    return [write_event(connection, event)]


def _end(
    connection: Connection, zone_id: int, silence: _OpenSilence, points: list[InstalledPoint], now_ms: int
) -> AlarmEvent:
    state = state_of(is_true=False, is_acknowledged=silence.is_acknowledged)
    returned_at = next_observation_at(connection, points, silence.onset_at + 1, now_ms + 1)
    connection.execute(
        _queries.return_alarm, {"id": silence.id, "state": state, "returned_at": returned_at or now_ms, "now": now_ms}
    )
    event = AlarmEvent(silence.id, AlarmEventKind.RETURNED, now_ms, state, zone_id, AlarmKind.NO_DATA)
    return write_event(connection, event)
