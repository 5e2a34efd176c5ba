-- name: reasons
-- Every reason a value was not good, by its number.
SELECT id, name FROM reason

-- name: zones
-- Zones in the order of the wall.
SELECT zone.id, zone.key, zone.name_vi, zone.name_en, zone.position,
       site.key AS site_key, site.name_vi AS site_vi, site.name_en AS site_en
FROM zone
JOIN site ON site.id = zone.site_id
ORDER BY zone.position, zone.id

-- name: zone_points
-- Points installed in zones now, with the newest value of each; a point that never spoke has no series yet.
SELECT installation.zone_id, installation.series_name, installation.role,
       known.id AS series_id, known.unit, known.quantity,
       latest.observed_at, latest.received_at, latest.value, latest.detail
FROM installation
LEFT JOIN (
    SELECT series.id, series.unit, series.quantity,
           gateway.name || '/' || series.device || '/' || series.point AS name
    FROM series
    JOIN gateway ON gateway.id = series.gateway_id
) AS known ON known.name = installation.series_name
LEFT JOIN latest ON latest.series_id = known.id
WHERE installation.from_at <= :now
  AND (installation.until_at IS NULL OR installation.until_at > :now)
ORDER BY installation.zone_id, installation.series_name

-- name: last_good
-- The newest value of one series that a person may look at, not older than a day or so.
SELECT observed_at, value, detail
FROM reading
WHERE series_id = :series_id
  AND observed_at > :after
  AND observed_at <= :now
  AND value IS NOT NULL
  AND (detail >> 4) % 4 < 2
ORDER BY observed_at DESC
LIMIT 1

-- name: zone_limits
-- Limits in force at a time.
SELECT id, zone_id, key, kind, quantity, setpoint, deadband, on_delay_s, off_delay_s, max_gap_s,
       severity, citation, version, valid_from
FROM limit_rule
WHERE valid_from <= :now
  AND (valid_until IS NULL OR valid_until > :now)
  AND about = 'goods'
ORDER BY zone_id, key

-- name: open_breaches
-- Breaches that are waiting for their delay or going on.
SELECT breach.key, breach.zone_id, breach.status, breach.onset_at, breach.extreme, breach.extreme_at,
       limit_rule.on_delay_s, limit_rule.key AS limit_key
FROM breach
JOIN limit_rule ON limit_rule.id = breach.limit_id
WHERE breach.current = 1
  AND breach.status IN ('pending', 'active')
  AND limit_rule.about = 'goods'

-- name: breaches_between
-- Breaches of one zone that touch a time range, newest first.
SELECT breach.key, breach.version, breach.status, breach.onset_at, breach.confirmed_at, breach.ended_at,
       breach.extreme, breach.extreme_at, limit_rule.key AS limit_key, limit_rule.kind, limit_rule.setpoint,
       limit_rule.severity, limit_rule.version AS limit_version, limit_rule.on_delay_s
FROM breach
JOIN limit_rule ON limit_rule.id = breach.limit_id
WHERE breach.zone_id = :zone_id
  AND breach.current = 1
  AND breach.status <> 'withdrawn'
  AND limit_rule.about = 'goods'
  AND breach.onset_at < :until_at
  AND (breach.ended_at IS NULL OR breach.ended_at > :from_at)
ORDER BY breach.onset_at DESC

-- name: lots_inside
-- Which lots are in which zone now.
SELECT DISTINCT residence.zone_id, lot.key, lot.quantity_kg
FROM residence
JOIN lot ON lot.id = residence.lot_id
WHERE residence.current = 1
  AND residence.until_at IS NULL

-- name: buckets
-- One series in buckets of equal width; bad readings carry no value and do not count.
SELECT observed_at / :step_ms AS number,
       MIN(value) AS low, AVG(value) AS mean, MAX(value) AS high, COUNT(*) AS readings,
       MAX((detail >> 6) % 2) AS is_time_uncertain
FROM reading
WHERE series_id = :series_id
  AND observed_at >= :from_at
  AND observed_at < :until_at
  AND value IS NOT NULL
  AND (detail >> 4) % 4 < 2
GROUP BY observed_at / :step_ms
ORDER BY number

-- name: unacknowledged_zones
-- Zones with an alarm that nobody has taken yet.
SELECT DISTINCT zone_id FROM alarm WHERE state = 'unacknowledged'

-- name: count_open_alarms
-- Alarms that are true now or wait for a person.
SELECT COUNT(*) AS open FROM alarm WHERE state <> 'normal'

-- name: gateways
-- Gateways with what is known of their clock and their newest batch.
SELECT gateway.id, gateway.name, gateway.first_seen_at, gateway.last_seen_at,
       (SELECT MAX(batch.received_at) FROM batch
        WHERE batch.id = (SELECT MAX(id) FROM batch WHERE gateway_id = gateway.id)) AS last_batch_at,
       (SELECT COUNT(*) FROM batch WHERE batch.gateway_id = gateway.id AND batch.anchored = 0) AS unanchored,
       (SELECT anchor.error_ms FROM anchor WHERE anchor.gateway_id = gateway.id
        ORDER BY anchor.utc_ms DESC LIMIT 1) AS clock_error_ms
FROM gateway
ORDER BY gateway.name

-- name: instrument_points
-- Every point that ever spoke, with its newest value or tag, the zone it is in or looks into, and when it was last heard.
SELECT series.gateway_id, series.device, series.point, series.unit, series.quantity,
       latest.observed_at, latest.received_at, latest.value, latest.detail,
       COALESCE(latest.observed_at,
                (SELECT MAX(sighting.last_at) FROM sighting WHERE sighting.series_id = series.id),
                (SELECT MAX(weighing.observed_at) FROM weighing WHERE weighing.series_id = series.id)) AS seen_at,
       (SELECT sighting.epc FROM sighting WHERE sighting.series_id = series.id
        ORDER BY sighting.id DESC LIMIT 1) AS last_epc,
       zone.key AS zone_key, zone.name_vi AS zone_vi, zone.name_en AS zone_en
FROM series
JOIN gateway ON gateway.id = series.gateway_id
LEFT JOIN latest ON latest.series_id = series.id
LEFT JOIN installation
       ON installation.series_name = gateway.name || '/' || series.device || '/' || series.point
      AND installation.from_at <= :now
      AND (installation.until_at IS NULL OR installation.until_at > :now)
LEFT JOIN zone ON zone.id = COALESCE(
       installation.zone_id,
       (SELECT MIN(read_point.zone_id) FROM read_point
        WHERE read_point.series_name = gateway.name || '/' || series.device || '/' || series.point
          AND read_point.role <> 'outside'
          AND read_point.from_at <= :now
          AND (read_point.until_at IS NULL OR read_point.until_at > :now)))
ORDER BY series.gateway_id, series.device, series.point

-- name: series_of
-- Series of one gateway, or of all.
SELECT series.id, gateway.name AS gateway, series.device, series.point, series.unit
FROM series
JOIN gateway ON gateway.id = series.gateway_id
WHERE CAST(:gateway AS TEXT) IS NULL OR gateway.name = :gateway
ORDER BY gateway.name, series.device, series.point

-- name: readings_of
-- Readings of one series in time order.
SELECT observed_at, value, detail
FROM reading
WHERE series_id = :series_id
  AND observed_at >= :from_at
  AND observed_at < :until_at
ORDER BY observed_at, clock_id

-- name: sightings
-- Sightings in the order in which they were stored.
SELECT gateway.name AS gateway, series.device, series.point, sighting.epc, sighting.observed_at,
       sighting.last_at, sighting.reads, sighting.rssi_dbm, sighting.antenna
FROM sighting
JOIN series ON series.id = sighting.series_id
JOIN gateway ON gateway.id = series.gateway_id
WHERE (CAST(:gateway AS TEXT) IS NULL OR gateway.name = :gateway)
  AND sighting.observed_at >= :from_at
  AND sighting.observed_at < :until_at
ORDER BY sighting.id

-- name: weighings
-- Weighings in the order in which they were stored.
SELECT gateway.name AS gateway, series.device, series.point, weighing.observed_at, weighing.value,
       weighing.decimals, weighing.unit, weighing.mode, weighing.stable_derived
FROM weighing
JOIN series ON series.id = weighing.series_id
JOIN gateway ON gateway.id = series.gateway_id
WHERE (CAST(:gateway AS TEXT) IS NULL OR gateway.name = :gateway)
  AND weighing.observed_at >= :from_at
  AND weighing.observed_at < :until_at
ORDER BY weighing.id

-- name: gaps
-- Gaps that touch a time range; one without a known time touches every range.
SELECT gateway.name AS gateway, gap.reason, gap.from_at, gap.until_at, series.device, series.point, gap.detail
FROM gap
JOIN gateway ON gateway.id = gap.gateway_id
LEFT JOIN series ON series.id = gap.series_id
WHERE (CAST(:gateway AS TEXT) IS NULL OR gateway.name = :gateway)
  AND (gap.from_at IS NULL OR gap.from_at < :until_at)
  AND (gap.until_at IS NULL OR gap.until_at > :from_at)
ORDER BY gap.id

-- name: batch_totals
-- How many batches were ever committed and when the newest came.
SELECT COUNT(*) AS batches, MAX(received_at) AS newest_at FROM batch

-- name: quarantine_by_reason
-- What could not be taken and has not been replayed.
SELECT reason, COUNT(*) AS entries, MAX(received_at) AS newest_at
FROM quarantine
WHERE replayed_at IS NULL
GROUP BY reason
ORDER BY entries DESC

-- name: alarms
-- Alarms with their zone, limit and breach, newest first; one alarm when an id is given.
SELECT alarm.id, alarm.kind, alarm.severity, alarm.state, alarm.onset_at, alarm.raised_at, alarm.returned_at,
       alarm.ack_by, alarm.ack_at, alarm.ack_note, alarm.detected_late, alarm.breach_key AS breach,
       zone.key AS zone, zone.name_vi AS zone_vi, zone.name_en AS zone_en,
       limit_rule.kind AS limit_kind, limit_rule.setpoint AS limit_setpoint,
       limit_rule.on_delay_s AS limit_on_delay_s, limit_rule.version AS limit_version,
       limit_rule.citation AS limit_citation, limit_rule.quantity AS limit_quantity,
       limit_rule.key AS limit_key,
       breach.extreme, breach.extreme_at,
       (SELECT COUNT(DISTINCT residence.lot_id) FROM residence
        WHERE residence.zone_id = alarm.zone_id AND residence.current = 1
          AND residence.from_at < COALESCE(alarm.returned_at, :now)
          AND (residence.until_at IS NULL OR residence.until_at > alarm.onset_at)) AS lots
FROM alarm
JOIN zone ON zone.id = alarm.zone_id
LEFT JOIN breach ON breach.key = alarm.breach_key AND breach.current = 1
LEFT JOIN limit_rule ON limit_rule.id = breach.limit_id
WHERE (CAST(:id AS BIGINT) IS NULL OR alarm.id = :id)
  AND (:only_open = 0 OR alarm.state <> 'normal')
ORDER BY alarm.raised_at DESC, alarm.id DESC
LIMIT :limit

-- name: alarm_events
-- Everything that happened to one alarm, in order.
SELECT at, kind, by, note FROM alarm_event WHERE alarm_id = :alarm_id ORDER BY at, id

-- name: where_lots_are
-- In which zone each of some lots is now, and since when.
SELECT lot.key AS lot, zone.key, zone.name_vi, zone.name_en, residence.from_at
FROM residence
JOIN lot ON lot.id = residence.lot_id
JOIN zone ON zone.id = residence.zone_id
WHERE residence.current = 1
  AND residence.until_at IS NULL
  AND lot.key IN :lots
ORDER BY residence.from_at

-- name: breaches_of_lots
-- How many confirmed breaches each of some lots was in.
SELECT lot.key AS lot, COUNT(DISTINCT breach.key) AS breaches
FROM residence
JOIN lot ON lot.id = residence.lot_id
JOIN breach ON breach.zone_id = residence.zone_id
           AND breach.current = 1
           AND breach.status IN ('active', 'ended')
           AND (residence.until_at IS NULL OR breach.onset_at < residence.until_at)
           AND (breach.ended_at IS NULL OR breach.ended_at > residence.from_at)
JOIN limit_rule ON limit_rule.id = breach.limit_id AND limit_rule.severity <> 'low'
               AND limit_rule.about = 'goods'
WHERE residence.current = 1
  AND lot.key IN :lots
GROUP BY lot.key

-- name: readings_in
-- Readings of one series in a time range, with its full name.
SELECT gateway.name AS gateway, series.device, series.point, series.unit,
       reading.observed_at, reading.value, reading.detail
FROM reading
JOIN series ON series.id = reading.series_id
JOIN gateway ON gateway.id = series.gateway_id
WHERE reading.series_id = :series_id
  AND reading.observed_at >= :from_at
  AND reading.observed_at < :until_at
ORDER BY reading.observed_at
