-- Alerts that fired in a window.
-- One row per alert that fired.
--
-- @start TIMESTAMP: first instant
-- @end TIMESTAMP: first instant after the last
-- @services ARRAY<STRING>: whose rows to read
SELECT
  fired_at,
  resolved_at,
  service_name,
  alert_name,
  severity
FROM alerts
WHERE fired_at >= @start AND fired_at < @end AND service_name IN UNNEST(@services)
ORDER BY fired_at, service_name, alert_name
