-- How many requests each service had in each minute, how many failed, and how many carry a status and a duration.
-- One row per service × minute that had requests.
--
-- @start TIMESTAMP: first instant
-- @end TIMESTAMP: first instant after the last
-- @services ARRAY<STRING>: whose rows to read
SELECT
  service_name,
  minute,
  SUM(request_count) AS request_count,
  SUM(IF(http_response_status_code BETWEEN 500 AND 599, request_count, 0)) AS error_count,
  SUM(IF(http_response_status_code IS NULL, request_count, 0)) AS unknown_status_count,
  SUM(duration_count) AS duration_count
FROM minute_counts
WHERE minute >= @start AND minute < @end AND service_name IN UNNEST(@services)
GROUP BY service_name, minute
ORDER BY service_name, minute
