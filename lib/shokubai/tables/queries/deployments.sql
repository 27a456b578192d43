-- Deployments in a window.
-- One row per deployment.
--
-- @start TIMESTAMP: first instant
-- @end TIMESTAMP: first instant after the last
-- @services ARRAY<STRING>: whose rows to read
SELECT
  deployed_at,
  service_name,
  service_version,
  deployment_id,
  description
FROM deployments
WHERE deployed_at >= @start AND deployed_at < @end AND service_name IN UNNEST(@services)
ORDER BY deployed_at, service_name, deployment_id
