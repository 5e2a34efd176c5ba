-- name: insert_event
-- Something happened to goods; the same id again changes nothing.
INSERT INTO lot_event (event_id, kind, at, recorded_at, zone_id, carrier_id, "by", reason, biz_step,
                       disposition, breach_key, corrects, body, digest)
VALUES (:event_id, :kind, :at, :recorded_at, :zone_id, :carrier_id, :by, :reason, :biz_step,
        :disposition, :breach_key, :corrects, :body, :digest)
ON CONFLICT (event_id) DO NOTHING
RETURNING id

-- name: insert_item
-- How much of a lot took part, and on which side.
INSERT INTO lot_event_item (event, side, lot_id, position, quantity_kg, pieces)
VALUES (:event, :side, :lot_id, :position, :quantity_kg, :pieces)

-- name: event_by_id
-- One event, with the moment at which its correction became known.
SELECT lot_event.id, lot_event.recorded_at, lot_event.body, lot_event.digest,
       (SELECT MIN(correction.recorded_at) FROM lot_event AS correction
        WHERE correction.corrects = lot_event.event_id) AS corrected_at
FROM lot_event
WHERE lot_event.event_id = :event_id

-- name: events_of_lot
-- All that happened to a lot, in the order in which it happened.
SELECT lot_event.id, lot_event.recorded_at, lot_event.body,
       (SELECT MIN(correction.recorded_at) FROM lot_event AS correction
        WHERE correction.corrects = lot_event.event_id) AS corrected_at
FROM lot_event
WHERE lot_event.id IN (SELECT event FROM lot_event_item WHERE lot_id = :lot_id)
ORDER BY lot_event.at, lot_event.event_id

-- name: events_after
-- Events in the order of their arrival, after a number.
SELECT lot_event.id, lot_event.recorded_at, lot_event.body,
       (SELECT MIN(correction.recorded_at) FROM lot_event AS correction
        WHERE correction.corrects = lot_event.event_id) AS corrected_at
FROM lot_event
WHERE lot_event.id > :after
ORDER BY lot_event.id
LIMIT :count

-- name: lots_of_event
-- The lots that took part.
SELECT DISTINCT lot_event_item.lot_id
FROM lot_event_item
JOIN lot_event ON lot_event.id = lot_event_item.event
WHERE lot_event.event_id = :event_id
ORDER BY lot_event_item.lot_id

-- name: ancestors
-- Every lot that these lots were made of, however far back; what was corrected does not count.
WITH RECURSIVE family (lot_id) AS (
    SELECT id FROM lot WHERE id IN :lots
    UNION
    SELECT parent.lot_id
    FROM family
    JOIN lot_event_item AS child ON child.lot_id = family.lot_id AND child.side = 'output'
    JOIN lot_event_item AS parent ON parent.event = child.event AND parent.side = 'input'
    JOIN lot_event ON lot_event.id = child.event
    WHERE lot_event.recorded_at <= :known_at
      AND NOT EXISTS (SELECT 1 FROM lot_event AS correction
                      WHERE correction.corrects = lot_event.event_id AND correction.recorded_at <= :known_at)
)
SELECT lot_id FROM family

-- name: descendants
-- Every lot that was made of these lots, however far on; what was corrected does not count.
WITH RECURSIVE family (lot_id) AS (
    SELECT id FROM lot WHERE id IN :lots
    UNION
    SELECT child.lot_id
    FROM family
    JOIN lot_event_item AS parent ON parent.lot_id = family.lot_id AND parent.side = 'input'
    JOIN lot_event_item AS child ON child.event = parent.event AND child.side = 'output'
    JOIN lot_event ON lot_event.id = parent.event
    WHERE lot_event.recorded_at <= :known_at
      AND NOT EXISTS (SELECT 1 FROM lot_event AS correction
                      WHERE correction.corrects = lot_event.event_id AND correction.recorded_at <= :known_at)
)
SELECT lot_id FROM family

-- name: transformations_among
-- Who went into and came out of the transformations of these lots; without a weight a lot took part as a whole.
SELECT lot_event.event_id, lot_event.kind, lot_event.at, lot_event_item.side, lot.key AS lot,
       COALESCE(lot_event_item.quantity_kg, lot.quantity_kg) AS quantity_kg, lot_event_item.pieces
FROM lot_event
JOIN lot_event_item ON lot_event_item.event = lot_event.id
JOIN lot ON lot.id = lot_event_item.lot_id
WHERE lot_event.id IN (SELECT event FROM lot_event_item WHERE lot_id IN :lots AND side IN ('input', 'output'))
  AND lot_event.recorded_at <= :known_at
  AND NOT EXISTS (SELECT 1 FROM lot_event AS correction
                  WHERE correction.corrects = lot_event.event_id AND correction.recorded_at <= :known_at)
ORDER BY lot_event.at, lot_event.event_id, lot_event_item.side, lot_event_item.position

-- name: lots_by_ids
-- Lots by their numbers in the database.
SELECT id, key, gtin, name_vi, name_en, quantity_kg, created_at, recorded_at
FROM lot
WHERE id IN :lots
ORDER BY created_at, key

-- name: decisions_about
-- Holds and what lifts or confirms them, for some lots; what was corrected is left out.
SELECT lot_event_item.lot_id, lot_event.body
FROM lot_event_item
JOIN lot_event ON lot_event.id = lot_event_item.event
WHERE lot_event_item.lot_id IN :lots
  AND lot_event_item.side = 'subject'
  AND lot_event.kind IN ('hold', 'release', 'reject', 'downgrade', 'recall', 'destroy')
  AND lot_event.recorded_at <= :known_at
  AND NOT EXISTS (SELECT 1 FROM lot_event AS correction
                  WHERE correction.corrects = lot_event.event_id AND correction.recorded_at <= :known_at)

-- name: shipments_of
-- What of some lots left for whom; what was corrected is left out.
SELECT lot_event_item.lot_id, lot.key AS lot, COALESCE(lot_event_item.quantity_kg, lot.quantity_kg) AS quantity_kg,
       lot_event.body
FROM lot_event_item
JOIN lot_event ON lot_event.id = lot_event_item.event
JOIN lot ON lot.id = lot_event_item.lot_id
WHERE lot_event_item.lot_id IN :lots
  AND lot_event_item.side = 'subject'
  AND lot_event.kind = 'ship'
  AND lot_event.recorded_at <= :known_at
  AND NOT EXISTS (SELECT 1 FROM lot_event AS correction
                  WHERE correction.corrects = lot_event.event_id AND correction.recorded_at <= :known_at)
ORDER BY lot_event.at, lot_event.event_id

-- name: breaches_met
-- Breaches that ask for a decision, and the lots that were there: open ones, those with a new version, those of some lots.
SELECT DISTINCT residence.lot_id, lot.key AS lot, breach.key, zone.key AS zone, limit_rule.key AS limit_key,
       CASE WHEN residence.from_at > breach.onset_at THEN residence.from_at ELSE breach.onset_at END AS since
FROM breach
JOIN limit_rule ON limit_rule.id = breach.limit_id
JOIN zone ON zone.id = breach.zone_id
JOIN residence ON residence.zone_id = breach.zone_id
              AND residence.current = 1
              AND (residence.until_at IS NULL OR residence.until_at > breach.onset_at)
              AND (breach.ended_at IS NULL OR breach.ended_at > residence.from_at)
JOIN lot ON lot.id = residence.lot_id
WHERE breach.current = 1
  AND breach.status IN ('active', 'ended')
  AND limit_rule.severity IN ('medium', 'high')
  AND limit_rule.quantity IN ('air_temperature', 'core_temperature')
  AND (breach.ended_at IS NULL OR breach.id > :after OR residence.lot_id IN :lots)

-- name: breaches_met_by
-- Breaches that ask for a decision and that some lots were in.
SELECT DISTINCT residence.lot_id, lot.key AS lot, breach.key, zone.key AS zone, limit_rule.key AS limit_key,
       CASE WHEN residence.from_at > breach.onset_at THEN residence.from_at ELSE breach.onset_at END AS since
FROM residence
JOIN breach ON breach.zone_id = residence.zone_id
           AND breach.current = 1
           AND breach.status IN ('active', 'ended')
           AND (residence.until_at IS NULL OR residence.until_at > breach.onset_at)
           AND (breach.ended_at IS NULL OR breach.ended_at > residence.from_at)
JOIN limit_rule ON limit_rule.id = breach.limit_id
JOIN zone ON zone.id = breach.zone_id
JOIN lot ON lot.id = residence.lot_id
WHERE residence.lot_id IN :lots
  AND residence.current = 1
  AND limit_rule.severity IN ('medium', 'high')
  AND limit_rule.quantity IN ('air_temperature', 'core_temperature')

-- name: newest_breach
-- The newest version of any breach.
SELECT COALESCE(MAX(id), 0) FROM breach

-- name: held_about
-- Lots that were held for a breach before, whatever became of it.
SELECT lot_event_item.lot_id
FROM lot_event
JOIN lot_event_item ON lot_event_item.event = lot_event.id
WHERE lot_event.breach_key = :breach
  AND lot_event.kind = 'hold'

-- name: lots_inside
-- Which of some lots are in a zone now.
SELECT DISTINCT lot_id FROM residence WHERE lot_id IN :lots AND current = 1 AND until_at IS NULL

-- name: places_of
-- Where some lots are now.
SELECT residence.lot_id, zone.key, zone.name_vi, zone.name_en, MIN(residence.from_at) AS since
FROM residence
JOIN zone ON zone.id = residence.zone_id
WHERE residence.lot_id IN :lots
  AND residence.current = 1
  AND residence.until_at IS NULL
GROUP BY residence.lot_id, zone.id, zone.key, zone.name_vi, zone.name_en

-- name: breach_facts
-- One breach with its zone and limit, as it is seen now.
SELECT breach.key, breach.zone_id, zone.key AS zone, zone.name_vi, zone.name_en, breach.status, breach.onset_at,
       breach.ended_at, breach.extreme, limit_rule.kind, limit_rule.setpoint
FROM breach
JOIN zone ON zone.id = breach.zone_id
JOIN limit_rule ON limit_rule.id = breach.limit_id
WHERE breach.key = :key
  AND breach.current = 1
  AND breach.status <> 'withdrawn'

-- name: setting
-- One kept value.
SELECT value FROM setting WHERE key = :key

-- name: keep_setting
-- Keeps one value.
INSERT INTO setting (key, value) VALUES (:key, :value)
ON CONFLICT (key) DO UPDATE SET value = excluded.value

-- name: dirty_lots
-- Lots about which something is known anew.
SELECT id, lot_id FROM dirty_lot ORDER BY id

-- name: forget_dirty_lots
-- What has been thought over needs it no more.
DELETE FROM dirty_lot WHERE id <= :through

-- name: food_plan_at
-- The food plan that held at a time, as known at a time.
SELECT body, digest
FROM food_plan
WHERE from_at <= :at
  AND recorded_at <= :known_at
ORDER BY id DESC
LIMIT 1

-- name: insert_food_plan
-- A plan to judge by from a time on.
INSERT INTO food_plan (body, digest, from_at, recorded_at) VALUES (:body, :digest, :from_at, :recorded_at)

-- name: cores_of
-- Core temperatures taken of some lots; what was corrected is left out.
SELECT lot.key AS lot, lot_event.at, lot_event.body
FROM lot_event_item
JOIN lot_event ON lot_event.id = lot_event_item.event
JOIN lot ON lot.id = lot_event_item.lot_id
WHERE lot_event_item.lot_id IN :lots
  AND lot_event_item.side = 'subject'
  AND lot_event.kind = 'measure'
  AND lot_event.recorded_at <= :known_at
  AND NOT EXISTS (SELECT 1 FROM lot_event AS correction
                  WHERE correction.corrects = lot_event.event_id AND correction.recorded_at <= :known_at)
ORDER BY lot_event.at, lot_event.event_id

-- name: mark_late_lots
-- Lots with a final verdict that were in a zone of which something new has come to be known.
INSERT INTO dirty_lot (lot_id)
SELECT DISTINCT residence.lot_id
FROM dirty_zone
JOIN residence ON residence.zone_id = dirty_zone.zone_id
              AND residence.current = 1
              AND residence.from_at <= dirty_zone.until_at + :grace
              AND residence.until_at >= dirty_zone.from_at
JOIN lot_verdict ON lot_verdict.lot_id = residence.lot_id AND lot_verdict.current = 1

-- name: mark_lot
-- One lot has to be thought over.
INSERT INTO dirty_lot (lot_id) VALUES (:lot_id)

-- name: watermarks_of_zone
-- How far the gateways that measured a zone have delivered, and what of theirs still has no time.
SELECT gateway.id,
       (SELECT COUNT(*) FROM batch WHERE batch.gateway_id = gateway.id AND batch.anchored = 0) AS waiting,
       (SELECT MAX(batch.last_at)
        FROM cursor
        JOIN batch ON batch.gateway_id = cursor.gateway_id AND batch.epoch = cursor.epoch AND batch.seq = cursor.through
        WHERE cursor.gateway_id = gateway.id) AS through_at
FROM gateway
WHERE EXISTS (SELECT 1 FROM installation
              WHERE installation.series_name LIKE gateway.name || '/%'
                AND installation.zone_id = :zone_id
                AND installation.role = 'air_temperature'
                AND installation.from_at < :until_at
                AND (installation.until_at IS NULL OR installation.until_at > :from_at))

-- name: verdicts_of
-- All final verdicts of a lot, as known at a time.
SELECT version, outcome, reason, digest, computed_at
FROM lot_verdict
WHERE lot_id = :lot_id
  AND computed_at <= :known_at
ORDER BY version

-- name: lots_with_verdict
-- Which of some lots are final.
SELECT lot_id FROM lot_verdict WHERE lot_id IN :lots AND current = 1

-- name: retire_verdict
-- Judged otherwise now.
UPDATE lot_verdict SET current = 0 WHERE lot_id = :lot_id AND current = 1

-- name: insert_verdict
-- What can be said of a lot for good, as far as is known.
INSERT INTO lot_verdict (lot_id, version, outcome, reason, digest, body, computed_at, current)
VALUES (:lot_id, :version, :outcome, :reason, :digest, :body, :computed_at, 1)
