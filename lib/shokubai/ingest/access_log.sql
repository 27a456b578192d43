-- One row per line of the chunk: the fields of its request, or the reason why it is rejected.
WITH matched AS (
    SELECT line_number, line, regexp_extract(line, $head, ['client', 'time', 'request', 'status', 'bytes', 'rest']) AS f
    FROM chunk
),
timed AS (
    SELECT
        line_number,
        line,
        f,
        if(f.time LIKE '__/%', log_instant(f.time), iso_instant(f.time, 'UTC')) AS timestamp,
        regexp_full_match(f.time, '.*(Z|[+-]\d{2}:?\d{2})') AS has_offset,
        regexp_matches(f.rest, $rest) AS is_closed,
        regexp_extract(f.request, '^([!#$%&''*+.^_`|~0-9A-Za-z-]+) (\S.*?)(?: HTTP/[0-9.]+)?$', ['method', 'target']) AS r
    FROM matched
),
judged AS (
    SELECT
        *,
        CASE
            WHEN trim(line, E' \t\r\n') = '' THEN 'empty line'
            WHEN f.client = '' AND regexp_matches(line, $error_line) THEN 'a line of an error log'
            WHEN f.client = '' AND line NOT LIKE '%[%]%' THEN 'no [time]'
            WHEN f.client = '' THEN 'not client ident user [time] "request" status bytes'
            WHEN timestamp IS NULL OR NOT has_offset THEN 'the time is none, or has no offset from UTC'
            WHEN NOT is_closed AND NOT regexp_matches(f.rest, $open_rest) THEN 'the end of the line is no quoted fields'
        END AS rejected_reason,
        if(is_closed, regexp_extract(f.rest, $rest, 1), regexp_extract(f.rest, $loose_rest, 1)) AS appended
    FROM timed
)
SELECT
    line_number,
    timestamp,
    $service::VARCHAR AS service_name,
    -- What is not METHOD /path, METHOD *, METHOD http://… or CONNECT host:port is no HTTP request.
    CASE
        WHEN r.method = 'CONNECT' AND r.target NOT LIKE '/%' THEN '{authority}'
        WHEN r.target LIKE '/%' OR r.target = '*' OR regexp_matches(r.target, '^[A-Za-z][A-Za-z0-9+.-]*://') THEN r.target
    END AS target,
    if(r.method = '', '_OTHER', known_method(r.method)) AS http_request_method,
    known_status(f.status) AS http_response_status_code,
    CASE
        WHEN $units_per_second::DOUBLE IS NOT NULL
            THEN known_duration(regexp_extract(appended, '^ +(\d+(?:\.\d+)?)(?: |$)', 1)) / $units_per_second::DOUBLE
    END AS duration_seconds,
    f.client AS client,
    NULL::VARCHAR AS region,
    NULL::VARCHAR AS service_version,
    NULL::VARCHAR AS trace_id,
    NULL::VARCHAR AS unique_key,
    rejected_reason IS NULL AND NOT is_closed AS is_repaired,
    true AS is_wanted,
    rejected_reason,
    if(rejected_reason IS NOT NULL, line, NULL) AS line
FROM judged
