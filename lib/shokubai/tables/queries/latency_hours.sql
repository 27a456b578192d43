-- How long each route's requests took in each hour, as histograms.
-- One row per hour × service × method × route × duration bucket that had requests.
--
-- @start TIMESTAMP: first instant
-- @end TIMESTAMP: first instant after the last
-- @services ARRAY<STRING>: whose rows to read
SELECT
  hour,
  service_name,
  http_request_method,
  http_route,
  duration_bucket,
  request_count
FROM hour_latency
WHERE hour >= @start AND hour < @end AND service_name IN UNNEST(@services)
ORDER BY hour, service_name, http_request_method, http_route, duration_bucket
