-- How many requests one route had in each hour, and how many took longer than its earlier 95th percentile, or than the
-- objective's threshold where the route is new.
-- One row per hour that had requests.
--
-- @method STRING: the route's method
-- @route STRING: the route
-- @bucket INT64: the duration bucket of the earlier 95th percentile or of the threshold
SELECT
  hour,
  SUM(request_count) AS request_count,
  SUM(IF(duration_bucket > @bucket, request_count, 0)) AS slower_count
FROM evidence
WHERE http_request_method = @method AND http_route = @route
GROUP BY hour
ORDER BY hour
