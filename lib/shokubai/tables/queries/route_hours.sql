-- How many requests each route had in each hour, and how many failed.
-- One row per hour × service × method × route that had requests.
--
-- @start TIMESTAMP: first instant
-- @end TIMESTAMP: first instant after the last
-- @services ARRAY<STRING>: whose rows to read
-- @grain_us INT64: microseconds in an hour
WITH
  counts AS (
    SELECT
      TIMESTAMP_MICROS(UNIX_MICROS(minute) - MOD(UNIX_MICROS(minute), @grain_us)) AS hour,
      service_name,
      http_request_method,
      http_route,
      http_response_status_code,
      request_count
    FROM minute_counts
    WHERE minute >= @start AND minute < @end AND service_name IN UNNEST(@services)
  )
SELECT
  hour,
  service_name,
  http_request_method,
  http_route,
  SUM(request_count) AS request_count,
  SUM(IF(http_response_status_code BETWEEN 500 AND 599, request_count, 0)) AS error_count
FROM counts
GROUP BY hour, service_name, http_request_method, http_route
ORDER BY hour, service_name, http_request_method, http_route
