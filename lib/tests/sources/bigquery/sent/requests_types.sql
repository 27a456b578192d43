WITH
  requests AS (
    SELECT
      `timestamp` AS `timestamp`,
      resource.labels.service_name AS `service_name`,
      (REGEXP_EXTRACT(httpRequest.requestUrl, r'^[a-z]+://[^/?#]+(/[^?#]*)')) AS `http_route`,
      httpRequest.requestMethod AS `http_request_method`,
      httpRequest.status AS `http_response_status_code`,
      httpRequest.latency AS `duration_seconds`,
      resource.labels.location AS `region`
    FROM `aoba-logs.run_logs.run_googleapis_com_requests`
    WHERE (httpRequest.status IS NOT NULL)
  )
SELECT * FROM requests WHERE timestamp >= @start AND timestamp < @end
