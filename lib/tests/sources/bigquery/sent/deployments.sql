-- Deployments in a window.
-- One row per deployment.
--
-- @start TIMESTAMP: first instant
-- @end TIMESTAMP: first instant after the last
-- @services ARRAY<STRING>: whose rows to read
WITH
  deployments AS (
    SELECT
      TIMESTAMP(`deployed_at`, 'UTC') AS `deployed_at`,
      `service_name` AS `service_name`,
      CAST(NULL AS STRING) AS `service_version`,
      CAST(NULL AS STRING) AS `deployment_id`,
      CAST(NULL AS STRING) AS `description`
    FROM `aoba-logs.ops.deploys`
  )
SELECT
  deployed_at,
  service_name,
  service_version,
  deployment_id,
  description
FROM deployments
WHERE deployed_at >= @start AND deployed_at < @end AND service_name IN UNNEST(@services)
ORDER BY deployed_at, service_name, deployment_id

