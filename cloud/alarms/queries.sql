-- name: dirty_zones
-- The zones to think over, and each time in which something changed.
SELECT id, zone_id, from_at, until_at
FROM dirty_zone
ORDER BY zone_id, from_at, until_at

-- name: forget_dirty_zone
-- What has been thought over needs it no more.
DELETE FROM dirty_zone WHERE id = :id

-- name: checkpoint_before
-- The last state that no later change can have touched.
SELECT at, state
FROM breach_checkpoint
WHERE zone_id = :zone_id
  AND limit_id = :limit_id
  AND at <= :at
ORDER BY at DESC
LIMIT 1

-- name: checkpoints_after
-- The states that a change before them may have made wrong.
SELECT at, state
FROM breach_checkpoint
WHERE zone_id = :zone_id
  AND limit_id = :limit_id
  AND at > :at
ORDER BY at

-- name: delete_checkpoints
-- Clears the states that a rerun replaces.
DELETE FROM breach_checkpoint
WHERE zone_id = :zone_id
  AND limit_id = :limit_id
  AND at > :after
  AND at < :before

-- name: upsert_checkpoint
-- The state of a watch at one time.
INSERT INTO breach_checkpoint (zone_id, limit_id, at, state)
VALUES (:zone_id, :limit_id, :at, :state)
ON CONFLICT (zone_id, limit_id, at) DO UPDATE SET state = excluded.state

-- name: thin_checkpoints
-- Full hours stay; between them only the newest few are of use.
DELETE FROM breach_checkpoint
WHERE zone_id = :zone_id
  AND limit_id = :limit_id
  AND at % 3600000 <> 0
  AND at NOT IN (
      SELECT at FROM breach_checkpoint
      WHERE zone_id = :zone_id
        AND limit_id = :limit_id
      ORDER BY at DESC
      LIMIT :keep
  )

-- name: stated_breaches
-- What the books say about one limit for breaches that began in a time range.
SELECT key, version, status, onset_at, confirmed_at, confirmed_by, ended_at, extreme, extreme_at
FROM breach
WHERE zone_id = :zone_id
  AND limit_id = :limit_id
  AND current = 1
  AND onset_at >= :from_at
  AND onset_at < :until_at

-- name: retire_breach_version
-- The version so far is history.
UPDATE breach SET current = 0 WHERE key = :key AND current = 1

-- name: insert_breach_version
-- A breach as it is seen now.
INSERT INTO breach (key, version, zone_id, limit_id, status, onset_at, confirmed_at, confirmed_by, ended_at,
                    extreme, extreme_at, computed_at, current)
VALUES (:key, :version, :zone_id, :limit_id, :status, :onset_at, :confirmed_at, :confirmed_by, :ended_at,
        :extreme, :extreme_at, :computed_at, 1)

-- name: grow_breach
-- An open breach got worse.
UPDATE breach
SET extreme = :extreme, extreme_at = :extreme_at, computed_at = :computed_at
WHERE key = :key
  AND current = 1

-- name: alarm_of_breach
-- The alarm that speaks of a breach.
SELECT id, kind, zone_id, state, ack_at
FROM alarm
WHERE breach_key = :breach_key
ORDER BY id DESC
LIMIT 1

-- name: alarm_by_id
-- One alarm.
SELECT id, kind, zone_id, state, ack_at, returned_at
FROM alarm
WHERE id = :id

-- name: open_silence_alarms
-- Alarms of zones from which nothing was heard when last looked.
SELECT id, kind, zone_id, state, ack_at, onset_at
FROM alarm
WHERE kind = 'no_data'
  AND returned_at IS NULL

-- name: newest_batch_beside
-- The last batch that came from the gateway of a series: when it came, and what time it reaches up to.
SELECT batch.received_at, batch.last_at
FROM batch
JOIN series ON series.gateway_id = batch.gateway_id
WHERE series.id = :series_id
ORDER BY batch.id DESC
LIMIT 1

-- name: insert_alarm
-- Somebody is asked to respond.
INSERT INTO alarm (key, kind, zone_id, breach_key, severity, state, raised_at, onset_at, returned_at,
                   detected_late, updated_at)
VALUES (:key, :kind, :zone_id, :breach_key, :severity, :state, :now, :onset_at, :returned_at,
        :detected_late, :now)
RETURNING id

-- name: update_alarm
-- What an alarm says follows the facts.
UPDATE alarm
SET state = :state, breach_key = :breach_key, onset_at = :onset_at, returned_at = :returned_at,
    updated_at = :now
WHERE id = :id

-- name: return_alarm
-- What the alarm told of is over.
UPDATE alarm
SET state = :state, returned_at = :returned_at, updated_at = :now
WHERE id = :id

-- name: acknowledge_alarm
-- A person takes it.
UPDATE alarm
SET state = :state, ack_by = :by, ack_at = :at, ack_note = :note, updated_at = :at
WHERE id = :id

-- name: insert_alarm_event
-- Every change of an alarm, for the record.
INSERT INTO alarm_event (alarm_id, at, kind, "by", note)
VALUES (:alarm_id, :at, :kind, :by, :note)

-- name: setting
-- One fact about the installation itself.
SELECT value FROM setting WHERE key = :key

-- name: set_setting
-- Remembers one fact about the installation itself.
INSERT INTO setting (key, value)
VALUES (:key, :value)
ON CONFLICT (key) DO UPDATE SET value = excluded.value

-- name: alarms
-- Alarms, those that need a person first, the newest first among equals.
SELECT alarm.id, alarm.key, alarm.kind, zone.key AS zone, zone.name_vi, zone.name_en, alarm.breach_key,
       alarm.severity, alarm.state, alarm.raised_at, alarm.onset_at, alarm.returned_at, alarm.ack_by,
       alarm.ack_at, alarm.ack_note, alarm.detected_late
FROM alarm
JOIN zone ON zone.id = alarm.zone_id
WHERE :with_normal = 1 OR alarm.state <> 'normal'
ORDER BY CASE alarm.state
             WHEN 'unacknowledged' THEN 0
             WHEN 'acknowledged' THEN 1
             WHEN 'returned_unacknowledged' THEN 2
             ELSE 3
         END,
         alarm.onset_at DESC
LIMIT :count

-- name: alarm_events
-- The record of one alarm, oldest first.
SELECT at, kind, "by", note
FROM alarm_event
WHERE alarm_id = :alarm_id
ORDER BY at, id

-- name: points_told
-- What is installed in a zone now, with its series and since when.
SELECT series.id AS series_id, installation.series_name AS name, installation.role AS quantity,
       installation.from_at
FROM installation
JOIN gateway ON installation.series_name LIKE gateway.name || '/%'
JOIN series ON series.gateway_id = gateway.id
           AND installation.series_name = gateway.name || '/' || series.device || '/' || series.point
WHERE installation.zone_id = :zone_id
  AND installation.from_at <= :now
  AND (installation.until_at IS NULL OR installation.until_at > :now)
ORDER BY installation.series_name

-- name: readings_told
-- What one series told in a time range, bad readings among it.
SELECT observed_at, value, detail
FROM reading
WHERE series_id = :series_id
  AND observed_at >= :from_at
  AND observed_at < :until_at
ORDER BY observed_at
