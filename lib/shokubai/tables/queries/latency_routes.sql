-- Valid and good requests of a latency SLO: valid are those with a duration that did not fail (no status at all is
-- not a failure), good those that took at most the threshold. unmatched_count are valid requests whose rows were
-- not counted for this threshold.
-- One row per service × method × route with valid requests.
--
-- @start TIMESTAMP: first instant
-- @end TIMESTAMP: first instant after the last
-- @service STRING: the service of the SLO
-- @all_endpoints BOOL: whether the SLO counts every route
-- @endpoints ARRAY<STRING>: else the ones it counts, each a method, a space and a route
-- @error_statuses ARRAY<INT64>: the statuses that count as failures
-- @threshold_seconds FLOAT64: the SLO's threshold
WITH
  measured AS (
    SELECT
      service_name,
      http_request_method,
      http_route,
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
      AND (@all_endpoints OR (http_request_method || ' ' || http_route) IN UNNEST(@endpoints))
  )
SELECT
  service_name,
  http_request_method,
  http_route,
  SUM(duration_count) AS valid_count,
  SUM(COALESCE(within_count, 0)) AS good_count,
  SUM(IF(within_count IS NULL, duration_count, 0)) AS unmatched_count
FROM measured
GROUP BY service_name, http_request_method, http_route
ORDER BY service_name, http_request_method, http_route
