SELECT
  @start AS hour,
  CAST(NULL AS STRING) AS service_name,
  CAST(NULL AS STRING) AS http_request_method,
  CAST(NULL AS STRING) AS http_route,
  0 AS duration_bucket,
  0 AS request_count,
  @made_from AS made_from
