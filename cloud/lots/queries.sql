-- name: insert_product
-- A trade item; the name given last stands.
INSERT INTO product (gtin, name_vi, name_en)
VALUES (:gtin, :name_vi, :name_en)
ON CONFLICT (gtin) DO UPDATE SET name_vi = excluded.name_vi, name_en = excluded.name_en

-- name: insert_lot
-- A lot enters the books; the same key again changes nothing.
INSERT INTO lot (key, gtin, name_vi, name_en, quantity_kg, created_at, recorded_at)
VALUES (:key, :gtin, :name_vi, :name_en, :quantity_kg, :created_at, :recorded_at)
ON CONFLICT (key) DO NOTHING

-- name: lot_by_key
-- One lot.
SELECT id, key, gtin, name_vi, name_en, quantity_kg, created_at, recorded_at
FROM lot
WHERE key = :key

-- name: find_lots
-- Lots whose number or name has a text in it, the newest first.
SELECT id, key, gtin, name_vi, name_en, quantity_kg, created_at, recorded_at
FROM lot
WHERE LOWER(key) LIKE :pattern ESCAPE '!'
   OR LOWER(name_vi) LIKE :pattern ESCAPE '!'
   OR LOWER(name_en) LIKE :pattern ESCAPE '!'
   OR gtin LIKE :pattern ESCAPE '!'
ORDER BY created_at DESC, id DESC
LIMIT :count OFFSET :offset

-- name: count_lots
-- How many lots a search finds.
SELECT COUNT(*)
FROM lot
WHERE LOWER(key) LIKE :pattern ESCAPE '!'
   OR LOWER(name_vi) LIKE :pattern ESCAPE '!'
   OR LOWER(name_en) LIKE :pattern ESCAPE '!'
   OR gtin LIKE :pattern ESCAPE '!'

-- name: insert_carrier
-- A crate, rack or pallet with a tag; the same tag again changes nothing.
INSERT INTO carrier (epc, kind, name, recorded_at)
VALUES (:epc, :kind, :name, :recorded_at)
ON CONFLICT (epc) DO NOTHING

-- name: carrier_by_epc
-- One carrier by its tag.
SELECT id, epc, kind, name
FROM carrier
WHERE epc = :epc

-- name: loads_of_carrier
-- What a carrier held, and when.
SELECT carrier_load.id, carrier_load.lot_id, lot.key AS lot, carrier_load.from_at, carrier_load.until_at
FROM carrier_load
JOIN lot ON lot.id = carrier_load.lot_id
WHERE carrier_load.carrier_id = :carrier_id
ORDER BY carrier_load.from_at

-- name: insert_load
-- A lot, or a part of it, goes into a carrier.
INSERT INTO carrier_load (carrier_id, lot_id, from_at, recorded_at)
VALUES (:carrier_id, :lot_id, :from_at, :recorded_at)

-- name: close_load
-- The carrier is emptied.
UPDATE carrier_load SET until_at = :until_at, until_recorded_at = :recorded_at WHERE id = :id

-- name: loads_of_lot
-- The carriers that held a lot, and when.
SELECT carrier_load.carrier_id, carrier.epc, carrier.kind, carrier.name, carrier_load.from_at,
       carrier_load.until_at
FROM carrier_load
JOIN carrier ON carrier.id = carrier_load.carrier_id
WHERE carrier_load.lot_id = :lot_id
ORDER BY carrier_load.from_at, carrier_load.carrier_id

-- name: loads_known
-- The carriers that held a lot, and when, as known at a time.
SELECT carrier_load.carrier_id, carrier.epc, carrier_load.from_at,
       CASE WHEN COALESCE(carrier_load.until_recorded_at, 0) <= :known_at THEN carrier_load.until_at END AS until_at
FROM carrier_load
JOIN carrier ON carrier.id = carrier_load.carrier_id
WHERE carrier_load.lot_id = :lot_id
  AND carrier_load.recorded_at <= :known_at
ORDER BY carrier_load.from_at, carrier_load.carrier_id

-- name: lot_by_id
-- One lot by its number in the database.
SELECT id, key, gtin, name_vi, name_en, quantity_kg, created_at, recorded_at FROM lot WHERE id = :lot_id

-- name: event_bodies
-- What happened to a lot, as known at a time; what was corrected is left out.
SELECT lot_event.body
FROM lot_event
WHERE lot_event.id IN (SELECT event FROM lot_event_item WHERE lot_id = :lot_id)
  AND lot_event.recorded_at <= :known_at
  AND NOT EXISTS (SELECT 1 FROM lot_event AS correction
                  WHERE correction.corrects = lot_event.event_id AND correction.recorded_at <= :known_at)
ORDER BY lot_event.at, lot_event.event_id

-- name: find_lot_move
-- Whether a person has said this before.
SELECT id
FROM lot_move
WHERE at = :at
  AND "by" = :by
  AND (lot_id = :lot_id OR carrier_id = :carrier_id)
  AND (zone_id = :zone_id OR (zone_id IS NULL AND :has_left = 1))

-- name: insert_lot_move
-- A person says where a lot or a carrier is.
INSERT INTO lot_move (lot_id, carrier_id, zone_id, at, "by", recorded_at)
VALUES (:lot_id, :carrier_id, :zone_id, :at, :by, :recorded_at)

-- name: moves_of_lot
-- What people said about where a lot is.
SELECT at, zone_id FROM lot_move WHERE lot_id = :lot_id AND recorded_at <= :known_at ORDER BY at

-- name: moves_of_carrier
-- What people said about where a carrier is.
SELECT at, zone_id FROM lot_move WHERE carrier_id = :carrier_id AND recorded_at <= :known_at ORDER BY at

-- name: sightings_of_carrier
-- What readers saw of a carrier, with the place of the antenna at that time.
SELECT sighting.observed_at, sighting.last_at, read_point.series_name, read_point.role, read_point.zone_id,
       COALESCE(inner_side.zone_id, read_point.zone_id) AS inside_zone_id
FROM sighting
JOIN series ON series.id = sighting.series_id
JOIN gateway ON gateway.id = series.gateway_id
JOIN read_point ON read_point.series_name = gateway.name || '/' || series.device || '/' || series.point
               AND read_point.antenna = sighting.antenna
               AND read_point.from_at <= sighting.observed_at
               AND (read_point.until_at IS NULL OR read_point.until_at > sighting.observed_at)
LEFT JOIN read_point AS inner_side
       ON inner_side.series_name = read_point.series_name
      AND inner_side.role = 'inside'
      AND inner_side.from_at <= sighting.observed_at
      AND (inner_side.until_at IS NULL OR inner_side.until_at > sighting.observed_at)
JOIN batch ON batch.id = sighting.batch_id
WHERE sighting.epc = :epc
  AND batch.received_at <= :known_at
ORDER BY sighting.observed_at

-- name: dirty_carriers
-- The carriers of which something new was seen.
SELECT epc, MAX(id) AS last_id
FROM dirty_carrier
GROUP BY epc
ORDER BY epc

-- name: forget_dirty_carrier
-- What has been understood needs it no more.
DELETE FROM dirty_carrier WHERE epc = :epc AND id <= :last_id

-- name: lots_of_carrier
-- The lots that a carrier ever held.
SELECT DISTINCT carrier_load.lot_id
FROM carrier_load
JOIN carrier ON carrier.id = carrier_load.carrier_id
WHERE carrier.epc = :epc

-- name: current_residences
-- Where a lot was and is, as far as is known now.
SELECT id, carrier_id, zone_id, from_at, until_at
FROM residence
WHERE lot_id = :lot_id
  AND current = 1
ORDER BY from_at, id

-- name: newest_residence_version
-- How often a lot's way has been understood.
SELECT COALESCE(MAX(version), 0) FROM residence WHERE lot_id = :lot_id

-- name: mark_lot_dirty
-- What follows from where a lot was has to be thought over.
INSERT INTO dirty_lot (lot_id) VALUES (:lot_id)

-- name: retire_residence
-- Understood otherwise now.
UPDATE residence SET current = 0 WHERE id = :id

-- name: insert_residence
-- A lot, or the part of it in one carrier, in a zone.
INSERT INTO residence (lot_id, carrier_id, zone_id, from_at, until_at, version, current)
VALUES (:lot_id, :carrier_id, :zone_id, :from_at, :until_at, :version, 1)

-- name: minutes_between
-- One series minute by minute: the extremes, and what the mean is made of. Bad readings say nothing.
SELECT observed_at / 60000 * 60000 AS minute, MIN(value) AS low, MAX(value) AS high, SUM(value) AS total,
       COUNT(*) AS readings
FROM reading
WHERE series_id = :series_id
  AND observed_at >= :from_at
  AND observed_at < :until_at
  AND value IS NOT NULL
  AND (detail >> 4 & 3) < 2
GROUP BY observed_at / 60000
ORDER BY minute

-- name: breaches_between
-- Confirmed breaches of a zone that overlap a time range.
SELECT breach.key, breach.status, breach.onset_at, breach.confirmed_at, breach.ended_at, breach.extreme,
       breach.extreme_at, limit_rule.key AS limit_key, limit_rule.kind, limit_rule.setpoint,
       limit_rule.severity
FROM breach
JOIN limit_rule ON limit_rule.id = breach.limit_id
WHERE breach.zone_id = :zone_id
  AND breach.current = 1
  AND limit_rule.quantity IN ('air_temperature', 'core_temperature')
  AND breach.status IN ('active', 'ended')
  AND limit_rule.about = 'goods'
  AND breach.onset_at < :until_at
  AND (breach.ended_at IS NULL OR breach.ended_at > :from_at)
ORDER BY breach.onset_at

-- name: minutes_known
-- The same, of what had been received by a time.
SELECT reading.observed_at / 60000 * 60000 AS minute, MIN(reading.value) AS low, MAX(reading.value) AS high,
       SUM(reading.value) AS total, COUNT(*) AS readings
FROM reading
JOIN batch ON batch.id = reading.batch_id
WHERE reading.series_id = :series_id
  AND reading.observed_at >= :from_at
  AND reading.observed_at < :until_at
  AND reading.value IS NOT NULL
  AND (reading.detail >> 4 & 3) < 2
  AND batch.received_at <= :known_at
GROUP BY reading.observed_at / 60000
ORDER BY minute

-- name: breaches_known
-- The same, as they were seen at a time; an open one grows without a new version, so its confirmation counts, too.
SELECT breach.key, breach.status, breach.onset_at, breach.confirmed_at, breach.ended_at,
       CASE WHEN breach.extreme_at <= :known_at THEN breach.extreme END AS extreme,
       breach.extreme_at, limit_rule.key AS limit_key, limit_rule.kind, limit_rule.setpoint, limit_rule.severity
FROM breach
JOIN limit_rule ON limit_rule.id = breach.limit_id
WHERE breach.zone_id = :zone_id
  AND limit_rule.quantity IN ('air_temperature', 'core_temperature')
  AND breach.status IN ('active', 'ended')
  AND breach.onset_at < :until_at
  AND (breach.ended_at IS NULL OR breach.ended_at > :from_at)
  AND breach.version = (SELECT MAX(seen.version) FROM breach AS seen
                        WHERE seen.key = breach.key
                          AND (seen.computed_at <= :known_at
                               OR (seen.status = 'active' AND seen.confirmed_at <= :known_at)))
ORDER BY breach.onset_at

-- name: breach_by_key
-- One breach as it is seen now.
SELECT zone_id, onset_at, ended_at
FROM breach
WHERE key = :key
  AND current = 1
  AND status <> 'withdrawn'

-- name: lots_in_zone
-- Lots that were in a zone during a time range, in the order in which they came.
SELECT lot.key, lot.name_vi, lot.name_en, lot.quantity_kg, MIN(residence.from_at) AS from_at,
       CASE WHEN COUNT(residence.until_at) = COUNT(*) THEN MAX(residence.until_at) END AS until_at
FROM residence
JOIN lot ON lot.id = residence.lot_id
WHERE residence.zone_id = :zone_id
  AND residence.current = 1
  AND residence.from_at < :until_at
  AND (residence.until_at IS NULL OR residence.until_at > :from_at)
GROUP BY lot.id, lot.key, lot.name_vi, lot.name_en, lot.quantity_kg
ORDER BY MIN(residence.from_at), lot.key
