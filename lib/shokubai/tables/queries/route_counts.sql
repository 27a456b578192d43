-- How many requests each route answered with which status, in each of some spans of time.
-- One row per span × service × method × route × status code that had requests.
--
-- @start TIMESTAMP: the first instant of all
-- @end TIMESTAMP: first instant after the last of all
-- @spans ARRAY<STRUCT<span INT64, span_start TIMESTAMP, span_end TIMESTAMP>>: each span's number, its first instant,
--   and the first after it
-- @services ARRAY<STRING>: whose rows to read
WITH
  counts AS (
    SELECT
      minute,
      service_name,
      http_request_method,
      http_route,
      http_response_status_code,
      request_count,
      duration_count
    FROM minute_counts
    WHERE minute >= @start AND minute < @end AND service_name IN UNNEST(@services)
  ),
  spans AS (
    SELECT s.span, s.span_start, s.span_end
    FROM UNNEST(@spans) AS s
  )
SELECT
  spans.span,
  counts.service_name,
  counts.http_request_method,
  counts.http_route,
  counts.http_response_status_code,
  SUM(counts.request_count) AS request_count,
  SUM(counts.duration_count) AS duration_count
FROM counts
JOIN spans ON counts.minute >= spans.span_start AND counts.minute < spans.span_end
GROUP BY
  spans.span,
  counts.service_name,
  counts.http_request_method,
  counts.http_route,
  counts.http_response_status_code
ORDER BY
  spans.span,
  counts.service_name,
  counts.http_request_method,
  counts.http_route,
  counts.http_response_status_code
