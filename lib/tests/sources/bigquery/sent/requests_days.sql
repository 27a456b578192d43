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
  UNIX_MICROS(TIMESTAMP_TRUNC(timestamp, DAY)) AS day_us,
  COUNT(*) AS row_count,
  UNIX_MICROS(MIN(timestamp)) AS first_us,
  UNIX_MICROS(MAX(timestamp)) AS last_us
FROM requests
WHERE timestamp >= @start AND timestamp < @end
GROUP BY day_us
ORDER BY day_us
