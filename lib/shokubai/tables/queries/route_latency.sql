-- How long each route's requests took, as one histogram for the whole window.
-- One row per service × method × route × duration bucket that had requests.
--
-- @start TIMESTAMP: first instant
-- @end TIMESTAMP: first instant after the last
-- @services ARRAY<STRING>: whose rows to read
SELECT
  service_name,
  http_request_method,
  http_route,
  duration_bucket,
  SUM(request_count) AS request_count
FROM hour_latency
WHERE hour >= @start AND hour < @end AND service_name IN UNNEST(@services)
GROUP BY service_name, http_request_method, http_route, duration_bucket
ORDER BY service_name, http_request_method, http_route, duration_bucket
