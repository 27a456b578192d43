-- Each metric's samples by hour.
-- One row per hour × service × metric that had samples.
--
-- @start TIMESTAMP: first instant
-- @end TIMESTAMP: first instant after the last
-- @services ARRAY<STRING>: whose rows to read
-- @grain_us INT64: microseconds in an hour
WITH
  samples AS (
    SELECT
      TIMESTAMP_MICROS(UNIX_MICROS(timestamp) - MOD(UNIX_MICROS(timestamp), @grain_us)) AS hour,
      service_name,
      metric_name,
      COALESCE(unit, '') AS unit,
      value,
      limit_value
    FROM metrics
    WHERE
      timestamp >= @start
      AND timestamp < @end
      AND service_name IN UNNEST(@services)
      AND value IS NOT NULL
  )
SELECT
  hour,
  service_name,
  metric_name,
  unit,
  COUNT(*) AS sample_count,
  AVG(value) AS mean_value,
  MAX(value) AS max_value,
  MAX(limit_value) AS limit_value
FROM samples
GROUP BY hour, service_name, metric_name, unit
ORDER BY hour, service_name, metric_name, unit
