-- Days of minute_counts as they are, each with the row that says what it was made from.
-- One row per minute × service × method × route × status code that had requests, and one more per day.
--
-- @start TIMESTAMP: first instant
-- @end TIMESTAMP: first instant after the last
SELECT
  minute,
  service_name,
  http_request_method,
  http_route,
  http_response_status_code,
  request_count,
  duration_count,
  threshold_1_seconds,
  threshold_2_seconds,
  threshold_3_seconds,
  threshold_4_seconds,
  within_1_count,
  within_2_count,
  within_3_count,
  within_4_count,
  made_from
FROM minute_counts
WHERE minute >= @start AND minute < @end
