WITH
  deployments AS (
    SELECT
      `deployed_at` AS `deployed_at`,
      `service_name` AS `service_name`,
      CAST(NULL AS STRING) AS `service_version`,
      CAST(NULL AS STRING) AS `deployment_id`,
      CAST(NULL AS STRING) AS `description`
    FROM `aoba-logs.ops.deploys`
  )
SELECT COUNT(*) AS n, BIT_XOR(FARM_FINGERPRINT(TO_JSON_STRING(t))) AS contents FROM deployments AS t
