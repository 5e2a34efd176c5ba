-- name: recent_breaches
-- Confirmed breaches of medium or high severity, the newest first, with how many lots were there.
SELECT breach.key, breach.onset_at, breach.ended_at, zone.name_vi, zone.name_en,
       (SELECT COUNT(DISTINCT residence.lot_id) FROM residence
        WHERE residence.zone_id = breach.zone_id
          AND residence.current = 1
          AND residence.from_at < COALESCE(breach.ended_at, :now)
          AND (residence.until_at IS NULL OR residence.until_at > breach.onset_at)) AS lots
FROM breach
JOIN zone ON zone.id = breach.zone_id
JOIN limit_rule ON limit_rule.id = breach.limit_id
WHERE breach.current = 1
  AND breach.status IN ('active', 'ended')
  AND limit_rule.severity IN ('medium', 'high')
  AND limit_rule.quantity IN ('air_temperature', 'core_temperature')
ORDER BY breach.onset_at DESC
LIMIT :count
