-- Instants out of the texts and numbers that logs write them in; NULL for what is none.

-- 17/May/2015:10:05:03 +0900, with or without a fraction. The offset is subtracted here because strptime with %z
-- lets impossible days and offsets pass.
CREATE OR REPLACE MACRO log_instant(written) AS
    CASE
        WHEN regexp_full_match(substr(written, 21), '(\.\d{1,6})? [+-](0\d|1[0-4])[0-5]\d') THEN
            timezone(
                'UTC',
                try_strptime(left(written, 20), '%d/%b/%Y:%H:%M:%S')
                + to_microseconds(rpad(regexp_extract(written, '\.(\d+) ', 1), 6, '0')::BIGINT)
                - to_minutes(
                    if(written[-5] = '-', -1, 1) * (left(right(written, 4), 2)::BIGINT * 60 + right(written, 2)::BIGINT)
                )
            )
    END;

-- 2015-05-17T10:05:03.250+09:00; without an offset it is the wall clock of zone.
CREATE OR REPLACE MACRO iso_instant(written, zone) AS
    CASE
        WHEN regexp_matches(written, '\d{2}:\d{2}.*(Z|[+-]\d{2}(:?\d{2})?)$') THEN try_cast(written AS TIMESTAMPTZ)
        ELSE timezone(zone, try_cast(written AS TIMESTAMP))
    END;

-- Seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their size: as one unit they lie
-- between 1973 and 2286, as another they would be outside.
CREATE OR REPLACE MACRO epoch_instant(number) AS
    make_timestamptz(
        CASE
            WHEN abs(number) BETWEEN 1e8 AND 1e10 THEN (number * 1000000)::BIGINT
            WHEN abs(number) BETWEEN 1e11 AND 1e13 THEN (number * 1000)::BIGINT
            WHEN abs(number) BETWEEN 1e14 AND 1e16 THEN number::BIGINT
            WHEN abs(number) BETWEEN 1e17 AND 9.2e18 THEN (number::HUGEINT // 1000)::BIGINT
        END
    );

CREATE OR REPLACE MACRO text_instant(written, zone) AS
    CASE
        WHEN regexp_matches(written, '^\d{2}/[A-Za-z]{3}/\d{4}:') THEN log_instant(written)
        WHEN regexp_full_match(written, '\d+') THEN epoch_instant(try_cast(written AS HUGEINT))
        WHEN regexp_full_match(written, '\d+\.\d+') THEN epoch_instant(try_cast(written AS DOUBLE))
        ELSE iso_instant(written, zone)
    END;

CREATE OR REPLACE MACRO known_method(method) AS
    CASE
        WHEN method IN ('CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'QUERY', 'TRACE')
            THEN method
        ELSE '_OTHER'
    END;

-- A status of three digits; 000 and the like mean that no response was sent.
CREATE OR REPLACE MACRO known_status(status) AS
    if(try_cast(status AS BIGINT) BETWEEN 100 AND 999, try_cast(status AS BIGINT), NULL);

-- A duration in seconds: a number that is not negative; -1 and NaN mean that there is none.
CREATE OR REPLACE MACRO known_duration(duration) AS
    if(try_cast(duration AS DOUBLE) >= 0 AND isfinite(try_cast(duration AS DOUBLE)), try_cast(duration AS DOUBLE), NULL);
