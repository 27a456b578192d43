-- One metric of a service by hour.
-- One row per hour that had samples.
--
-- @metric STRING: the metric
SELECT
  hour,
  unit,
  sample_count,
  mean_value,
  max_value,
  limit_value
FROM evidence
WHERE metric_name = @metric
ORDER BY hour
