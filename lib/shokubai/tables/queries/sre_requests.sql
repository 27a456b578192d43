-- Requests to the SRE team that were opened in a window.
-- One row per request.
--
-- @start TIMESTAMP: first instant
-- @end TIMESTAMP: first instant after the last
SELECT
  request_id,
  team,
  kind,
  summary,
  opened_at,
  first_response_at,
  closed_at
FROM sre_requests
WHERE opened_at >= @start AND opened_at < @end
ORDER BY opened_at, request_id
