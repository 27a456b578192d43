-- Requests that a latency SLO finds bad: those with a duration above the threshold that did not fail (no status at
-- all is not a failure). unmatched_count are requests whose rows were not counted for this threshold.
-- One row per span × slice × service × method × route × status code with such requests.
--
-- @start TIMESTAMP: first instant, where the first slice begins
-- @end TIMESTAMP: first instant after the last
-- @service STRING: the service of the SLO
-- @error_statuses ARRAY<INT64>: the statuses that count as failures
-- @threshold_seconds FLOAT64: the SLO's threshold
-- @spans ARRAY<STRUCT<span INT64, span_start TIMESTAMP, span_end TIMESTAMP>>: each span's number, its first instant,
--   and the first after it
-- @slice_us INT64: microseconds in a slice
WITH
  measured AS (
    SELECT
      minute,
      service_name,
      http_request_method,
      http_route,
      http_response_status_code,
      duration_count,
      CASE
        WHEN threshold_1_seconds = @threshold_seconds THEN within_1_count
        WHEN threshold_2_seconds = @threshold_seconds THEN within_2_count
        WHEN threshold_3_seconds = @threshold_seconds THEN within_3_count
        WHEN threshold_4_seconds = @threshold_seconds THEN within_4_count
      END AS within_count
    FROM minute_counts
    WHERE
      minute >= @start
      AND minute < @end
      AND service_name = @service
      AND duration_count > 0
      AND NOT COALESCE(http_response_status_code IN UNNEST(@error_statuses), FALSE)
  ),
  spans AS (
    SELECT s.span, s.span_start, s.span_end
    FROM UNNEST(@spans) AS s
  ),
  placed AS (
    SELECT
      spans.span,
      TIMESTAMP_MICROS(
        UNIX_MICROS(measured.minute) - MOD(UNIX_MICROS(measured.minute) - UNIX_MICROS(@start), @slice_us)
      ) AS slice_at,
      measured.service_name,
      measured.http_request_method,
      measured.http_route,
      measured.http_response_status_code,
      IF(measured.within_count IS NULL, 0, measured.duration_count - measured.within_count) AS bad_count,
      IF(measured.within_count IS NULL, measured.duration_count, 0) AS unmatched_count
    FROM measured
    JOIN spans ON measured.minute >= spans.span_start AND measured.minute < spans.span_end
    WHERE measured.duration_count > COALESCE(measured.within_count, 0)
  )
SELECT
  span,
  slice_at,
  service_name,
  http_request_method,
  http_route,
  http_response_status_code,
  SUM(bad_count) AS bad_count,
  SUM(unmatched_count) AS unmatched_count
FROM placed
GROUP BY span, slice_at, service_name, http_request_method, http_route, http_response_status_code
ORDER BY span, slice_at, service_name, http_request_method, http_route, http_response_status_code
