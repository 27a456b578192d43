-- Which days the small tables have, and what each says it was made from: the row with made_from tells.
-- One row per small table × day.
--
-- @start TIMESTAMP: first instant
-- @end TIMESTAMP: first instant after the last
SELECT
  'minute_counts' AS small_table,
  TIMESTAMP_TRUNC(minute, DAY) AS day,
  MAX(made_from) AS made_from,
  COUNTIF(made_from IS NOT NULL) AS mark_count,
  COUNTIF(made_from IS NULL) AS row_count,
  SUM(request_count) AS request_count,
  MIN(IF(made_from IS NULL, minute, NULL)) AS first_at,
  MAX(IF(made_from IS NULL, minute, NULL)) AS last_at
FROM minute_counts
WHERE minute >= @start AND minute < @end
GROUP BY day
UNION ALL
SELECT
  'hour_latency' AS small_table,
  TIMESTAMP_TRUNC(hour, DAY) AS day,
  MAX(made_from) AS made_from,
  COUNTIF(made_from IS NOT NULL) AS mark_count,
  COUNTIF(made_from IS NULL) AS row_count,
  SUM(request_count) AS request_count,
  MIN(IF(made_from IS NULL, hour, NULL)) AS first_at,
  MAX(IF(made_from IS NULL, hour, NULL)) AS last_at
FROM hour_latency
WHERE hour >= @start AND hour < @end
GROUP BY day
ORDER BY small_table, day
