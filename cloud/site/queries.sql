-- name: zones
-- Every zone in the order of the wall.
SELECT id, site_id, key, name_vi, name_en, position
FROM zone
ORDER BY position, id

-- name: zone_by_key
-- One zone by its slug.
SELECT id, site_id, key, name_vi, name_en, position
FROM zone
WHERE key = :key

-- name: limits_of_zone
-- All versions of all limits of a zone, oldest first.
SELECT limit_rule.id, zone.key AS zone, limit_rule.key, limit_rule.kind, limit_rule.quantity,
       limit_rule.setpoint, limit_rule.deadband, limit_rule.on_delay_s, limit_rule.off_delay_s,
       limit_rule.max_gap_s, limit_rule.severity, limit_rule.citation, limit_rule.version,
       limit_rule.valid_from, limit_rule.valid_until, limit_rule.context_delays, limit_rule.degree_minutes
FROM limit_rule
JOIN zone ON zone.id = limit_rule.zone_id
WHERE limit_rule.zone_id = :zone_id
ORDER BY limit_rule.key, limit_rule.version

-- name: points_of_zone
-- The series that told a quantity of a zone, and from when until when each was installed there.
SELECT series.id AS series_id, installation.from_at, installation.until_at
FROM installation
JOIN gateway ON installation.series_name LIKE gateway.name || '/%'
JOIN series ON series.gateway_id = gateway.id
           AND installation.series_name = gateway.name || '/' || series.device || '/' || series.point
WHERE installation.zone_id = :zone_id
  AND installation.role = :quantity
ORDER BY series.id, installation.from_at

-- name: values_between
-- What one series told in a time range, but for bad readings: they say nothing about the zone.
SELECT observed_at, value
FROM reading
WHERE series_id = :series_id
  AND observed_at >= :from_at
  AND observed_at < :until_at
  AND value IS NOT NULL
  AND (detail >> 4 & 3) < 2
ORDER BY observed_at

-- name: next_value_at
-- When one series next told something, from a time on.
SELECT observed_at
FROM reading
WHERE series_id = :series_id
  AND observed_at >= :from_at
  AND observed_at < :until_at
  AND value IS NOT NULL
  AND (detail >> 4 & 3) < 2
ORDER BY observed_at
LIMIT 1

-- name: last_value_at
-- When one series last told something, before a time.
SELECT observed_at
FROM reading
WHERE series_id = :series_id
  AND observed_at >= :from_at
  AND observed_at < :until_at
  AND value IS NOT NULL
  AND (detail >> 4 & 3) < 2
ORDER BY observed_at DESC
LIMIT 1

-- name: upsert_site
-- The site by its slug; its names follow the file.
INSERT INTO site (key, name_vi, name_en)
VALUES (:key, :name_vi, :name_en)
ON CONFLICT (key) DO UPDATE SET name_vi = excluded.name_vi, name_en = excluded.name_en
RETURNING id

-- name: upsert_zone
-- A zone by its slug; names and place on the wall follow the file.
INSERT INTO zone (site_id, key, name_vi, name_en, position)
VALUES (:site_id, :key, :name_vi, :name_en, :position)
ON CONFLICT (key) DO UPDATE SET name_vi = excluded.name_vi, name_en = excluded.name_en,
                                position = excluded.position
RETURNING id

-- name: open_installations
-- What is installed now, in all zones of a site.
SELECT installation.id, installation.series_name, installation.zone_id, installation.role
FROM installation
JOIN zone ON zone.id = installation.zone_id
WHERE zone.site_id = :site_id
  AND installation.until_at IS NULL

-- name: count_installations
-- How often a point was installed anywhere before.
SELECT COUNT(*) FROM installation WHERE series_name = :series_name

-- name: insert_installation
-- A point enters a zone.
INSERT INTO installation (series_name, zone_id, role, from_at)
VALUES (:series_name, :zone_id, :role, :from_at)

-- name: close_installation
-- A point leaves its zone.
UPDATE installation SET until_at = :until_at WHERE id = :id

-- name: open_read_points
-- The antennas in use now, in all zones of a site.
SELECT read_point.id, read_point.series_name, read_point.antenna, read_point.zone_id, read_point.role
FROM read_point
JOIN zone ON zone.id = read_point.zone_id
WHERE zone.site_id = :site_id
  AND read_point.until_at IS NULL

-- name: count_read_points
-- How often an antenna was placed anywhere before.
SELECT COUNT(*) FROM read_point WHERE series_name = :series_name AND antenna = :antenna

-- name: insert_read_point
-- An antenna gets its place.
INSERT INTO read_point (series_name, antenna, zone_id, role, from_at)
VALUES (:series_name, :antenna, :zone_id, :role, :from_at)

-- name: close_read_point
-- An antenna loses its place.
UPDATE read_point SET until_at = :until_at WHERE id = :id

-- name: mark_carriers_dirty
-- Whatever one reader saw from a time on has to be understood anew.
INSERT INTO dirty_carrier (epc, from_at)
SELECT DISTINCT sighting.epc, CAST(:from_at AS BIGINT)
FROM sighting
JOIN series ON series.id = sighting.series_id
JOIN gateway ON gateway.id = series.gateway_id
WHERE gateway.name || '/' || series.device || '/' || series.point = :series_name
  AND sighting.last_at >= :from_at

-- name: insert_limit
-- A limit, or a new version of one.
INSERT INTO limit_rule (zone_id, key, kind, quantity, setpoint, deadband, on_delay_s, off_delay_s,
                        max_gap_s, severity, citation, version, valid_from, context_delays, degree_minutes,
                        about)
VALUES (:zone_id, :key, :kind, :quantity, :setpoint, :deadband, :on_delay_s, :off_delay_s,
        :max_gap_s, :severity, :citation, :version, :valid_from, :context_delays, :degree_minutes,
        :about)

-- name: close_limit
-- A version of a limit ends.
UPDATE limit_rule SET valid_until = :valid_until WHERE id = :id

-- name: mark_zone_dirty
-- What was concluded about a zone in this time range has to be thought over.
INSERT INTO dirty_zone (zone_id, from_at, until_at)
VALUES (:zone_id, :from_at, :until_at)

-- name: context_sources
-- Where contexts of a zone come from, and from when until when that held.
SELECT id, kind, quantity, above, at_minute, minutes, from_at, until_at
FROM context_source
WHERE zone_id = :zone_id
ORDER BY id

-- name: insert_context_source
-- A new source of contexts.
INSERT INTO context_source (zone_id, kind, quantity, above, at_minute, minutes, from_at)
VALUES (:zone_id, :kind, :quantity, :above, :at_minute, :minutes, :from_at)

-- name: close_context_source
-- A source of contexts is believed no more.
UPDATE context_source SET until_at = :until_at WHERE id = :id

-- name: context_spans
-- What people said was going on in a zone, for what touches a time range.
SELECT id, kind, from_at, until_at, "by", note, recorded_at
FROM context_span
WHERE zone_id = :zone_id
  AND from_at < :until_at
  AND until_at > :from_at
ORDER BY from_at, id

-- name: insert_context_span
-- A person's word that something was or will be going on; the same word again changes nothing.
INSERT INTO context_span (zone_id, kind, from_at, until_at, "by", note, recorded_at)
VALUES (:zone_id, :kind, :from_at, :until_at, :by, :note, :now)
ON CONFLICT (zone_id, kind, from_at, until_at) DO NOTHING
