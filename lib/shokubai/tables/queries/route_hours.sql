-- How many requests each route had in each hour of some spans of time, and how many failed.
-- One row per span × hour × service × method × route that had requests.
--
-- @start TIMESTAMP: the first instant of all
-- @end TIMESTAMP: first instant after the last of all
-- @spans ARRAY<STRUCT<span INT64, span_start TIMESTAMP, span_end TIMESTAMP>>: each span's number, its first instant,
--   and the first after it
-- @services ARRAY<STRING>: whose rows to read
-- @grain_us INT64: microseconds in an hour
WITH
  counts AS (
    SELECT
      minute,
      TIMESTAMP_MICROS(UNIX_MICROS(minute) - MOD(UNIX_MICROS(minute), @grain_us)) AS hour,
      service_name,
      http_request_method,
      http_route,
      request_count,
      IF(http_response_status_code BETWEEN 500 AND 599, request_count, 0) AS error_count
    FROM minute_counts
    WHERE minute >= @start AND minute < @end AND service_name IN UNNEST(@services)
  ),
  spans AS (
    SELECT s.span, s.span_start, s.span_end
    FROM UNNEST(@spans) AS s
  )
SELECT
  spans.span,
  counts.hour,
  counts.service_name,
  counts.http_request_method,
  counts.http_route,
  SUM(counts.request_count) AS request_count,
  SUM(counts.error_count) AS error_count
FROM counts
JOIN spans ON counts.minute >= spans.span_start AND counts.minute < spans.span_end
GROUP BY
  spans.span,
  counts.hour,
  counts.service_name,
  counts.http_request_method,
  counts.http_route
ORDER BY
  spans.span,
  counts.hour,
  counts.service_name,
  counts.http_request_method,
  counts.http_route
