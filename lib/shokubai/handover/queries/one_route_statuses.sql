-- How often one route gave which status.
-- One row per status code.
--
-- @method STRING: the route's method
-- @route STRING: the route
SELECT
  http_response_status_code,
  request_count
FROM evidence
WHERE http_request_method = @method AND http_route = @route
ORDER BY http_response_status_code
