-- Requests that an availability SLO finds bad: those whose status, from 100 to 599, is an error.
-- One row per span × slice × service × method × route × status code with bad requests.
--
-- @start TIMESTAMP: first instant, where the first slice begins
-- @end TIMESTAMP: first instant after the last
-- @service STRING: the service of the SLO
-- @error_statuses ARRAY<INT64>: the statuses that count as failures
-- @spans ARRAY<STRUCT<span INT64, span_start TIMESTAMP, span_end TIMESTAMP>>: each span's number, its first instant,
--   and the first after it
-- @slice_us INT64: microseconds in a slice
WITH
  bad AS (
    SELECT
      minute,
      service_name,
      http_request_method,
      http_route,
      http_response_status_code,
      request_count
    FROM minute_counts
    WHERE
      minute >= @start
      AND minute < @end
      AND service_name = @service
      AND http_response_status_code BETWEEN 100 AND 599
      AND http_response_status_code IN UNNEST(@error_statuses)
  ),
  spans AS (
    SELECT s.span, s.span_start, s.span_end
    FROM UNNEST(@spans) AS s
  ),
  placed AS (
    SELECT
      spans.span,
      TIMESTAMP_MICROS(
        UNIX_MICROS(bad.minute) - MOD(UNIX_MICROS(bad.minute) - UNIX_MICROS(@start), @slice_us)
      ) AS slice_at,
      bad.service_name,
      bad.http_request_method,
      bad.http_route,
      bad.http_response_status_code,
      bad.request_count
    FROM bad
    JOIN spans ON bad.minute >= spans.span_start AND bad.minute < spans.span_end
  )
SELECT
  span,
  slice_at,
  service_name,
  http_request_method,
  http_route,
  http_response_status_code,
  SUM(request_count) AS bad_count
FROM placed
GROUP BY span, slice_at, service_name, http_request_method, http_route, http_response_status_code
ORDER BY span, slice_at, service_name, http_request_method, http_route, http_response_status_code
