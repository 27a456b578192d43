WITH
  requests AS (
    SELECT
      `timestamp` AS `timestamp`,
      resource.labels.service_name AS `service_name`,
      (REGEXP_EXTRACT(httpRequest.requestUrl, r'^[a-z]+://[^/?#]+(/[^?#]*)')) AS `http_route`,
      httpRequest.requestMethod AS `http_request_method`,
      httpRequest.status AS `http_response_status_code`,
      IF(httpRequest.latency >= 0 AND httpRequest.latency < CAST('inf' AS FLOAT64), httpRequest.latency, NULL) AS `duration_seconds`,
      CAST(NULL AS STRING) AS `user_key`,
      resource.labels.location AS `region`,
      CAST(NULL AS STRING) AS `service_version`,
      CAST(NULL AS STRING) AS `trace_id`
    FROM `aoba-logs.run_logs.run_googleapis_com_requests`
  )
SELECT
  hour,
  service_name,
  http_request_method,
  http_route,
  duration_bucket,
  request_count,
  CAST(NULL AS STRING) AS made_from
FROM (
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
)
UNION ALL
SELECT
  @start AS hour,
  CAST(NULL AS STRING) AS service_name,
  CAST(NULL AS STRING) AS http_request_method,
  CAST(NULL AS STRING) AS http_route,
  0 AS duration_bucket,
  0 AS request_count,
  @made_from AS made_from
