SELECT
  point.interval.end_time AS `timestamp`,
  (
    (
      SELECT
        COALESCE(
          MAX(IF(label.key = 'service_name', label.value, NULL)),
          MAX(IF(label.key = 'container_name', label.value, NULL)),
          MAX(IF(label.key = 'backend_service_name', label.value, NULL)),
          MAX(IF(label.key = 'database_id', label.value, NULL)),
          MAX(IF(label.key = 'subscription_id', label.value, NULL)),
          MAX(IF(label.key = 'instance_id', label.value, NULL))
        )
      FROM UNNEST(resource.labels) AS label
    )
  ) AS `service_name`,
  metric.type AS `metric_name`,
  (
    CASE
      WHEN ENDS_WITH(metric.type, '/utilization') OR ENDS_WITH(metric.type, '/utilizations') THEN '1'
      WHEN ENDS_WITH(metric.type, '/request_latencies') OR ENDS_WITH(metric.type, '/total_latencies') THEN 'ms'
      WHEN ENDS_WITH(metric.type, '_bytes') OR ENDS_WITH(metric.type, '_bytes_count') THEN 'By'
      WHEN ENDS_WITH(metric.type, '/oldest_unacked_message_age') THEN 's'
      WHEN ENDS_WITH(metric.type, '/instance_count') THEN '{instance}'
      WHEN ENDS_WITH(metric.type, '/num_backends') THEN '{connection}'
    END
  ) AS `unit`,
  (
    COALESCE(
      point.value.double_value,
      CAST(point.value.int64_value AS FLOAT64),
      CAST(point.value.distribution_value.mean AS FLOAT64)
    )
  ) AS `value`,
  (IF(ENDS_WITH(metric.type, '/utilization') OR ENDS_WITH(metric.type, '/utilizations'), 1.0, NULL)) AS `limit_value`
FROM `aoba-logs.metrics_export.sd_metrics_export_fin`
WHERE (value_type IN ('DOUBLE', 'INT64', 'DISTRIBUTION'))
