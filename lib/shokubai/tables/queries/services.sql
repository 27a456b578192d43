-- Which services have requests.
-- One row per service.
SELECT DISTINCT service_name
FROM minute_counts
WHERE service_name IS NOT NULL
ORDER BY service_name
