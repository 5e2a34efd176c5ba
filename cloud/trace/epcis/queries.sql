-- name: insert_event
-- An event enters the books; an ID that is there is refused by the key.
INSERT INTO epcis_event (event_id, is_declaration, event_at, recorded_at, capture_id, body, definitions)
VALUES (:event_id, :is_declaration, :event_at, :recorded_at, :capture_id, :body, :definitions)
RETURNING id

-- name: insert_name
-- What the event names.
INSERT INTO epcis_name (field, value, event)
VALUES (:field, :value, :event)

-- name: events_by_id
-- The event of an ID and, behind it, the declaration that it was wrong.
SELECT id, event_id, is_declaration, event_at, recorded_at, body, definitions
FROM epcis_event
WHERE event_id = :event_id
ORDER BY is_declaration

-- name: newest_event
-- How far the books go.
SELECT COALESCE(MAX(id), 0) FROM epcis_event

-- name: distinct_names
-- What events name in some fields, in order, after a value.
SELECT DISTINCT value
FROM epcis_name
WHERE field IN :fields
  AND value > :after
ORDER BY value
LIMIT :count

-- name: is_named
-- Whether any event names it.
SELECT 1
FROM epcis_name
WHERE field IN :fields
  AND value = :value
LIMIT 1

-- name: insert_capture
-- What became of a document that was handed in.
INSERT INTO epcis_capture (key, created_at, finished_at, behaviour, success, errors, envelope)
VALUES (:key, :created_at, :finished_at, :behaviour, :success, :errors, :envelope)
RETURNING id

-- name: close_capture
-- How it ended.
UPDATE epcis_capture SET success = :success, errors = :errors WHERE id = :id

-- name: capture_by_key
-- One capture job.
SELECT id, key, created_at, finished_at, behaviour, success, errors
FROM epcis_capture
WHERE key = :key

-- name: captures
-- Capture jobs, the newest first, before a number.
SELECT id, key, created_at, finished_at, behaviour, success, errors
FROM epcis_capture
WHERE id < :before
ORDER BY id DESC
LIMIT :count

-- name: insert_query
-- A question that has a name.
INSERT INTO epcis_query (name, parameters, created_at)
VALUES (:name, :parameters, :created_at)
ON CONFLICT (name) DO NOTHING

-- name: query_by_name
-- One named query.
SELECT name, parameters, created_at FROM epcis_query WHERE name = :name

-- name: queries_after
-- Named queries in order, after a name.
SELECT name, parameters, created_at
FROM epcis_query
WHERE name > :after
ORDER BY name
LIMIT :count

-- name: delete_query
-- Nobody asks it any more.
DELETE FROM epcis_query WHERE name = :name

-- name: insert_subscription
-- Somebody wants to be told what a query finds from now on.
INSERT INTO epcis_subscription (key, query, dest, signature_token, schedule, report_if_empty, created_at, after, due_at)
VALUES (:key, :query, :dest, :signature_token, :schedule, :report_if_empty, :created_at, :after, :due_at)

-- name: subscriptions_of_query
-- Who is told.
SELECT id, key, query, dest, signature_token, schedule, report_if_empty, created_at, after, due_at, failures,
       last_notified_at
FROM epcis_subscription
WHERE query = :query
ORDER BY id

-- name: due_subscriptions
-- Who is to be told now.
SELECT id, key, query, dest, signature_token, schedule, report_if_empty, created_at, after, due_at, failures,
       last_notified_at
FROM epcis_subscription
WHERE due_at <= :now
  AND (schedule IS NOT NULL OR after < :newest)
ORDER BY due_at, id

-- name: advance_subscription
-- Told so far, or tried in vain; due again then.
UPDATE epcis_subscription
SET after = :after, due_at = :due_at, failures = :failures, last_notified_at = COALESCE(:notified_at, last_notified_at)
WHERE key = :key

-- name: delete_subscription
-- Tell them no more.
DELETE FROM epcis_subscription WHERE query = :query AND key = :key

-- name: delete_subscriptions
-- A query that is gone has nobody to tell.
DELETE FROM epcis_subscription WHERE query = :query

-- name: told_fact
-- What one of our own facts was told as.
SELECT event_id, digest FROM epcis_told WHERE fact = :fact

-- name: tell_fact
-- Remember as what it was told.
INSERT INTO epcis_told (fact, event_id, digest)
VALUES (:fact, :event_id, :digest)
ON CONFLICT (fact) DO UPDATE SET event_id = excluded.event_id, digest = excluded.digest

-- name: told_facts
-- All that was told, to find what is no more.
SELECT fact, event_id, digest FROM epcis_told WHERE fact LIKE :pattern

-- name: ledger_told_through
-- How far the ledger of goods has been told.
SELECT value FROM setting WHERE key = 'epcis.ledger_told_through'

-- name: note_ledger_told
-- Told so far.
INSERT INTO setting (key, value)
VALUES ('epcis.ledger_told_through', :number)
ON CONFLICT (key) DO UPDATE SET value = excluded.value

-- name: changed_journeys
-- Lots whose way or verdict is understood otherwise than when it was told, or of which a stay has settled since.
SELECT journey.id, journey.key, journey.gtin, journey.state
FROM (
    SELECT lot.id, lot.key, lot.gtin,
           CAST(COUNT(residence.id) AS TEXT) || ':' || CAST(COALESCE(SUM(residence.id), 0) AS TEXT) || ':'
               || CAST(COALESCE(SUM(CASE WHEN residence.until_at <= :settled THEN 1 ELSE 0 END), 0) AS TEXT) || ':'
               || CAST(COALESCE((SELECT MAX(lot_verdict.version) FROM lot_verdict
                                 WHERE lot_verdict.lot_id = lot.id), 0) AS TEXT) AS state
    FROM lot
    LEFT JOIN residence ON residence.lot_id = lot.id AND residence.current = 1
    GROUP BY lot.id, lot.key, lot.gtin
) AS journey
LEFT JOIN epcis_told ON epcis_told.fact = 'journey:' || CAST(journey.id AS TEXT)
WHERE COALESCE(epcis_told.digest, '0:0:0:0') <> journey.state
ORDER BY journey.id
LIMIT :count

-- name: forget_told
-- It is not true any more, and its declaration is in the books.
DELETE FROM epcis_told WHERE fact = :fact

-- name: measured_through
-- Up to when every gateway that is heard of has told what it measured.
SELECT MIN(newest)
FROM (
    SELECT MAX(latest.observed_at) AS newest
    FROM latest
    JOIN series ON series.id = latest.series_id
    JOIN gateway ON gateway.id = series.gateway_id
    WHERE gateway.last_seen_at >= :heard_since
    GROUP BY gateway.id
) AS gateways
