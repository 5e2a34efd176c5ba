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
-- Who went into and came out of the transformations that these lots took part in.
SELECT lot_event.event_id, lot_event.kind, lot_event.at, lot_event_item.side, lot.key AS lot,
       lot_event_item.quantity_kg, lot_event_item.pieces
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
