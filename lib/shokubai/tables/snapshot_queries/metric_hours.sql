-- Each metric by hour, of hours that were fetched.
-- One row per hour × service × metric that had samples.
--
-- @start TIMESTAMP: first instant
-- @end TIMESTAMP: first instant after the last
-- @services ARRAY<STRING>: whose rows to read
SELECT
  hour,
  service_name,
  metric_name,
  unit,
  sample_count,
  mean_value,
  max_value,
  limit_value
FROM metric_hours
WHERE hour >= @start AND hour < @end AND service_name IN UNNEST(@services)
ORDER BY hour, service_name, metric_name, unit
