-- Requests counted by minute, with those that took at most each of the service's latency thresholds.
-- One row per minute × service × method × route × status code that had requests.
-- A request without method or route counts under _OTHER.
--
-- @start TIMESTAMP: first instant
-- @end TIMESTAMP: first instant after the last
-- @grain_us INT64: microseconds in a minute
-- @latency_thresholds ARRAY<STRUCT<
--   service_name STRING,
--   threshold_1_seconds FLOAT64,
--   threshold_2_seconds FLOAT64,
--   threshold_3_seconds FLOAT64,
--   threshold_4_seconds FLOAT64>>: one entry per service with latency objectives; unused slots are NULL
WITH
  log AS (
    SELECT
      TIMESTAMP_MICROS(UNIX_MICROS(timestamp) - MOD(UNIX_MICROS(timestamp), @grain_us)) AS minute,
      service_name,
      COALESCE(http_request_method, '_OTHER') AS http_request_method,
      COALESCE(http_route, '_OTHER') AS http_route,
      http_response_status_code,
      duration_seconds
    FROM requests
    WHERE timestamp >= @start AND timestamp < @end
  ),
  thresholds AS (
    SELECT
      t.service_name,
      t.threshold_1_seconds,
      t.threshold_2_seconds,
      t.threshold_3_seconds,
      t.threshold_4_seconds
    FROM UNNEST(@latency_thresholds) AS t
  ),
  counted AS (
    SELECT
      log.minute,
      log.service_name,
      log.http_request_method,
      log.http_route,
      log.http_response_status_code,
      COUNT(*) AS request_count,
      COUNT(log.duration_seconds) AS duration_count,
      COUNTIF(log.duration_seconds <= thresholds.threshold_1_seconds) AS within_1_count,
      COUNTIF(log.duration_seconds <= thresholds.threshold_2_seconds) AS within_2_count,
      COUNTIF(log.duration_seconds <= thresholds.threshold_3_seconds) AS within_3_count,
      COUNTIF(log.duration_seconds <= thresholds.threshold_4_seconds) AS within_4_count
    FROM log
    LEFT JOIN thresholds ON thresholds.service_name = log.service_name
    GROUP BY
      log.minute,
      log.service_name,
      log.http_request_method,
      log.http_route,
      log.http_response_status_code
  )
SELECT
  counted.minute,
  counted.service_name,
  counted.http_request_method,
  counted.http_route,
  counted.http_response_status_code,
  counted.request_count,
  counted.duration_count,
  thresholds.threshold_1_seconds,
  thresholds.threshold_2_seconds,
  thresholds.threshold_3_seconds,
  thresholds.threshold_4_seconds,
  counted.within_1_count,
  counted.within_2_count,
  counted.within_3_count,
  counted.within_4_count
FROM counted
LEFT JOIN thresholds ON thresholds.service_name = counted.service_name
ORDER BY
  counted.minute,
  counted.service_name,
  counted.http_request_method,
  counted.http_route,
  counted.http_response_status_code
