-- How many requests one route had in each hour, and how many failed.
-- One row per hour that had requests.
--
-- @method STRING: the route's method
-- @route STRING: the route
SELECT
  hour,
  request_count,
  error_count
FROM evidence
WHERE http_request_method = @method AND http_route = @route
ORDER BY hour
