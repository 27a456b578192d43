-- The request log, taken apart once for both small tables: what minute_counts and hour_latency count, before it is
-- counted. Their formulas, word for word; tests hold all of them to the same rows.
-- One row per service × method × route × status code × slot that had requests. slot is the first of the service's
-- latency thresholds that the requests met, 5 for none, 0 for requests without a duration. requests has an entry per
-- request, in no order: the start of its minute in microseconds since 1970, minus the key of its duration bucket,
-- which is far less than half a minute; 0 stands for the bucket of those without a duration.
--
-- @start TIMESTAMP: first instant
-- @end TIMESTAMP: first instant after the last
-- @grain_us INT64: microseconds in a minute
-- @gamma FLOAT64: growth of the buckets' bounds
-- @smallest_seconds FLOAT64: shorter durations share one bucket
-- @zero_key INT64: that bucket's key
-- @latency_thresholds ARRAY<STRUCT<
--   service_name STRING,
--   threshold_1_seconds FLOAT64,
--   threshold_2_seconds FLOAT64,
--   threshold_3_seconds FLOAT64,
--   threshold_4_seconds FLOAT64>>: one entry per service with latency objectives, ascending; unused slots are NULL
WITH
  thresholds AS (
    SELECT
      t.service_name,
      t.threshold_1_seconds,
      t.threshold_2_seconds,
      t.threshold_3_seconds,
      t.threshold_4_seconds
    FROM UNNEST(@latency_thresholds) AS t
  ),
  log AS (
    SELECT
      service_name,
      COALESCE(http_request_method, '_OTHER') AS http_request_method,
      COALESCE(http_route, '_OTHER') AS http_route,
      http_response_status_code,
      duration_seconds,
      UNIX_MICROS(timestamp) - MOD(UNIX_MICROS(timestamp), @grain_us) AS minute_us,
      COALESCE(
        IF(
          duration_seconds < @smallest_seconds,
          @zero_key,
          CAST(CEIL(LN(GREATEST(duration_seconds, @smallest_seconds)) / LN(@gamma)) AS INT64)
        ),
        0
      ) AS duration_bucket
    FROM requests
    WHERE timestamp >= @start AND timestamp < @end
  ),
  placed AS (
    SELECT
      log.service_name,
      log.http_request_method,
      log.http_route,
      log.http_response_status_code,
      COALESCE(
        CASE
          WHEN log.duration_seconds IS NULL THEN 0
          WHEN log.duration_seconds <= thresholds.threshold_1_seconds THEN 1
          WHEN log.duration_seconds <= thresholds.threshold_2_seconds THEN 2
          WHEN log.duration_seconds <= thresholds.threshold_3_seconds THEN 3
          WHEN log.duration_seconds <= thresholds.threshold_4_seconds THEN 4
        END,
        5
      ) AS slot,
      log.minute_us - log.duration_bucket AS request
    FROM log
    LEFT JOIN thresholds ON thresholds.service_name = log.service_name
  )
SELECT
  service_name,
  http_request_method,
  http_route,
  http_response_status_code,
  slot,
  ARRAY_AGG(request) AS requests
FROM placed
GROUP BY service_name, http_request_method, http_route, http_response_status_code, slot
