-- How many requests a service had in each hour, and how many failed.
-- One row per hour that had requests.
--
-- @all_endpoints BOOL: whether every route counts
-- @endpoints ARRAY<STRING>: else the ones that do, each a method, a space and a route
SELECT
  hour,
  SUM(request_count) AS request_count,
  SUM(error_count) AS error_count
FROM evidence
WHERE @all_endpoints OR (http_request_method || ' ' || http_route) IN UNNEST(@endpoints)
GROUP BY hour
ORDER BY hour
