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
  minute,
  service_name,
  http_request_method,
  http_route,
  http_response_status_code,
  request_count,
  duration_count,
  threshold_1_seconds,
  threshold_2_seconds,
  threshold_3_seconds,
  threshold_4_seconds,
  within_1_count,
  within_2_count,
  within_3_count,
  within_4_count,
  CAST(NULL AS STRING) AS made_from
FROM (
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
)
UNION ALL
SELECT
  @start AS minute,
  CAST(NULL AS STRING) AS service_name,
  CAST(NULL AS STRING) AS http_request_method,
  CAST(NULL AS STRING) AS http_route,
  CAST(NULL AS INT64) AS http_response_status_code,
  0 AS request_count,
  0 AS duration_count,
  CAST(NULL AS FLOAT64) AS threshold_1_seconds,
  CAST(NULL AS FLOAT64) AS threshold_2_seconds,
  CAST(NULL AS FLOAT64) AS threshold_3_seconds,
  CAST(NULL AS FLOAT64) AS threshold_4_seconds,
  0 AS within_1_count,
  0 AS within_2_count,
  0 AS within_3_count,
  0 AS within_4_count,
  @made_from AS made_from
