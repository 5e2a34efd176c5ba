-- name: gateway
-- A gateway by the name in its topic.
SELECT id, public_key FROM gateway WHERE name = :name

-- name: enrol_gateway
-- A gateway is met for the first time, or its key is the one on the list now.
INSERT INTO gateway (name, shard, public_key, first_seen_at, last_seen_at)
VALUES (:name, :shard, :public_key, :now, :now)
ON CONFLICT (name) DO UPDATE SET shard = excluded.shard, public_key = excluded.public_key
RETURNING id

-- name: count_gateways
-- How many gateways are known.
SELECT COUNT(*) FROM gateway

-- name: see_gateway
-- Something that only the gateway itself can have said has just arrived.
UPDATE gateway SET last_seen_at = :now, shard = :shard WHERE id = :gateway_id AND last_seen_at < :now

-- name: cursor
-- How far an epoch of a gateway is committed.
SELECT through, hash FROM cursor WHERE gateway_id = :gateway_id AND epoch = :epoch

-- name: current_epoch
-- The epoch that a gateway last spoke of.
SELECT epoch FROM cursor WHERE gateway_id = :gateway_id ORDER BY updated_at DESC, through DESC LIMIT 1

-- name: move_cursor
-- An epoch is committed so far; in the transaction that made it so.
INSERT INTO cursor (gateway_id, epoch, through, hash, updated_at)
VALUES (:gateway_id, :epoch, :through, :hash, :now)
ON CONFLICT (gateway_id, epoch)
DO UPDATE SET through = excluded.through, hash = excluded.hash, updated_at = excluded.updated_at

-- name: recent_cursors
-- Gateways of a shard that were heard lately, with the epoch they last spoke of.
SELECT gateway.name, gateway.shard, cursor.epoch, cursor.through, cursor.hash
FROM gateway
JOIN cursor ON cursor.gateway_id = gateway.id
WHERE gateway.last_seen_at >= :since
  AND cursor.updated_at = (SELECT MAX(newest.updated_at) FROM cursor AS newest WHERE newest.gateway_id = gateway.id)
ORDER BY gateway.last_seen_at DESC
LIMIT :most

-- name: stored_hash
-- The hash of a batch that is stored under a number.
SELECT hash FROM batch WHERE gateway_id = :gateway_id AND epoch = :epoch AND seq = :seq

-- name: insert_batch
-- A batch as it came, byte for byte.
INSERT INTO batch (
    gateway_id, epoch, seq, hash, boot, entries, first_at, last_at, received_at, anchored, payload, boot_last_at, offset_ms
)
VALUES (
    :gateway_id, :epoch, :seq, :hash, :boot, :entries, :first_at, :last_at, :received_at, :anchored, :payload,
    :boot_last_at, :offset_ms
)
RETURNING id

-- name: epochs
-- Every epoch that a gateway has spoken of.
SELECT epoch FROM cursor WHERE gateway_id = :gateway_id

-- name: first_batch
-- The lowest batch of an epoch that is stored.
SELECT id, first_at FROM batch
WHERE gateway_id = :gateway_id AND epoch = :epoch
ORDER BY seq
LIMIT 1

-- name: last_batch_before
-- The last stored batch up to a number.
SELECT payload FROM batch
WHERE gateway_id = :gateway_id AND epoch = :epoch AND seq <= :seq
ORDER BY seq DESC
LIMIT 1

-- name: point_table
-- A point table by its digest.
SELECT body FROM point_table WHERE gateway_id = :gateway_id AND digest = :digest

-- name: count_point_tables
-- How many tables a gateway has given.
SELECT COUNT(*) FROM point_table WHERE gateway_id = :gateway_id

-- name: insert_point_table
-- A table that a gateway was asked for.
INSERT INTO point_table (gateway_id, digest, body) VALUES (:gateway_id, :digest, :body) ON CONFLICT DO NOTHING

-- name: series_of_gateway
-- Every series of a gateway.
SELECT id, device, point, unit, quantity FROM series WHERE gateway_id = :gateway_id

-- name: upsert_series
-- A point becomes a series; its unit is that of the newest table.
INSERT INTO series (gateway_id, device, point, unit, quantity)
VALUES (:gateway_id, :device, :point, :unit, :quantity)
ON CONFLICT (gateway_id, device, point) DO UPDATE SET unit = excluded.unit, quantity = excluded.quantity

-- name: clock
-- One way to turn boot time into UTC, by its content.
SELECT id FROM clock WHERE gateway_id = :gateway_id AND boot = :boot AND offset_ms = :offset_ms

-- name: insert_clock
-- A way to turn boot time into UTC that was not used before.
INSERT INTO clock (gateway_id, boot, offset_ms) VALUES (:gateway_id, :boot, :offset_ms) RETURNING id

-- name: last_offset_of_boot
-- What is known of another boot's time when only batches tell it.
SELECT offset_ms FROM clock WHERE gateway_id = :gateway_id AND boot = :boot ORDER BY id DESC LIMIT 1

-- name: insert_anchor
-- At this boot time it was this UTC; the same anchor again changes nothing.
INSERT INTO anchor (gateway_id, boot, at_ms, utc_ms, error_ms)
VALUES (:gateway_id, :boot, :at_ms, :utc_ms, :error_ms)
ON CONFLICT DO NOTHING

-- name: best_anchor
-- The newest sure anchor of a boot, else the surest; 1,000 ms is SURE_WITHIN_MS of moments.py.
SELECT at_ms, utc_ms, error_ms FROM anchor
WHERE gateway_id = :gateway_id AND boot = :boot
ORDER BY CASE WHEN error_ms <= 1000 THEN 0 ELSE error_ms END, at_ms DESC
LIMIT 1

-- name: offsets_of_boot
-- With which offsets entries of a boot have been placed.
SELECT offset_ms FROM clock WHERE gateway_id = :gateway_id AND boot = :boot

-- name: displace_boot
-- The clock of a boot is known better: what was placed by another anchor, or far off, has to be placed again.
UPDATE batch SET anchored = 0
WHERE gateway_id = :gateway_id AND boot = :boot AND anchored = 1
  AND last_at - boot_last_at <> :offset_ms
  AND (offset_ms IS NULL OR ABS(last_at - boot_last_at - :offset_ms) > :tolerance_ms)

-- name: extent_of_boot
-- The first and the last batch of a boot, and how long it is known to have lasted.
SELECT MIN(id) AS first_id, MAX(id) AS last_id, COALESCE(MAX(boot_last_at), 0) AS duration
FROM batch
WHERE gateway_id = :gateway_id AND boot = :boot

-- name: placed_after
-- The next batch that has its place in time, of a boot that was not heard of before `first_id`.
SELECT boot, first_at, payload FROM batch AS later
WHERE gateway_id = :gateway_id AND id > :last_id AND first_at IS NOT NULL
  AND NOT EXISTS (
      SELECT 1 FROM batch AS earlier
      WHERE earlier.gateway_id = later.gateway_id AND earlier.boot = later.boot AND earlier.id < :first_id
  )
ORDER BY id
LIMIT 1

-- name: end_before
-- When the boot ended that was told of before a batch; an old card may have told only a part of it last.
SELECT last_at FROM batch
WHERE gateway_id = :gateway_id AND last_at IS NOT NULL
  AND boot = (
      SELECT boot FROM batch
      WHERE gateway_id = :gateway_id AND id < :id AND last_at IS NOT NULL
      ORDER BY id DESC
      LIMIT 1
  )
ORDER BY boot_last_at DESC
LIMIT 1

-- name: waiting_boots
-- Boots with batches that have no place in time yet, and whether an anchor would give them one.
SELECT DISTINCT batch.gateway_id, batch.boot,
       EXISTS (
           SELECT 1 FROM anchor WHERE anchor.gateway_id = batch.gateway_id AND anchor.boot = batch.boot
       ) AS is_anchored
FROM batch
WHERE batch.anchored = 0

-- name: waiting_batches
-- The oldest batches of a boot that have no place in time yet.
SELECT batch.id, batch.payload, batch.first_at, gateway.name
FROM batch
JOIN gateway ON gateway.id = batch.gateway_id
WHERE batch.anchored = 0 AND batch.gateway_id = :gateway_id AND batch.boot = :boot
ORDER BY batch.id
LIMIT :most

-- name: place_batch
-- A waiting batch has got its place in time.
UPDATE batch SET anchored = 1, first_at = :first_at, last_at = :last_at WHERE id = :id

-- name: reason_id
-- A reason by its name.
SELECT id FROM reason WHERE name = :name

-- name: insert_reason
-- A reason that was not given before.
INSERT INTO reason (name) VALUES (:name) RETURNING id

-- name: insert_sighting
-- An EPC was seen; the same sighting again changes nothing.
INSERT INTO sighting (series_id, epc, observed_at, last_at, reads, rssi_dbm, antenna, clock_id, batch_id)
VALUES (:series_id, :epc, :observed_at, :last_at, :reads, :rssi_dbm, :antenna, :clock_id, :batch_id)
ON CONFLICT DO NOTHING

-- name: insert_weighing
-- A weight was taken; the same weighing again changes nothing.
INSERT INTO weighing (series_id, observed_at, clock_id, value, decimals, unit, mode, stable_derived, batch_id)
VALUES (:series_id, :observed_at, :clock_id, :value, :decimals, :unit, :mode, :stable_derived, :batch_id)
ON CONFLICT DO NOTHING

-- name: insert_gap
-- Time of which nothing is known, and why.
INSERT INTO gap (gateway_id, reason, from_at, until_at, series_id, detail, batch_id)
VALUES (:gateway_id, :reason, :from_at, :until_at, :series_id, :detail, :batch_id)
RETURNING id

-- name: same_gap
-- The same gap, told before in an epoch that ended.
SELECT 1 FROM gap
WHERE gateway_id = :gateway_id AND reason = :reason AND detail = :detail
  AND COALESCE(from_at, -1) = COALESCE(:from_at, -1)
  AND COALESCE(until_at, -1) = COALESCE(:until_at, -1)
  AND COALESCE(series_id, -1) = COALESCE(:series_id, -1)
LIMIT 1

-- name: begin_gap
-- A gap has got its beginning.
UPDATE gap SET from_at = :from_at WHERE id = :id

-- name: end_gap
-- A gap has got its end.
UPDATE gap SET until_at = :until_at WHERE id = :id

-- name: tie_gap_end
-- An end of a gap goes with the time of a boot.
INSERT INTO gap_end (gap_id, is_until, gateway_id, boot, at_ms, is_sure)
VALUES (:gap_id, :is_until, :gateway_id, :boot, :at_ms, :is_sure)
ON CONFLICT DO NOTHING

-- name: boots_of_unsure_gap_ends
-- Boots for whose time, or better time, an end of a gap waits.
SELECT DISTINCT gateway_id, boot FROM gap_end WHERE is_sure = 0

-- name: gap_ends_of_boot
-- Ends of gaps that go with the time of a boot.
SELECT gap_id, is_until, at_ms FROM gap_end WHERE gateway_id = :gateway_id AND boot = :boot

-- name: settle_gap_ends
-- They have got a time, sure or not.
UPDATE gap_end SET is_sure = :is_sure WHERE gateway_id = :gateway_id AND boot = :boot

-- name: close_gap
-- A gap that was told while it was still open has got its end.
UPDATE gap SET until_at = :until_at, detail = :detail
WHERE gateway_id = :gateway_id AND reason = :reason AND from_at = :from_at AND until_at IS NULL
  AND (series_id = :series_id OR (series_id IS NULL AND :series_id IS NULL))

-- name: open_losses
-- Gaps that the ingest itself declared and whose end is not known yet.
SELECT gap.id FROM gap
LEFT JOIN gap_end ON gap_end.gap_id = gap.id AND gap_end.is_until = 1
WHERE gap.gateway_id = :gateway_id AND gap.batch_id IS NULL AND gap.until_at IS NULL AND gap_end.gap_id IS NULL
  AND gap.reason IN ('not_kept', 'thinned', 'buffer_corrupt')

-- name: take_back_readings
-- Readings of a batch that were placed by a wrong clock.
DELETE FROM reading
WHERE series_id = :series_id AND observed_at BETWEEN :first AND :last AND clock_id = :clock_id AND batch_id = :batch_id

-- name: take_back_sighting
-- A sighting that was placed by a wrong clock.
DELETE FROM sighting
WHERE series_id = :series_id AND epc = :epc AND antenna = :antenna AND observed_at = :observed_at
  AND last_at = :last_at AND batch_id = :batch_id

-- name: take_back_weighing
-- A weighing that was placed by a wrong clock.
DELETE FROM weighing
WHERE series_id = :series_id AND observed_at = :observed_at AND clock_id = :clock_id AND batch_id = :batch_id

-- name: take_back_gap_ends
-- They go with their gaps.
DELETE FROM gap_end WHERE gap_id IN (SELECT id FROM gap WHERE gateway_id = :gateway_id AND batch_id = :batch_id)

-- name: take_back_gaps
-- Gaps that a batch declared, to be placed again with it.
DELETE FROM gap WHERE gateway_id = :gateway_id AND batch_id = :batch_id

-- name: forget_latest
-- What was shown as newest has been taken back.
DELETE FROM latest WHERE series_id = :series_id AND observed_at BETWEEN :first AND :last

-- name: find_latest
-- The newest reading that is left of a series, unless it is from the future.
INSERT INTO latest (series_id, observed_at, value, detail, received_at)
SELECT reading.series_id, reading.observed_at, reading.value, reading.detail, :now
FROM reading
WHERE reading.series_id = :series_id AND reading.observed_at <= :horizon
ORDER BY reading.observed_at DESC
LIMIT 1
ON CONFLICT DO NOTHING

-- name: readings_of_batch_instant
-- What is stored at the instants that a batch wanted for its own.
SELECT observed_at, value, detail FROM reading
WHERE series_id = :series_id AND clock_id = :clock_id AND observed_at >= :first AND observed_at <= :last

-- name: installations
-- Which points are in which zones, and when.
SELECT series_name, zone_id, from_at, until_at FROM installation

-- name: mark_zone
-- A zone has new readings in this time.
INSERT INTO dirty_zone (zone_id, from_at, until_at) VALUES (:zone_id, :from_at, :until_at)

-- name: mark_carrier
-- A carrier was seen from this time on.
INSERT INTO dirty_carrier (epc, from_at) VALUES (:epc, :from_at)

-- name: count_quarantine
-- How much lies in quarantine, for one gateway and in all.
SELECT (SELECT COUNT(*) FROM quarantine WHERE gateway = :gateway) AS of_gateway,
       (SELECT COUNT(*) FROM quarantine) AS in_all

-- name: insert_quarantine
-- Bytes that could not be taken, kept as they came.
INSERT INTO quarantine (gateway, topic, reason, payload, received_at)
VALUES (:gateway, :topic, :reason, :payload, :now)
