-- Request durations as a mergeable histogram: DDSketch, CEIL(log base gamma of the duration), see core/sketch.py.
-- One row per hour × service × method × route × duration bucket that had requests.
-- A request without method or route counts under _OTHER.
--
-- @start TIMESTAMP: first instant
-- @end TIMESTAMP: first instant after the last
-- @grain_us INT64: microseconds in an hour
-- @gamma FLOAT64: growth of the buckets' bounds
-- @smallest_seconds FLOAT64: shorter durations share one bucket
-- @zero_key INT64: that bucket's key
WITH
  log AS (
    SELECT
      TIMESTAMP_MICROS(UNIX_MICROS(timestamp) - MOD(UNIX_MICROS(timestamp), @grain_us)) AS hour,
      service_name,
      COALESCE(http_request_method, '_OTHER') AS http_request_method,
      COALESCE(http_route, '_OTHER') AS http_route,
      IF(
        duration_seconds < @smallest_seconds,
        @zero_key,
        CAST(CEIL(LN(GREATEST(duration_seconds, @smallest_seconds)) / LN(@gamma)) AS INT64)
      ) AS duration_bucket
    FROM requests
    WHERE timestamp >= @start AND timestamp < @end AND duration_seconds IS NOT NULL
  )
SELECT
  hour,
  service_name,
  http_request_method,
  http_route,
  duration_bucket,
  COUNT(*) AS request_count
FROM log
GROUP BY hour, service_name, http_request_method, http_route, duration_bucket
ORDER BY hour, service_name, http_request_method, http_route, duration_bucket
