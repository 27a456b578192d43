-- Valid and good requests of an availability SLO: valid are those with a status from 100 to 599, good those whose
-- status is not an error.
-- One row per minute with valid requests.
--
-- @start TIMESTAMP: first instant
-- @end TIMESTAMP: first instant after the last
-- @service STRING: the service of the SLO
-- @all_endpoints BOOL: whether the SLO counts every route
-- @endpoints ARRAY<STRING>: else the ones it counts, each a method, a space and a route
-- @error_statuses ARRAY<INT64>: the statuses that count as failures
SELECT
  minute,
  SUM(request_count) AS valid_count,
  SUM(IF(http_response_status_code IN UNNEST(@error_statuses), 0, request_count)) AS good_count
FROM minute_counts
WHERE
  minute >= @start
  AND minute < @end
  AND service_name = @service
  AND http_response_status_code BETWEEN 100 AND 599
  AND (@all_endpoints OR (http_request_method || ' ' || http_route) IN UNNEST(@endpoints))
GROUP BY minute
ORDER BY minute
