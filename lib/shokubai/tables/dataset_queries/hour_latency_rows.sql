-- Days of hour_latency as they are, each with the row that says what it was made from.
-- One row per hour × service × method × route × duration bucket that had requests, and one more per day.
--
-- @start TIMESTAMP: first instant
-- @end TIMESTAMP: first instant after the last
SELECT
  hour,
  service_name,
  http_request_method,
  http_route,
  duration_bucket,
  request_count,
  made_from
FROM hour_latency
WHERE hour >= @start AND hour < @end
