-- Requests, failures and exact percentiles per week and route. A percentile is the value of rank floor(q (n - 1)),
-- counted from 0, among the n requests that carry a duration.
WITH sorted AS (
    SELECT
        week,
        service_name,
        http_request_method,
        http_route,
        count(*) AS request_count,
        count(*) FILTER (WHERE http_response_status_code BETWEEN 500 AND 599) AS error_count,
        count(duration_seconds) AS duration_count,
        list_sort(list(duration_seconds) FILTER (WHERE duration_seconds IS NOT NULL)) AS durations
    FROM requests
    JOIN weeks ON epoch_us(timestamp) >= start_us AND epoch_us(timestamp) < end_us
    GROUP BY ALL
)
SELECT
    * EXCLUDE (durations),
    durations[1 + floor(0.50::DOUBLE * (duration_count - 1))::BIGINT] AS p50_seconds,
    durations[1 + floor(0.95::DOUBLE * (duration_count - 1))::BIGINT] AS p95_seconds,
    durations[1 + floor(0.99::DOUBLE * (duration_count - 1))::BIGINT] AS p99_seconds
FROM sorted
ORDER BY week, service_name, http_route, http_request_method
