-- Which methods and routes a service answered.
-- One row per method × route that had requests.
--
-- @start TIMESTAMP: first instant
-- @end TIMESTAMP: first instant after the last
-- @service STRING: whose routes
SELECT DISTINCT
  http_request_method,
  http_route
FROM minute_counts
WHERE minute >= @start AND minute < @end AND service_name = @service
ORDER BY http_request_method, http_route
