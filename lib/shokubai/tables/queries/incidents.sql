-- Incidents whose user impact overlaps a window: it began before the window's end, and ended after its start or
-- goes on. Where nobody noted the mitigation, the impact ends when the incident was resolved.
-- One row per incident.
--
-- @start TIMESTAMP: first instant
-- @end TIMESTAMP: first instant after the last
-- @services ARRAY<STRING>: whose rows to read
SELECT
  incident_id,
  service_name,
  title,
  severity,
  started_at,
  detected_at,
  mitigated_at,
  resolved_at
FROM incidents
WHERE
  service_name IN UNNEST(@services)
  AND started_at < @end
  AND (started_at >= @start OR COALESCE(mitigated_at, resolved_at, @end) > @start)
ORDER BY started_at, incident_id
