SELECT
  `timestamp` AS `timestamp`,
  `service_name` AS `service_name`,
  `http_route` AS `http_route`,
  `http_request_method` AS `http_request_method`,
  `http_response_status_code` AS `http_response_status_code`,
  CAST(NULL AS FLOAT64) AS `duration_seconds`,
  CAST(NULL AS STRING) AS `user_key`,
  CAST(NULL AS STRING) AS `region`,
  CAST(NULL AS STRING) AS `service_version`,
  CAST(NULL AS STRING) AS `trace_id`
FROM `aoba-logs.run_logs.requests_*`
WHERE _TABLE_SUFFIX BETWEEN FORMAT_TIMESTAMP('%Y%m%d', @start, 'UTC') AND FORMAT_TIMESTAMP('%Y%m%d', TIMESTAMP_SUB(@end, INTERVAL 1 MICROSECOND), 'UTC')
  AND LENGTH(_TABLE_SUFFIX) = 8
