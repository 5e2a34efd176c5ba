-- name: series
-- Every point of a gateway, or of all, that has readings.
SELECT series.id, series.device, series.point
FROM series
JOIN gateway ON gateway.id = series.gateway_id
WHERE (CAST(:gateway AS TEXT) IS NULL OR gateway.name = :gateway)
  AND EXISTS (
      SELECT 1
      FROM reading
      WHERE reading.series_id = series.id
        AND reading.observed_at >= :from_at
        AND reading.observed_at < :until_at
  )
ORDER BY series.device, series.point, series.id

-- name: readings
-- One series in time order.
SELECT observed_at, value, detail
FROM reading
WHERE series_id = :series_id
  AND observed_at >= :from_at
  AND observed_at < :until_at
ORDER BY observed_at, clock_id

-- name: reason
-- The number under which a reason is stored.
SELECT id FROM reason WHERE name = :name

-- name: reads
-- How often each tag was read by each reader.
SELECT series.device, sighting.epc, SUM(sighting.reads) AS reads
FROM sighting
JOIN series ON series.id = sighting.series_id
JOIN gateway ON gateway.id = series.gateway_id
WHERE (CAST(:gateway AS TEXT) IS NULL OR gateway.name = :gateway)
  AND sighting.observed_at >= :from_at
  AND sighting.observed_at < :until_at
GROUP BY series.device, sighting.epc

-- name: gaps
-- What was declared as not measured or not kept.
SELECT gap.reason, gap.from_at, gap.until_at, series.device, series.point
FROM gap
JOIN gateway ON gateway.id = gap.gateway_id
LEFT JOIN series ON series.id = gap.series_id
WHERE (CAST(:gateway AS TEXT) IS NULL OR gateway.name = :gateway)
ORDER BY gap.id
