-- When one alert of a service paged.
-- One row per page.
--
-- @alert STRING: the alert
SELECT
  fired_at,
  resolved_at
FROM evidence
WHERE alert_name = @alert AND severity = 'page'
ORDER BY fired_at
