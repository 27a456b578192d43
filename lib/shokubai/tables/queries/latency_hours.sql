-- How long each route's requests took in each hour of some spans of time, as histograms.
-- One row per span × hour × service × method × route × duration bucket that had requests.
--
-- @start TIMESTAMP: the first instant of all
-- @end TIMESTAMP: first instant after the last of all
-- @spans ARRAY<STRUCT<span INT64, span_start TIMESTAMP, span_end TIMESTAMP>>: each span's number, its first instant,
--   and the first after it
-- @services ARRAY<STRING>: whose rows to read
WITH
  latencies AS (
    SELECT
      hour,
      service_name,
      http_request_method,
      http_route,
      duration_bucket,
      request_count
    FROM hour_latency
    WHERE hour >= @start AND hour < @end AND service_name IN UNNEST(@services)
  ),
  spans AS (
    SELECT s.span, s.span_start, s.span_end
    FROM UNNEST(@spans) AS s
  )
SELECT
  spans.span,
  latencies.hour,
  latencies.service_name,
  latencies.http_request_method,
  latencies.http_route,
  latencies.duration_bucket,
  latencies.request_count
FROM latencies
JOIN spans ON latencies.hour >= spans.span_start AND latencies.hour < spans.span_end
ORDER BY
  spans.span,
  latencies.hour,
  latencies.service_name,
  latencies.http_request_method,
  latencies.http_route,
  latencies.duration_bucket
