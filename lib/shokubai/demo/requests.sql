-- The request log of some slots: `cells` has one row per slot × route with its number of requests, `routes` what is
-- constant for a route. Every random number is a hash of the request's own key, so that neither threads nor the order
-- of rows matter.
WITH first_attempts AS (
    SELECT
        *,
        hash(xor(cell_key, nth::UBIGINT)) AS key
    FROM (SELECT *, unnest(range(request_count)) AS nth FROM cells)
),
placed AS (
    SELECT
        *,
        key AS user_draw,
        (low_unit(hash(xor(key, 1))) * 300000000)::BIGINT AS offset_us
    FROM first_attempts
),
-- A third of the failed requests is tried again a few seconds later by the same user.
attempts AS (
    SELECT * FROM placed
    UNION ALL
    SELECT
        * REPLACE (
            hash(xor(key, 9)) AS key,
            offset_us + 1000000 + (high_unit(hash(xor(key, 10))) * 7000000)::BIGINT AS offset_us
        )
    FROM placed
    WHERE high_unit(hash(xor(key, 1))) < error_ratio
        AND low_unit(hash(xor(key, 10))) < 0.35
        AND offset_us < 290000000
),
drawn AS (
    SELECT
        *,
        hash(xor(key, 1)) AS outcome,
        hash(xor(key, 2)) AS duration,
        hash(xor(key, 3)) AS oddity,
        -- Few users make most of the requests.
        floor(users * power(low_unit(hash(xor(user_draw, 4))), 2))::UBIGINT AS user_number
    FROM attempts
    JOIN routes USING (route_number)
),
answered AS (
    SELECT
        *,
        CASE
            WHEN low_unit(oddity) < 0.0004 THEN NULL -- the client hung up
            WHEN high_unit(outcome) < error_ratio
                THEN if(error_status > 0, error_status, ([500, 500, 502, 504])[1 + (oddity >> 60)::INTEGER % 4])
            WHEN high_unit(outcome) < error_ratio + client_error_ratio THEN client_error_status
            ELSE success_status
        END AS status,
        hash(xor(user_salt, user_number)) AS user_hash
    FROM drawn
)
SELECT
    make_timestamptz(slot_start_us + offset_us) AS timestamp,
    service_name,
    http_route,
    http_request_method,
    status::BIGINT AS http_response_status_code,
    CASE
        WHEN status IS NULL OR low_unit(oddity) BETWEEN 0.0004 AND 0.0006 THEN NULL -- the latency was not logged
        WHEN status = 504 THEN 10.0 + round(median_seconds * high_unit(duration), 6)
        ELSE round(
            median_seconds
            * latency_factor
            * exp(sigma * sqrt(-2 * ln(1 - low_unit(duration))) * cos(2 * pi() * high_unit(duration)))
            -- A lost packet, a cold cache, a garbage collection.
            * if(high_unit(oddity) < 0.003, 3.0, 1.0)
            * if(status = 503, 0.3, 1.0),
            6
        )
    END AS duration_seconds,
    format('{:016x}', user_hash) AS user_key,
    if(user_hash % 8 < 6, main_region, other_region) AS region,
    service_version,
    -- Traces are sampled: every failure, and one request in 16.
    CASE
        WHEN status >= 500 OR key % 16 = 0
            THEN format('{:016x}{:016x}', hash(xor(key, 5)), hash(xor(key, 6)))
    END AS trace_id
FROM answered
ORDER BY timestamp, key
