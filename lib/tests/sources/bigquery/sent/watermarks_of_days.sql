-- From when to when each service has requests.
-- One row per service that had requests.
--
-- @services ARRAY<STRING>: whose rows to read
WITH
  minute_counts AS (
    SELECT *
    FROM `aoba-sre.shokubai.minute_counts`
    WHERE minute >= @start AND minute < @end AND made_from IS NULL
  )
SELECT
  service_name,
  MIN(minute) AS first_minute,
  MAX(minute) AS last_minute
FROM minute_counts
WHERE service_name IN UNNEST(@services)
GROUP BY service_name
ORDER BY service_name

