-- How many requests each route answered with which status.
-- One row per service × method × route × status code that had requests.
--
-- @start TIMESTAMP: first instant
-- @end TIMESTAMP: first instant after the last
-- @services ARRAY<STRING>: whose rows to read
SELECT
  service_name,
  http_request_method,
  http_route,
  http_response_status_code,
  SUM(request_count) AS request_count,
  SUM(duration_count) AS duration_count
FROM minute_counts
WHERE minute >= @start AND minute < @end AND service_name IN UNNEST(@services)
GROUP BY service_name, http_request_method, http_route, http_response_status_code
ORDER BY service_name, http_request_method, http_route, http_response_status_code
