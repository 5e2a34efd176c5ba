-- name: latest_readings
-- The newest reading of every series, with the series' name.
SELECT series.id AS series_id, gateway.name AS gateway, series.device, series.point, series.unit,
       series.quantity, latest.observed_at, latest.value, latest.detail, latest.received_at
FROM latest
JOIN series ON series.id = latest.series_id
JOIN gateway ON gateway.id = series.gateway_id
ORDER BY gateway.name, series.device, series.point

-- name: readings_between
-- One series from a time on and before another, in time order.
SELECT observed_at, value, detail
FROM reading
WHERE series_id = :series_id
  AND observed_at >= :from_at
  AND observed_at < :until_at
ORDER BY observed_at, clock_id

-- name: reading_buckets
-- One series in buckets counted from the start of the range; bad readings are counted, their values are not.
SELECT (observed_at - :from_at) / :width_ms AS number,
       MIN(CASE WHEN detail >> 4 & 3 < 2 THEN value END) AS low,
       AVG(CASE WHEN detail >> 4 & 3 < 2 THEN value END) AS mean,
       MAX(CASE WHEN detail >> 4 & 3 < 2 THEN value END) AS high,
       COUNT(*) AS total,
       SUM(CASE WHEN detail >> 4 & 3 = 2 THEN 1 ELSE 0 END) AS bad
FROM reading
WHERE series_id = :series_id
  AND observed_at >= :from_at
  AND observed_at < :until_at
GROUP BY (observed_at - :from_at) / :width_ms
ORDER BY number

-- name: series_by_name
-- One point by the three parts of its full name.
SELECT series.id, series.unit, series.quantity
FROM series
JOIN gateway ON gateway.id = series.gateway_id
WHERE gateway.name = :gateway
  AND series.device = :device
  AND series.point = :point

-- name: reasons
-- Every reason by its number.
SELECT id, name FROM reason
