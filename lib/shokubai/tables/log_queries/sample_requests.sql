-- Requests of one route that failed or took long, to look at: of each minute one that has a trace.
-- One row per minute that had any.
--
-- @start TIMESTAMP: first instant
-- @end TIMESTAMP: first instant after the last
-- @grain_us INT64: a minute in microseconds
-- @service STRING: the service
-- @method STRING: the request method
-- @route STRING: the route
-- @lowest_status INT64: the first status that counts as failure
-- @highest_status INT64: the last one; below the first, none does
-- @over_seconds FLOAT64: longer requests took long
WITH
  shown AS (
    SELECT
      TIMESTAMP_MICROS(UNIX_MICROS(timestamp) - MOD(UNIX_MICROS(timestamp), @grain_us)) AS minute,
      trace_id
    FROM requests
    WHERE
      timestamp >= @start
      AND timestamp < @end
      AND service_name = @service
      AND http_request_method = @method
      AND http_route = @route
      AND trace_id IS NOT NULL
      AND (
        http_response_status_code BETWEEN @lowest_status AND @highest_status
        OR duration_seconds > @over_seconds
      )
  )
SELECT
  minute,
  MIN(trace_id) AS trace_id,
  COUNT(*) AS request_count
FROM shown
GROUP BY minute
ORDER BY minute
