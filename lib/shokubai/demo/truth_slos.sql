-- Valid and good requests per scope, where a scope is one SLO judged at the end of one week. `scopes` says which
-- (service, method, route, status) it counts, from when to when, and in slices of which length.
WITH counted AS (
    SELECT
        scope,
        slice_us,
        slice_target,
        (epoch_us(timestamp) - start_us) // slice_us AS slice,
        CASE WHEN threshold_seconds IS NULL THEN succeeded ELSE duration_seconds <= threshold_seconds END AS good
    FROM requests
    JOIN scopes
        ON requests.service_name = scopes.service_name
        AND requests.http_request_method = scopes.http_request_method
        AND requests.http_route = scopes.http_route
        AND coalesce(requests.http_response_status_code, -1) = scopes.status
    WHERE epoch_us(timestamp) >= start_us
        AND epoch_us(timestamp) < end_us
        AND (threshold_seconds IS NULL OR duration_seconds IS NOT NULL)
),
slices AS (
    SELECT
        scope,
        slice_target,
        slice,
        count(*) AS valid_count,
        count(*) FILTER (WHERE good) AS good_count
    FROM counted
    GROUP BY scope, slice_target, slice
)
SELECT
    scope,
    sum(valid_count)::BIGINT AS valid_requests,
    sum(good_count)::BIGINT AS good_requests,
    count(*) AS valid_slices,
    count(*) FILTER (WHERE good_count / valid_count >= slice_target) AS good_slices,
    sum(good_count / valid_count) AS slice_ratio_sum
FROM slices
GROUP BY scope
ORDER BY scope
